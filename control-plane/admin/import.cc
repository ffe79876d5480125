#include "control-plane/admin/import.h"

#include <map>
#include <set>

#include "common/schema/text.h"
#include "control-plane/admin/change.h"
#include "control-plane/admin/edits.h"
#include "control-plane/admin/errors.h"
#include "control-plane/admin/names.h"
#include "control-plane/admin/new_gateway.h"
#include "control-plane/admin/view.h"

namespace sluice::admin {

namespace {

using schema::Cat;

// One of the request's gateways that is well, and where its result goes.
struct Candidate {
  store::Write write;
  v1::ImportResult* result;
};

void SetError(const absl::Status& status, v1::ImportResult& result) {
  google::rpc::Status& error = *result.mutable_error();
  error.ParseFromString(StatusDetails(status));
  error.set_code(static_cast<int>(status.code()));
  error.set_message(StatusMessage(status));
}

void SetMade(const store::Write& write, const store::Committed& committed, v1::ImportResult& result) {
  result.set_id(write.config.id());
  result.set_revision(committed.revision);
}

absl::Status Check(const v1::ImportGatewaysRequest& request) {
  if (request.gateways().empty() || request.gateways_size() > store::kMaxImport) {
    return InvalidField("gateways", Cat("1 to ", store::kMaxImport, " at once"));
  }
  std::set<std::string_view> names;
  for (int i = 0; i < request.gateways_size(); ++i) {
    const std::string& name = request.gateways(i).name();
    if (!names.insert(name).second) {
      return InvalidField(Cat("gateways[", i, "].name"), Cat("'", name, "' is there twice"), "DUPLICATE");
    }
  }
  return CheckMessage(request.message());
}

class Importer {
 public:
  Importer(const AdminDeps& deps, Call& call, const std::string& message)
      : deps_(deps), call_(call), message_(message.empty() ? "imported" : message) {}

  absl::StatusOr<store::Write> Prepare(const v1::NewGateway& gateway) {
    if (absl::Status name = CheckName("name", gateway.name()); !name.ok()) return name;
    schema::Violations violations;
    CheckKind(gateway.kind(), gateway.plan(), violations);
    if (!violations.empty()) return Invalid(violations);
    const absl::StatusOr<config::v1::Plan> plan = PlanOf(gateway);
    if (!plan.ok()) return plan.status();
    config::v1::GatewayConfig config = NewConfig(deps_, gateway.name(), KindOr(gateway.kind()), *plan);
    SetHosts(deps_, MayBeHost(gateway.name()), config);
    config::DocumentPaths paths;
    const ChangeRequest request{gateway.name(), message_, false, nullptr, &paths};
    const Edit nothing = [](const auto&, auto&, auto&) { return absl::OkStatus(); };
    absl::StatusOr<store::Write> write = PrepareNew(
        deps_, call_, config, request, gateway.has_document() ? ApplyEdit(gateway.document(), paths) : nothing);
    if (!write.ok()) return write;
    const absl::StatusOr<std::string> cell = NextCell(chooser_, config.kind());
    if (!cell.ok()) return cell.status();
    write->cell = *cell;
    return write;
  }

  void Commit(std::vector<Candidate>& candidates) {
    std::vector<store::Write> writes;
    writes.reserve(candidates.size());
    for (Candidate& candidate : candidates) writes.push_back(std::move(candidate.write));
    const auto made = deps_.store.Import(writes, [this](auto rows) { deps_.index.Committed(std::move(rows)); });
    call_.audited = made.ok() && !writes.empty();
    for (size_t i = 0; i < candidates.size(); ++i) {
      if (made.ok()) {
        SetMade(writes[i], (*made)[i], *candidates[i].result);
      } else if (absl::IsAlreadyExists(made.status())) {
        CommitAlone(writes[i], *candidates[i].result);
      } else {
        SetError(CommitFailed(made.status()), *candidates[i].result);
      }
    }
    for (const auto& [name, plan] : plans_) TakePlanOfNow(plan, writes, candidates);
  }

 private:
  absl::StatusOr<config::v1::Plan> PlanOf(const v1::NewGateway& gateway) {
    const std::string name = PlanOr(gateway.plan(), KindOr(gateway.kind()));
    if (const auto known = plans_.find(name); known != plans_.end()) return known->second;
    absl::StatusOr<config::v1::Plan> plan = FindPlan(deps_, name);
    if (!plan.ok()) return plan;
    if (absl::Status kept = KeepBuiltIn(deps_, call_, *plan); !kept.ok()) return kept;
    plans_[name] = *plan;
    return plan;
  }

  // One question a plan, and no more where it has not changed.
  void TakePlanOfNow(const config::v1::Plan& then, const std::vector<store::Write>& writes,
                     const std::vector<Candidate>& candidates) {
    const absl::StatusOr<config::v1::Plan> now = FindPlan(deps_, then.name());
    if (!now.ok() || now->SerializeAsString() == then.SerializeAsString()) return;
    for (size_t i = 0; i < writes.size(); ++i) {
      v1::ImportResult& result = *candidates[i].result;
      if (result.has_error() || writes[i].config.plan().name() != then.name()) continue;
      int64_t revision = result.revision();
      const absl::Status taken = admin::TakePlanOfNow(deps_, call_, writes[i].config, revision);
      if (!taken.ok()) SetError(taken, result);
      result.set_revision(revision);
    }
  }

  // The name's own host may be a host of somebody else's.
  void CommitAlone(store::Write write, v1::ImportResult& result) {
    write.audit.gateway = write.config.id();
    absl::StatusOr<store::Committed> made = deps_.store.Commit(write);
    if (absl::IsAlreadyExists(made.status())) {
      if (deps_.store.GetGateway(write.config.name()).ok()) return SetError(NameTaken(write.config.name()), result);
      while (write.config.hosts_size() > 1) write.config.mutable_hosts()->RemoveLast();
      made = deps_.store.Commit(write);
    }
    if (!made.ok()) return SetError(CommitFailed(made.status()), result);
    deps_.index.Refresh().IgnoreError();  // the doorbell rings for it as well
    SetMade(write, *made, result);
  }

  const AdminDeps& deps_;
  Call& call_;
  const std::string message_;
  placement::Chooser chooser_{deps_.cells.Cells()};
  std::map<std::string, config::v1::Plan> plans_;
};

}  // namespace

absl::Status Import(const AdminDeps& deps, Call& call, const v1::ImportGatewaysRequest& request,
                    v1::ImportGatewaysResponse& response) {
  if (absl::Status checked = Check(request); !checked.ok()) return checked;
  Importer importer(deps, call, request.message());
  response.mutable_results()->Reserve(request.gateways_size());
  std::vector<Candidate> candidates;
  for (const v1::NewGateway& gateway : request.gateways()) {
    v1::ImportResult& result = *response.add_results();
    result.set_name(gateway.name());
    absl::StatusOr<store::Write> write = importer.Prepare(gateway);
    if (write.ok()) {
      candidates.push_back({*std::move(write), &result});
    } else {
      SetError(write.status(), result);
    }
  }
  importer.Commit(candidates);
  return absl::OkStatus();
}

}  // namespace sluice::admin
