// The Usage service: what a gateway was asked for.

#include <algorithm>

#include "common/schema/text.h"
#include "control-plane/admin/change.h"
#include "control-plane/admin/errors.h"
#include "control-plane/admin/serve.h"
#include "control-plane/admin/service_list.h"
#include "control-plane/admin/view.h"
#include "sluice/admin/v1/admin.grpc.pb.h"

namespace sluice::admin {

namespace {

using v1::GetUsageRequest;

constexpr int kMaxRows = 3 * 24 * 60 + 1;  // every minute that is kept
constexpr auto kDefaultTime = std::chrono::hours(24);

store::UsageStep StepOf(const GetUsageRequest& request) {
  if (request.step() == GetUsageRequest::MINUTE) return store::UsageStep::kMinute;
  return request.step() == GetUsageRequest::DAY ? store::UsageStep::kDay : store::UsageStep::kHour;
}

// The beginning of the minute, hour or day of UTC: what is asked for is shown whole.
WallTime BeginningOf(WallTime time, store::UsageStep step) {
  const int64_t unit = step == store::UsageStep::kMinute ? 60 : step == store::UsageStep::kHour ? 3600 : 86'400;
  const int64_t seconds = UnixSeconds(time);
  return WallTime(std::chrono::seconds(seconds - seconds % unit));
}

void Add(const store::UsageCounts& counts, v1::GetUsageResponse::Row& row) {
  row.set_requests(row.requests() + counts.requests);
  row.set_refused(row.refused() + counts.refused);
  row.set_limited(row.limited() + counts.limited);
  row.set_too_large(row.too_large() + counts.too_large);
  row.set_failed(row.failed() + counts.failed);
  row.set_request_bytes(row.request_bytes() + counts.request_bytes);
  row.set_response_bytes(row.response_bytes() + counts.response_bytes);
}

class Usage final : public v1::Usage::Service {
 public:
  explicit Usage(const AdminDeps& deps) : deps_(deps) {}

  grpc::Status GetUsage(grpc::ServerContext* context, const GetUsageRequest* request,
                        v1::GetUsageResponse* response) override {
    return Serve(deps_, *context, "/sluice.admin.v1.Usage/GetUsage", *request,
                 [&](Call& call) { return Get(call, *request, *response); });
  }

 private:
  absl::Status Get(Call& call, const GetUsageRequest& request, v1::GetUsageResponse& response) {
    if (!GetUsageRequest::Step_IsValid(request.step())) {
      return InvalidField("step", "is not MINUTE, HOUR or DAY", "OUT_OF_RANGE");
    }
    const int64_t start = request.start_time().seconds();
    const WallTime now = deps_.clock.WallNow();
    if (request.has_start_time() && (start < 0 || start > UnixSeconds(now))) {
      return InvalidField("start_time", "lies before 1970 or in the future", "OUT_OF_RANGE");
    }
    const absl::StatusOr<store::GatewayRecord> gateway = FindGateway(deps_, call, request.gateway());
    if (!gateway.ok()) return gateway.status();
    const store::UsageStep step = StepOf(request);
    const WallTime asked = request.has_start_time() ? WallTime(std::chrono::seconds(start)) : now - kDefaultTime;
    const WallTime since = BeginningOf(asked, step);
    const auto rows = deps_.store.GetUsage(gateway->id, step, since, kMaxRows);
    if (!rows.ok()) return FromStore(rows.status());
    *response.mutable_total()->mutable_time() = ToTimestamp(since);
    for (const store::UsageRow& row : *rows) {
      v1::GetUsageResponse::Row& out = *response.add_rows();
      *out.mutable_time() = ToTimestamp(row.at);
      Add(row.counts, out);
      Add(row.counts, *response.mutable_total());
    }
    return absl::OkStatus();
  }

  const AdminDeps deps_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeUsageService(const AdminDeps& deps) { return std::make_unique<Usage>(deps); }

}  // namespace sluice::admin
