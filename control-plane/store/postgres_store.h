#pragma once

// The Store on PostgreSQL. Made by Store::Open; see store.h for what each call means.

#include <memory>
#include <string>
#include <vector>

#include "control-plane/store/pool.h"
#include "control-plane/store/postgres_identities.h"
#include "control-plane/store/postgres_placements.h"
#include "control-plane/store/store.h"

namespace sluice::store {

class PostgresStore final : public Store {
 public:
  PostgresStore(const Options& options, KeyRing keys)
      : keys_(std::move(keys)), rules_(options.rules), pool_(options) {}

  Identities& identities() override { return identities_; }
  Placements& placements() override { return placements_; }

  // commit.cc
  absl::StatusOr<Committed> Commit(const Write& write) override;
  absl::StatusOr<Committed> DeleteGateway(const Removal& removal) override;

  // import.cc
  absl::StatusOr<std::vector<Committed>> Import(const std::vector<Write>& writes,
                                                const std::function<void(Rows)>& committed) override;

  // requests.cc
  absl::StatusOr<std::optional<KeptRequest>> FindRequest(const std::string& caller,
                                                         const std::string& request_id) override;
  absl::StatusOr<bool> KeepRequest(const KeptRequest& request) override;

  // gateways.cc
  absl::StatusOr<GatewayRecord> GetGateway(const std::string& id_or_name) override;
  absl::StatusOr<std::vector<GatewayRecord>> ListGateways(const std::string& after_name, int limit) override;
  absl::StatusOr<std::vector<std::string>> GatewaysOnPlan(const std::string& plan) override;
  absl::StatusOr<VersionRecord> GetVersion(const std::string& gateway_id, int64_t version) override;
  absl::StatusOr<std::vector<VersionRecord>> ListVersions(const std::string& gateway_id, int64_t before,
                                                          int limit) override;

  // revisions.cc
  absl::StatusOr<std::string> Epoch() override;
  absl::StatusOr<std::vector<ConfigRow>> ConfigsAfter(int64_t after, int limit) override;
  absl::StatusOr<int64_t> HeadRevision() override;
  absl::StatusOr<int64_t> Horizon() override;
  absl::StatusOr<int64_t> PurgeTombstones(Duration age, int64_t keep) override;

  // usage.cc
  absl::Status AddUsage(const UsageReport& report) override;
  absl::StatusOr<std::vector<UsageRow>> GetUsage(const std::string& gateway_id, UsageStep step, WallTime since,
                                                 int limit) override;
  absl::StatusOr<double> RequestsPerSecond(const std::string& cell) override;
  absl::Status PruneUsage() override;

  // directory.cc
  absl::Status PutPlan(const config::v1::Plan& plan, const AuditRecord& audit) override;
  absl::StatusOr<config::v1::Plan> GetPlan(const std::string& name) override;
  absl::StatusOr<std::vector<config::v1::Plan>> ListPlans() override;
  absl::StatusOr<std::optional<TokenRecord>> FindToken(const std::string& hash) override;
  absl::Status PutToken(const TokenRecord& token, const std::string& hash) override;
  absl::StatusOr<int64_t> CountTokens() override;
  absl::Status Audit(const AuditRecord& record) override;
  absl::Status PutNode(const NodeRecord& node) override;
  absl::StatusOr<std::vector<NodeRecord>> ListNodes() override;
  absl::Status RemoveNode(const std::string& name, const AuditRecord& audit) override;

 private:
  absl::StatusOr<Result> Run(const Statement& statement, const Parameters& parameters = {});
  const KeyRing keys_;
  const std::string rules_;
  Pool pool_;
  PostgresIdentities identities_{pool_, keys_};
  PostgresPlacements placements_{pool_};
};

// Where configurations are kept: a version, and what nodes are sent.
inline Place VersionPlace(std::string_view gateway, std::string_view version) {
  return {gateway, "version", version, "config"};
}
inline Place ConfigPlace(std::string_view gateway) {
  return {gateway, "gateway", gateway, "config"};
}

// The columns of a gateway's row of entities.
struct EntityLists {
  explicit EntityLists(const Write& write);
  std::vector<std::string> ids, kinds, names;  // in step
  std::vector<std::string> referred;           // each once
};

// Part of the caller's transaction, and its first statement, so that one with the same id waits for how this one ends.
// False: it is kept already. True where there is nothing to keep. Drops what is too old or too much of that gateway.
absl::StatusOr<bool> TakeRequest(Connection& connection, const KeyRing& keys, const KeptRequest& request);

// The end of a transaction that nodes hear of: the statement that turns the clock, and the doorbell.
absl::StatusOr<Result> TickAndCommit(Connection& connection, Transaction& transaction, const Statement& tick,
                                     const Parameters& parameters);
// Only a doorbell: whoever misses it looks every second.
void Ring(Connection& connection);

// The channel that commits ring.
inline constexpr char kDoorbellChannel[] = "sluice_config";

}  // namespace sluice::store
