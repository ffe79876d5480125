#include "control-plane/access/rules.h"

#include <algorithm>

#include "common/schema/text.h"

namespace sluice::access {

namespace {

using schema::Cat;

constexpr MethodRule kRules[] = {
    {"/sluice.admin.v1.Access/CreateToken", Role::kAdmin, true},
    {"/sluice.admin.v1.Authorities/ListAuthorities", Role::kViewer},
    {"/sluice.admin.v1.Authorities/RetireAuthority", Role::kAdmin, true},
    {"/sluice.admin.v1.Authorities/RotateAuthority", Role::kAdmin, true},
    {"/sluice.admin.v1.Cells/DeleteCell", Role::kAdmin, true},
    {"/sluice.admin.v1.Cells/DrainCell", Role::kAdmin, true},
    {"/sluice.admin.v1.Cells/ListCells", Role::kViewer},
    {"/sluice.admin.v1.Cells/ResumeCell", Role::kAdmin, true},
    {"/sluice.admin.v1.Cells/SetCell", Role::kAdmin, true},
    {"/sluice.admin.v1.Configs/ApplyConfig", Role::kOperator, true},
    {"/sluice.admin.v1.Configs/DeleteEntity", Role::kOperator, true},
    {"/sluice.admin.v1.Configs/DiffVersions", Role::kViewer},
    {"/sluice.admin.v1.Configs/GetConfig", Role::kViewer},
    {"/sluice.admin.v1.Configs/GetEntity", Role::kViewer},
    {"/sluice.admin.v1.Configs/ListEntities", Role::kViewer},
    {"/sluice.admin.v1.Configs/ListVersions", Role::kViewer},
    {"/sluice.admin.v1.Configs/PutEntity", Role::kOperator, true},
    {"/sluice.admin.v1.Configs/Rollback", Role::kOperator, true},
    {"/sluice.admin.v1.Gateways/CreateGateway", Role::kOperator, true},
    {"/sluice.admin.v1.Gateways/DeleteGateway", Role::kOperator, true},
    {"/sluice.admin.v1.Gateways/GetGateway", Role::kViewer},
    {"/sluice.admin.v1.Gateways/ImportGateways", Role::kOperator, true},
    {"/sluice.admin.v1.Gateways/ListGateways", Role::kViewer},
    {"/sluice.admin.v1.Gateways/WatchGateway", Role::kViewer},
    // A node of a cell is sent the secrets of every gateway in it.
    {"/sluice.admin.v1.Nodes/CreateJoinToken", Role::kAdmin, true},
    {"/sluice.admin.v1.Nodes/ListJoinTokens", Role::kViewer},
    {"/sluice.admin.v1.Nodes/ListNodes", Role::kViewer},
    {"/sluice.admin.v1.Nodes/RemoveNode", Role::kOperator, true},
    {"/sluice.admin.v1.Nodes/RevokeJoinToken", Role::kOperator, true},
    {"/sluice.admin.v1.Nodes/RevokeNode", Role::kOperator, true},
    {"/sluice.admin.v1.Plans/GetPlan", Role::kViewer},
    {"/sluice.admin.v1.Plans/ListPlans", Role::kViewer},
    {"/sluice.admin.v1.Plans/SetPlan", Role::kOperator, true},
    {"/sluice.admin.v1.Plugins/GetPluginSchema", Role::kViewer},
    {"/sluice.admin.v1.Plugins/ListPlugins", Role::kViewer},
    {"/sluice.admin.v1.Usage/GetUsage", Role::kViewer},
};

}  // namespace

std::span<const MethodRule> MethodRules() { return kRules; }

const MethodRule* FindRule(std::string_view method) {
  const auto found =
      std::find_if(std::begin(kRules), std::end(kRules), [&](const MethodRule& r) { return r.method == method; });
  return found == std::end(kRules) ? nullptr : found;
}

absl::Status Authorize(const Caller& caller, std::string_view method) {
  const MethodRule* rule = FindRule(method);
  if (rule == nullptr) return absl::PermissionDeniedError(Cat("nobody may call ", method));
  if (caller.role >= rule->role) return absl::OkStatus();
  return absl::PermissionDeniedError(Cat("the token '", caller.name, "' has the role ", RoleName(caller.role),
                                                  "; this call needs ", RoleName(rule->role)));
}

}  // namespace sluice::access
