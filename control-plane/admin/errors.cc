#include "control-plane/admin/errors.h"

#include <set>

#include "common/observe/log.h"
#include "common/schema/text.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace sluice::admin {

namespace {

using schema::Cat;
using schema::Shortened;

constexpr std::string_view kDomain = "sluice";

google::rpc::ErrorInfo Info(std::string reason, const std::map<std::string, std::string>& metadata) {
  google::rpc::ErrorInfo info;
  info.set_reason(std::move(reason));
  info.set_domain(std::string(kDomain));
  for (const auto& [key, value] : metadata) (*info.mutable_metadata())[key] = value;
  return info;
}

}  // namespace

void AddDetail(absl::Status& status, const google::protobuf::Message& detail) {
  const std::string url = Cat("type.googleapis.com/", detail.GetDescriptor()->full_name());
  status.SetPayload(url, absl::Cord(detail.SerializeAsString()));
}

absl::Status Invalid(const schema::Violations& violations, const Rename& rename) {
  google::rpc::BadRequest bad_request;
  std::set<std::string> fields;
  size_t bytes = 0;
  size_t distinct = 0;
  for (const schema::Violation& violation : violations.list()) {
    const std::string field = rename ? rename(violation.field) : violation.field;
    if (!fields.insert(field).second) continue;
    ++distinct;
    google::rpc::BadRequest::FieldViolation one;
    one.set_field(field);
    one.set_description(violation.message);
    one.set_reason(violation.reason);
    bytes += one.ByteSizeLong() + 8;
    if (bytes > kMaxErrorDetailBytes - 1000) continue;
    *bad_request.add_field_violations() = std::move(one);
  }
  const size_t total = distinct + (violations.total() - violations.list().size());
  const schema::Violation& first = violations.list().front();
  const std::string field = rename ? rename(first.field) : first.field;
  std::string message = field.empty() ? first.message : Cat(field, ": ", first.message);
  message = Shortened(message, kMaxErrorMessageBytes - 50);
  if (total > 1) message += Cat(" (and ", total - 1, " more)");
  absl::Status status = absl::InvalidArgumentError(message);
  AddDetail(status, Info(first.reason, {{"violations", std::to_string(total)}}));
  AddDetail(status, bad_request);
  return status;
}

absl::Status InvalidField(std::string field, std::string message, std::string reason) {
  schema::Violations violations;
  violations.Add(std::move(field), std::move(message), std::move(reason));
  return Invalid(violations);
}

absl::Status NotFound(std::string_view type, std::string_view name, std::string_view help) {
  std::string message = Cat("no ", type, " '", Shortened(name, 100), "'");
  if (!help.empty()) message += Cat("; ", help);
  absl::Status status = absl::NotFoundError(message);
  google::rpc::ResourceInfo resource;
  resource.set_resource_type(std::string(type));
  resource.set_resource_name(Shortened(name, 100));
  AddDetail(status, Info("NOT_FOUND", {}));
  AddDetail(status, resource);
  return status;
}

absl::Status WithReason(absl::StatusCode code, std::string message, std::string reason,
                        const std::map<std::string, std::string>& metadata) {
  absl::Status status(code, message);
  AddDetail(status, Info(std::move(reason), metadata));
  return status;
}

absl::Status FromStore(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk: return status;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
      return WithReason(absl::StatusCode::kUnavailable,
                        "the control plane cannot reach its database; traffic is served on, changes must wait",
                        "DATABASE");
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kAlreadyExists: return status;
    default: break;
  }
  log::Error("the store refused an operation", {{"error", std::string(status.message())}});
  return WithReason(absl::StatusCode::kInternal, "the control plane could not do this; its log says why", "INTERNAL");
}

std::string StatusMessage(const absl::Status& status) {
  return Shortened({status.message().data(), status.message().size()}, kMaxErrorMessageBytes);
}

std::string StatusDetails(const absl::Status& status) {
  google::rpc::Status out;
  out.set_code(static_cast<int>(status.code()));
  out.set_message(StatusMessage(status));
  size_t bytes = 0;
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) {
    bytes += url.size() + payload.size() + 8;
    if (bytes > kMaxErrorDetailBytes) return;
    google::protobuf::Any& detail = *out.add_details();
    detail.set_type_url(std::string(url));
    detail.set_value(std::string(payload));
  });
  return out.SerializeAsString();
}

}  // namespace sluice::admin
