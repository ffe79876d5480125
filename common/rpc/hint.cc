#include "common/rpc/hint.h"

#include <grpcpp/support/status.h>

#include <algorithm>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace sluice::rpc {
namespace {

constexpr char kReason[] = "ASK_ANOTHER";
constexpr char kDomain[] = "sluice";
constexpr char kAddress[] = "address";

}  // namespace

grpc::Status WithHint(const grpc::Status& status, const Hint& hint) {
  google::rpc::Status details;
  details.set_code(status.error_code());
  details.set_message(status.error_message());
  if (!hint.address.empty()) {
    google::rpc::ErrorInfo info;
    info.set_reason(kReason);
    info.set_domain(kDomain);
    (*info.mutable_metadata())[kAddress] = hint.address;
    details.add_details()->PackFrom(info);
  }
  if (hint.retry_after > Duration(0)) {
    google::rpc::RetryInfo retry;
    const int64_t nanos = std::chrono::duration_cast<std::chrono::nanoseconds>(hint.retry_after).count();
    retry.mutable_retry_delay()->set_seconds(nanos / 1'000'000'000);
    retry.mutable_retry_delay()->set_nanos(static_cast<int32_t>(nanos % 1'000'000'000));
    details.add_details()->PackFrom(retry);
  }
  return {status.error_code(), status.error_message(), details.SerializeAsString()};
}

Hint HintOf(const grpc::Status& status) {
  Hint hint;
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) return hint;
  for (const google::protobuf::Any& detail : details.details()) {
    google::rpc::ErrorInfo info;
    google::rpc::RetryInfo retry;
    if (detail.UnpackTo(&info) && info.reason() == kReason && info.metadata().contains(kAddress)) {
      hint.address = info.metadata().at(kAddress);
    } else if (detail.UnpackTo(&retry)) {
      const int64_t seconds = std::clamp<int64_t>(retry.retry_delay().seconds(), 0, 86'400);
      hint.retry_after = std::chrono::seconds(seconds) + std::chrono::nanoseconds(retry.retry_delay().nanos());
    }
  }
  return hint;
}

}  // namespace sluice::rpc
