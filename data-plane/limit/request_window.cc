#include "data-plane/limit/request_window.h"

#include <algorithm>
#include <string>

#include "data-plane/route/share_keeper.h"

namespace sluice::limit {
namespace {
constexpr size_t kFields = 12;  // with those that every answer gets
}  // namespace

std::optional<Reply> AdmitRequest(GatewayState& state, MonotonicTime now) {
  state.requests_asked.fetch_add(1, std::memory_order_relaxed);
  if (state.limit.load(std::memory_order_relaxed) == 0) return std::nullopt;
  std::optional<Reply> refusal = AdmitWaiting(state, now);
  if (refusal.has_value() && state.keeper != nullptr) state.keeper->Want(state, now);
  return refusal;
}

std::optional<Reply> AdmitWaiting(GatewayState& state, MonotonicTime now) {
  const std::shared_ptr<quota::SlidingWindow> window = state.window();
  if (window == nullptr) return std::nullopt;
  // A process that was stopped goes on where it was: what was lent to it is looked at again right here.
  if (state.has_surplus && !state.keeper->SurplusIsValid()) return TooManyRequests(state.limit, 0);
  const quota::Admission admission = window->Admit(now);
  if (admission.admitted) return std::nullopt;
  return TooManyRequests(state.limit, admission.retry_in_micros);
}

Reply TooManyRequests(uint32_t requests_per_second, int64_t retry_in_micros) {
  int64_t seconds = std::max<int64_t>(1, (retry_in_micros + 999'999) / 1'000'000);
  std::string limit = std::to_string(requests_per_second);
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
