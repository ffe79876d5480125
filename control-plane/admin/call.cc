#include "control-plane/admin/call.h"

#include <algorithm>

#include "common/base/random.h"
#include "common/observe/log.h"
#include "common/schema/text.h"
#include "control-plane/access/redact.h"
#include "control-plane/access/rules.h"

namespace sluice::admin {

namespace {

constexpr size_t kMaxRequestIdBytes = 64;
constexpr size_t kMaxAuditedGatewayBytes = 64;

bool IsRequestId(std::string_view text) {
  const auto fine = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.'; };
  return !text.empty() && text.size() <= kMaxRequestIdBytes && std::all_of(text.begin(), text.end(), fine);
}

// Every request about a gateway names it in the same field. Kept as the store takes it: no NUL, whole characters.
std::string GatewayOf(const google::protobuf::Message& request) {
  const google::protobuf::FieldDescriptor* field = request.GetDescriptor()->FindFieldByName("gateway");
  if (field == nullptr) return "";
  std::string name = schema::Shortened(request.GetReflection()->GetString(request, field), kMaxAuditedGatewayBytes);
  std::replace(name.begin(), name.end(), '\0', '?');
  return name;
}

}  // namespace

store::AuditRecord Call::Audit(std::string outcome) const {
  const std::string action = method.substr(method.rfind('/') + 1);
  return {caller.name, action, gateway, request_id, peer, detail, std::move(outcome)};
}

absl::Status BeginCall(const AdminDeps& deps, const Arrival& arrival, const google::protobuf::Message& request,
                       Call& call) {
  call.method = std::string(arrival.method);
  call.request_id = IsRequestId(arrival.request_id) ? std::string(arrival.request_id) : RandomHex(32);
  call.peer = arrival.peer;
  const absl::StatusOr<access::Caller> caller = deps.access.Authenticate(arrival.authorization);
  if (!caller.ok()) return caller.status();
  call.caller = *caller;
  call.gateway = GatewayOf(request);
  const access::MethodRule* rule = access::FindRule(call.method);
  if (rule != nullptr && rule->changes) call.detail = access::AuditDetail(request);
  const absl::Status allowed = access::Authorize(call.caller, call.method);
  return allowed.ok() ? allowed : EndCall(deps, call, allowed);
}

absl::Status EndCall(const AdminDeps& deps, const Call& call, absl::Status status) {
  const access::MethodRule* rule = access::FindRule(call.method);
  if (call.audited || rule == nullptr || !rule->changes) return status;
  const absl::Status kept = deps.store.Audit(call.Audit(absl::StatusCodeToString(status.code())));
  if (!kept.ok()) {
    log::Warning("an audit record was not kept", {{"method", call.method}, {"actor", call.caller.name},
                                                  {"outcome", absl::StatusCodeToString(status.code())}});
  }
  return status;
}

}  // namespace sluice::admin
