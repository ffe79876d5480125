// Writes that are made once: what is kept of them for a while.

#include "control-plane/store/postgres_store.h"

namespace sluice::store {
namespace {

constexpr int kMaxPruned = 100;  // at once; each request that comes makes room for itself at least

#define SLUICE_KEPT_SINCE "now() - make_interval(secs => $3::bigint::double precision)"

constexpr Statement kFindRequest = {
    "find_request",
    "select fingerprint, gateway_id, entity_id, version, revision from kept_requests"
    " where caller = $1 and request_id = $2 and created_at >= " SLUICE_KEPT_SINCE};
constexpr Statement kPutRequest = {
    "put_request",
    "insert into kept_requests (caller, request_id, fingerprint, gateway_id, entity_id, version)"
    " values ($1, $2, $4, $5, $6, $7::bigint)"
    " on conflict (caller, request_id) do update set fingerprint = excluded.fingerprint,"
    " gateway_id = excluded.gateway_id, entity_id = excluded.entity_id, version = excluded.version, revision = 0,"
    " created_at = excluded.created_at"
    " where kept_requests.created_at < " SLUICE_KEPT_SINCE " returning 1::bigint"};
// Skips what another write is dropping just now.
constexpr Statement kPruneRequests = {
    "prune_requests",
    "with old as (select caller, request_id from kept_requests where created_at < " SLUICE_KEPT_SINCE
    "  order by created_at limit $4::bigint for update skip locked),"
    " many as (select caller, request_id from kept_requests where gateway_id = $1"
    "  order by created_at desc offset $2::bigint limit $4::bigint for update skip locked)"
    " delete from kept_requests r using (select * from old union select * from many) as gone"
    " where r.caller = gone.caller and r.request_id = gone.request_id"};

constexpr int64_t kKeptSeconds = std::chrono::duration_cast<std::chrono::seconds>(kRequestsKeptFor).count();

Place RequestPlace(const KeptRequest& request) {
  return {request.caller, "request", request.request_id, "fingerprint"};
}

}  // namespace

absl::StatusOr<bool> TakeRequest(Connection& connection, const KeyRing& keys, const KeptRequest& request) {
  if (request.request_id.empty()) return true;
  Parameters parameters;
  parameters.Text(request.caller).Text(request.request_id).Int(kKeptSeconds);
  parameters.Bytes(keys.Seal(request.fingerprint, RequestPlace(request)));
  parameters.Text(request.gateway_id).Text(request.entity_id).Int(request.version);
  auto taken = connection.Run(kPutRequest, parameters);
  if (!taken.ok()) return taken.status();
  if (taken->rows() == 0) return false;
  Parameters bounds;
  bounds.Text(request.gateway_id).Int(kMaxRequestsKept).Int(kKeptSeconds).Int(kMaxPruned);
  absl::Status pruned = connection.Run(kPruneRequests, bounds).status();
  if (!pruned.ok()) return pruned;
  return true;
}

absl::StatusOr<std::optional<KeptRequest>> PostgresStore::FindRequest(const std::string& caller,
                                                                      const std::string& request_id) {
  auto rows = Run(kFindRequest, Parameters().Text(caller).Text(request_id).Int(kKeptSeconds));
  if (!rows.ok()) return rows.status();
  if (rows->rows() == 0) return std::nullopt;
  KeptRequest request{caller, request_id, "", rows->Text(0, 1), rows->Text(0, 2), rows->Int(0, 3), rows->Int(0, 4)};
  auto fingerprint = keys_.Open(rows->Text(0, 0), RequestPlace(request));
  if (!fingerprint.ok()) return fingerprint.status();
  request.fingerprint = *std::move(fingerprint);
  return request;
}

absl::StatusOr<bool> PostgresStore::KeepRequest(const KeptRequest& request) {
  auto connection = pool_.Borrow();
  if (!connection.ok()) return connection.status();
  Transaction transaction(**connection);
  absl::Status status = transaction.Begin();
  if (!status.ok()) return status;
  auto taken = TakeRequest(**connection, keys_, request);
  if (!taken.ok() || !*taken) return taken;
  status = transaction.Commit();
  if (!status.ok()) return status;
  return true;
}

}  // namespace sluice::store
