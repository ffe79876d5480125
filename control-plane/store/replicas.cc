#include "control-plane/store/replicas.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "control-plane/store/connection.h"

namespace sluice::store {
namespace {

constexpr char kListen[] = "listen sluice_nodes";

constexpr Statement kReport = {
    "report_replica",
    "with self as (insert into replicas (id, address, head, seen_at) values ($1, $2, $3::bigint, now())"
    " on conflict (id) do update set address = excluded.address, head = excluded.head, seen_at = now()"
    " returning (xmax = 0) as fresh),"
    " gone as (delete from connected_nodes where replica = $1 and name = any ($4::text[])),"
    " put as (insert into connected_nodes (replica, name, build, address, applied, connected_at, last_seen, rejected,"
    "  scope) select $1, n.name, n.build, n.address, n.applied::bigint, to_timestamp(n.connected::bigint / 1e6),"
    "  to_timestamp(n.seen::bigint / 1e6), decode(n.rejected, 'base64'), n.scope"
    "  from unnest($5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[],"
    "  $12::text[])"
    "  as n (name, build, address, applied, connected, seen, rejected, scope)"
    "  on conflict (replica, name) do update set build = excluded.build, address = excluded.address,"
    "  applied = excluded.applied, connected_at = excluded.connected_at, last_seen = excluded.last_seen,"
    "  rejected = excluded.rejected, scope = excluded.scope)"
    " select fresh from self, pg_notify('sluice_nodes', $1)"};
constexpr Statement kOthers = {
    "other_replicas",
    "select id, address, head from replicas"
    " where id <> $1 and seen_at > now() - $2::bigint * interval '1 millisecond' order by address, id"};
constexpr Statement kNodes = {
    "other_nodes",
    "select replica, name, build, address, applied, connected_at, last_seen, rejected, scope"
    " from connected_nodes"
    " where replica = any ($1::text[]) order by name"};
constexpr Statement kForgetNodes = {
    "forget_nodes",
    "delete from connected_nodes n where not exists (select from replicas r where r.id = n.replica"
    " and ($2::bigint <> 0 or r.id <> $1)"
    " and ($2::bigint = 0 or r.seen_at > now() - $2::bigint * interval '1 millisecond'))"};
constexpr Statement kForgetReplicas = {
    "forget_replicas",
    "delete from replicas where case when $2::bigint = 0 then id = $1"
    " else seen_at <= now() - $2::bigint * interval '1 millisecond' end"};

int64_t Milliseconds(Duration time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
}

std::string Microseconds(WallTime time) {
  return absl::StrCat(std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count());
}

class PostgresReplicas final : public Replicas {
 public:
  explicit PostgresReplicas(const Options& options) : connection_(options) {}

  absl::StatusOr<bool> Report(const ReplicaRecord& self, const std::vector<ConnectedNode>& put,
                              const std::vector<std::string>& gone) override {
    std::vector<std::string> names, builds, addresses, applied, connected, seen, rejected, scopes;
    for (const ConnectedNode& node : put) {
      names.push_back(node.name);
      builds.push_back(node.build);
      addresses.push_back(node.address);
      applied.push_back(absl::StrCat(node.applied));
      connected.push_back(Microseconds(node.connected));
      seen.push_back(Microseconds(node.last_seen));
      rejected.push_back(absl::Base64Escape(node.rejected));
      scopes.push_back(node.scope.text());
    }
    Parameters parameters;
    parameters.Text(self.id).Text(self.address).Int(self.head).TextArray(gone).TextArray(names).TextArray(builds);
    parameters.TextArray(addresses).TextArray(applied).TextArray(connected).TextArray(seen).TextArray(rejected);
    parameters.TextArray(scopes);
    auto rows = Run(kReport, parameters);
    if (!rows.ok()) return rows.status();
    return rows->rows() == 1 && rows->Bool(0, 0);
  }

  absl::StatusOr<OtherReplicas> Others(const std::string& self, Duration expiry) override {
    OtherReplicas others;
    auto rows = Run(kOthers, Parameters().Text(self).Int(Milliseconds(expiry)));
    if (!rows.ok()) return rows.status();
    std::vector<std::string> ids;
    for (int row = 0; row < rows->rows(); ++row) {
      others.replicas.push_back({rows->Text(row, 0), rows->Text(row, 1), rows->Int(row, 2)});
      ids.push_back(rows->Text(row, 0));
    }
    if (ids.empty()) return others;
    auto nodes = Run(kNodes, Parameters().TextArray(ids));
    if (!nodes.ok()) return nodes.status();
    for (int row = 0; row < nodes->rows(); ++row) {
      others.nodes.push_back({nodes->Text(row, 0), nodes->Text(row, 1), nodes->Text(row, 2), nodes->Text(row, 3),
                              nodes->Int(row, 4), nodes->Time(row, 5), nodes->Time(row, 6), nodes->Text(row, 7),
                              Scope::Parse(nodes->Text(row, 8)).value_or(Scope::OfCell(kDefaultCell))});
    }
    return others;
  }

  absl::Status Forget(const std::string& self, Duration age) override {
    const Parameters parameters = Parameters().Text(self).Int(Milliseconds(age));
    absl::Status status = Run(kForgetNodes, parameters).status();
    return status.ok() ? Run(kForgetReplicas, parameters).status() : status;
  }

  int descriptor() override { return usable_ ? connection_.descriptor() : -1; }
  bool Rung() override {
    if (usable_) Listen();
    return std::exchange(rung_, false);
  }

 private:
  void Listen() {
    const auto any = connection_.ReadNotifications();
    usable_ = any.ok();
    rung_ = rung_ || (any.ok() && *any);
  }

  absl::StatusOr<Result> Run(const Statement& statement, const Parameters& parameters) {
    if (usable_) Listen();
    if (!usable_) {
      absl::Status status = connection_.Reconnect();
      if (status.ok()) status = connection_.Execute(kListen);
      if (!status.ok()) return status;
      usable_ = true;
    }
    auto result = connection_.Run(statement, parameters);
    usable_ = !absl::IsUnavailable(result.status());
    return result;
  }

  Connection connection_;
  bool usable_ = false;
  bool rung_ = false;
};

}  // namespace

std::unique_ptr<Replicas> Replicas::Make(const Options& options) {
  return std::make_unique<PostgresReplicas>(options);
}

}  // namespace sluice::store
