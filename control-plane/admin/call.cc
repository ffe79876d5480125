#include "control-plane/admin/call.h"

#include <openssl/sha.h>

#include <algorithm>
#include <memory>

#include "common/base/random.h"
#include "common/observe/log.h"
#include "common/schema/text.h"
#include "control-plane/access/redact.h"
#include "control-plane/access/rules.h"
#include "control-plane/admin/errors.h"
#include "control-plane/store/serialize.h"

namespace sluice::admin {

namespace {

constexpr size_t kMaxRequestIdBytes = 64;
constexpr size_t kMaxAuditedGatewayBytes = 64;

bool IsRequestId(std::string_view text) {
  const auto fine = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.'; };
  return !text.empty() && text.size() <= kMaxRequestIdBytes && std::all_of(text.begin(), text.end(), fine);
}

std::string TextOf(const google::protobuf::Message& request, const char* name) {
  const google::protobuf::FieldDescriptor* field = request.GetDescriptor()->FindFieldByName(name);
  return field == nullptr ? "" : request.GetReflection()->GetString(request, field);
}

bool IsSet(const google::protobuf::Message& request, const char* name) {
  const google::protobuf::FieldDescriptor* field = request.GetDescriptor()->FindFieldByName(name);
  return field != nullptr && request.GetReflection()->GetBool(request, field);
}

// Of everything that decides what the call does: how long to wait does not.
std::string Fingerprint(std::string_view method, const google::protobuf::Message& request) {
  const std::unique_ptr<google::protobuf::Message> copy(request.New());
  copy->CopyFrom(request);
  for (const char* name : {"request_id", "wait"}) {
    const google::protobuf::FieldDescriptor* field = copy->GetDescriptor()->FindFieldByName(name);
    if (field != nullptr) copy->GetReflection()->ClearField(copy.get(), field);
  }
  const std::string text = schema::Cat(method, "\n", store::SerializeStable(*copy));
  std::string hash(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         reinterpret_cast<unsigned char*>(hash.data()));
  return hash;
}

absl::Status ReadRequestId(const google::protobuf::Message& request, Call& call) {
  const std::string id = TextOf(request, "request_id");
  if (id.empty()) return absl::OkStatus();
  if (!IsRequestId(id)) {
    return InvalidField("request_id",
                        schema::Cat("at most ", kMaxRequestIdBytes, " letters, digits, '-', '_' and '.'"));
  }
  call.request_id = id;
  const bool changes_something = !IsSet(request, "validate_only") && !IsSet(request, "dry_run");
  if (changes_something) call.fingerprint = Fingerprint(call.method, request);
  return absl::OkStatus();
}

// Every request about a gateway names it in the same field. Kept as the store takes it: no NUL, whole characters.
std::string GatewayOf(const google::protobuf::Message& request) {
  std::string name = schema::Shortened(TextOf(request, "gateway"), kMaxAuditedGatewayBytes);
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
  absl::Status begun = access::Authorize(call.caller, call.method);
  if (begun.ok()) begun = ReadRequestId(request, call);
  return begun.ok() ? begun : EndCall(deps, call, begun);
}

absl::Status EndCall(const AdminDeps& deps, const Call& call, absl::Status status) {
  const access::MethodRule* rule = access::FindRule(call.method);
  if (call.audited || rule == nullptr || !rule->changes) return status;
  const std::string outcome = call.repeated && status.ok() ? "REPEATED" : absl::StatusCodeToString(status.code());
  const absl::Status kept = deps.store.Audit(call.Audit(outcome));
  if (!kept.ok()) {
    log::Warning("an audit record was not kept", {{"method", call.method}, {"actor", call.caller.name},
                                                  {"outcome", outcome}});
  }
  return status;
}

}  // namespace sluice::admin
