#include "data-plane/limit/request_window.h"

#include <algorithm>
#include <string>

namespace sluice::limit {
namespace {
constexpr size_t kFields = 12;  // with those that every answer gets
}  // namespace

std::optional<Reply> AdmitRequest(const GatewayState& state, MonotonicTime now) {
  std::shared_ptr<quota::SlidingWindow> window = state.window();
  if (window == nullptr) return std::nullopt;
  quota::Admission admission = window->Admit(now);
  if (admission.admitted) return std::nullopt;
  return TooManyRequests(admission);
}

Reply TooManyRequests(const quota::Admission& admission) {
  int64_t seconds = std::max<int64_t>(1, (admission.retry_in_micros + 999'999) / 1'000'000);
  std::string limit = std::to_string(admission.limit);
  std::string wait = std::to_string(seconds);
  Reply reply = Reply::Message(429, "API rate limit exceeded");
  reply.fields.Reserve(kFields);
  reply.fields.Add("Retry-After", wait);
  reply.fields.Add("X-RateLimit-Limit-Second", limit);
  reply.fields.Add("X-RateLimit-Remaining-Second", "0");
  reply.fields.Add("RateLimit-Limit", limit);
  reply.fields.Add("RateLimit-Remaining", "0");
  reply.fields.Add("RateLimit-Reset", wait);
  return reply;
}

}  // namespace sluice::limit
