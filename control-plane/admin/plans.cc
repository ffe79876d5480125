// The Plans service. A plan is part of each of its gateways' configurations: setting it commits them all again.

#include <mutex>

#include <algorithm>

#include "common/config/plans.h"
#include "common/schema/text.h"
#include "control-plane/admin/change.h"
#include "control-plane/admin/plan_rules.h"
#include "control-plane/admin/repeat.h"
#include "control-plane/admin/serve.h"
#include "control-plane/admin/service_list.h"
#include "control-plane/admin/view.h"
#include "sluice/admin/v1/admin.grpc.pb.h"

namespace sluice::admin {

namespace {

using config::v1::GatewayConfig;
using config::v1::Plan;
using schema::Cat;

constexpr std::string_view kService = "/sluice.admin.v1.Plans/";
constexpr size_t kMaxNamed = 5;  // gateways that an error names

Edit PlanEdit(const Plan& plan) {
  return [&plan](const GatewayConfig&, GatewayConfig& wanted, schema::Violations&) {
    *wanted.mutable_plan() = plan;
    return absl::OkStatus();
  };
}

class Plans final : public v1::Plans::Service {
 public:
  explicit Plans(const AdminDeps& deps) : deps_(deps) {}

  grpc::Status SetPlan(grpc::ServerContext* context, const v1::SetPlanRequest* request, Plan* response) override {
    return Serve(deps_, *context, Cat(kService, "SetPlan"), *request,
                 [&](Call& call) { return Set(call, *request, *response); });
  }
  grpc::Status GetPlan(grpc::ServerContext* context, const v1::GetPlanRequest* request, Plan* response) override {
    return Serve(deps_, *context, Cat(kService, "GetPlan"), *request, [&](Call&) {
      const absl::StatusOr<Plan> plan = FindPlan(deps_, request->name());
      if (plan.ok()) *response = *plan;
      return plan.status();
    });
  }
  grpc::Status ListPlans(grpc::ServerContext* context, const v1::ListPlansRequest* request,
                         v1::ListPlansResponse* response) override {
    return Serve(deps_, *context, Cat(kService, "ListPlans"), *request, [&](Call&) {
      const absl::StatusOr<std::vector<Plan>> plans = deps_.store.ListPlans();
      if (!plans.ok()) return FromStore(plans.status());
      for (const Plan& plan : *plans) *response->add_plans() = plan;
      for (const Plan& built_in : config::BuiltInPlans()) {
        const bool listed = std::any_of(plans->begin(), plans->end(),
                                        [&](const Plan& plan) { return plan.name() == built_in.name(); });
        if (!listed) *response->add_plans() = built_in;
      }
      return absl::OkStatus();
    });
  }

 private:
  // Refused before anything is changed where a gateway that is on it would not be valid any more.
  absl::Status Set(Call& call, const v1::SetPlanRequest& request, Plan& response) {
    Plan plan = request.plan();
    plan.DiscardUnknownFields();
    if (absl::Status checked = CheckPlan(plan); !checked.ok()) return checked;
    const std::lock_guard one_at_a_time(mutex_);
    const absl::StatusOr<std::optional<store::KeptRequest>> repeat = FindRepeat(deps_, call);
    if (!repeat.ok()) return repeat.status();
    if (repeat->has_value()) {
      response = plan;
      return absl::OkStatus();
    }
    const absl::StatusOr<std::vector<std::string>> gateways = deps_.store.GatewaysOnPlan(plan.name());
    if (!gateways.ok()) return FromStore(gateways.status());
    if (absl::Status fits = CheckGateways(call, plan, *gateways); !fits.ok()) return fits;
    if (request.validate_only()) {
      response = plan;
      return absl::OkStatus();
    }
    if (absl::Status put = deps_.store.PutPlan(plan, call.Audit()); !put.ok()) return FromStore(put);
    call.audited = true;
    // Those that came to the plan since the check take it over by themselves or are met here.
    const absl::StatusOr<std::vector<std::string>> now = deps_.store.GatewaysOnPlan(plan.name());
    if (!now.ok()) return FromStore(now.status());
    const std::string message = Cat("plan ", plan.name(), " changed");
    for (const std::string& id : *now) {
      Call one = call;
      one.fingerprint.clear();  // each is a part of what was asked for
      const absl::StatusOr<Changed> changed = ChangeConfig(deps_, one, {id, message}, PlanEdit(plan));
      if (!changed.ok() && !absl::IsNotFound(changed.status())) return changed.status();
    }
    response = plan;
    if (call.fingerprint.empty()) return absl::OkStatus();
    return FromStore(deps_.store.KeepRequest(ToKeep(call)).status());
  }

  absl::Status CheckGateways(Call call, const Plan& plan, const std::vector<std::string>& gateways) {
    call.fingerprint.clear();
    std::string message;
    size_t unfit = 0;
    for (const std::string& id : gateways) {
      const absl::StatusOr<Changed> changed = ChangeConfig(deps_, call, {id, "", /*dry_run=*/true}, PlanEdit(plan));
      if (changed.ok() || absl::IsNotFound(changed.status())) continue;
      if (!absl::IsInvalidArgument(changed.status())) return changed.status();
      if (++unfit <= kMaxNamed) message += Cat("; ", id, ": ", std::string(changed.status().message()));
    }
    if (unfit == 0) return absl::OkStatus();
    return WithReason(
        absl::StatusCode::kFailedPrecondition,
        Cat(unfit, " of ", gateways.size(), " gateways on this plan would not be valid any more", message),
        "GATEWAYS_DO_NOT_FIT");
  }

  const AdminDeps deps_;
  std::mutex mutex_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakePlansService(const AdminDeps& deps) { return std::make_unique<Plans>(deps); }

}  // namespace sluice::admin
