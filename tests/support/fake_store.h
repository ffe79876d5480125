#pragma once

// A store in memory: the operations of store::Store with their documented errors, without PostgreSQL. Callable from
// every thread. Tests reach into the public members between calls, and make the next calls fail with `fail_next` and
// `down`.

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "control-plane/store/store.h"
#include "tests/support/fake_identities.h"

namespace sluice::test {

class FakeStore final : public store::Store, public store::Placements {
 public:
  absl::StatusOr<std::string> Epoch() override;
  absl::StatusOr<store::Committed> Commit(const store::Write& write) override;
  absl::StatusOr<std::vector<store::Committed>> Import(const std::vector<store::Write>& writes,
                                                       const std::function<void(Rows)>& committed) override;
  absl::StatusOr<store::Committed> DeleteGateway(const store::Removal& removal) override;
  absl::StatusOr<std::optional<store::KeptRequest>> FindRequest(const std::string& caller,
                                                                const std::string& request_id) override;
  absl::StatusOr<bool> KeepRequest(const store::KeptRequest& request) override;
  absl::StatusOr<store::GatewayRecord> GetGateway(const std::string& id_or_name) override;
  absl::StatusOr<std::vector<store::GatewayRecord>> ListGateways(const std::string& after_name, int limit) override;
  absl::StatusOr<std::vector<std::string>> GatewaysOnPlan(const std::string& plan) override;
  absl::StatusOr<store::VersionRecord> GetVersion(const std::string& gateway_id, int64_t version) override;
  absl::StatusOr<std::vector<store::VersionRecord>> ListVersions(const std::string& gateway_id, int64_t before,
                                                                 int limit) override;
  absl::StatusOr<std::vector<store::ConfigRow>> ConfigsAfter(int64_t after, int limit) override;
  absl::StatusOr<int64_t> HeadRevision() override;
  absl::StatusOr<int64_t> Horizon() override;
  absl::StatusOr<int64_t> PurgeTombstones(Duration age, int64_t keep) override;  // none is old
  absl::Status PutPlan(const config::v1::Plan& plan, const store::AuditRecord& audit) override;
  absl::StatusOr<config::v1::Plan> GetPlan(const std::string& name) override;
  absl::StatusOr<std::vector<config::v1::Plan>> ListPlans() override;
  absl::StatusOr<std::optional<store::TokenRecord>> FindToken(const std::string& hash) override;
  absl::Status PutToken(const store::TokenRecord& token, const std::string& hash) override;
  absl::StatusOr<int64_t> CountTokens() override;
  absl::Status Audit(const store::AuditRecord& record) override;
  absl::Status AddUsage(const store::UsageReport& report) override;
  // All as one row, whatever the step.
  absl::StatusOr<std::vector<store::UsageRow>> GetUsage(const std::string& gateway_id, store::UsageStep step,
                                                        WallTime since, int limit) override;
  absl::StatusOr<double> RequestsPerSecond(const std::string& cell) override;  // requests_per_second
  absl::Status PruneUsage() override { return absl::OkStatus(); }
  absl::Status PutNode(const store::NodeRecord& node) override;
  absl::StatusOr<std::vector<store::NodeRecord>> ListNodes() override;
  absl::Status RemoveNode(const std::string& name, const store::AuditRecord& audit) override;
  FakeIdentities& identities() override { return identities_; }
  store::Placements& placements() override { return *this; }

  // fake_placements.cc
  absl::StatusOr<std::vector<store::CellRow>> ListCells() override;
  absl::Status PutCell(const store::CellRow& cell, const store::AuditRecord& audit) override;
  absl::Status SetDraining(const std::string& cell, bool draining, const store::AuditRecord& audit) override;
  absl::Status DeleteCell(const std::string& cell, const store::AuditRecord& audit) override;
  absl::StatusOr<int64_t> Place(const std::vector<store::PlacementChange>& changes) override;

  std::vector<store::Write> writes() const {  // that were committed
    std::lock_guard lock(mutex_);
    return writes_;
  }
  std::vector<store::AuditRecord> audits() const {  // of commits too
    std::lock_guard lock(mutex_);
    return audits_;
  }

  // As an earlier release may have left it.
  void EditVersion(const std::string& gateway, int64_t version,
                   const std::function<void(config::v1::GatewayConfig&)>& edit);

  std::set<std::string> unreadable;            // gateways that ConfigsAfter cannot open
  std::map<std::string, store::CellRow> cells = {{store::kDefaultCell, {.name = store::kDefaultCell}}};
  bool down = false;                           // every call: UNAVAILABLE
  std::deque<absl::Status> fail_next;          // what the next commits answer instead
  std::function<void()> before_commit;         // runs unlocked, once, before the next commit
  int token_reads = 0;
  int reads = 0;  // of the revision line
  double requests_per_second = 0;

 private:
  struct Gateway {
    store::GatewayRecord record;
    std::vector<store::VersionRecord> versions;  // oldest first
  };
  absl::Status Check() const;
  absl::Status CheckTaken(const config::v1::GatewayConfig& config) const;
  bool IsKept(const store::KeptRequest& request) const;
  void Keep(store::KeptRequest request, const std::string& gateway_id, const store::Committed& committed);
  const Gateway* Find(const std::string& id_or_name) const;

  FakeIdentities identities_{down};
  mutable std::mutex mutex_;
  std::vector<store::Write> writes_;
  std::vector<store::AuditRecord> audits_;
  int64_t revision_ = 0;
  int64_t horizon_ = 0;
  std::map<std::string, Gateway> gateways_;  // by id
  std::map<int64_t, store::ConfigRow> rows_;
  std::map<std::pair<std::string, std::string>, store::KeptRequest> requests_;  // by caller and id
  std::map<std::string, config::v1::Plan> plans_;
  std::map<std::string, store::TokenRecord> tokens_;  // by hash
  std::map<std::string, store::NodeRecord> nodes_;
  std::map<std::string, std::pair<std::string, int64_t>> reports_;  // by node: process and number
  std::map<std::string, store::UsageRow> usage_;                    // by gateway
};

}  // namespace sluice::test
