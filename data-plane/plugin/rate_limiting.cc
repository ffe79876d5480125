#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "data-plane/plugin/builtin.h"
#include "data-plane/plugin/calendar.h"
#include "data-plane/plugin/exchange.h"
#include "data-plane/route/counters.h"
#include "sluice/plugins/v1/rate_limiting.pb.h"

namespace sluice::plugins {
namespace {

// Longer identifiers are counted under their SHA-256, so that clients do not decide how much memory a key takes.
constexpr size_t kMaxIdentifierBytes = 64;

struct Limit {
  Period period;
  int64_t requests;
};

std::string_view LimitField(Period period) {
  static constexpr std::string_view kNames[] = {"X-RateLimit-Limit-Second", "X-RateLimit-Limit-Minute",
                                                "X-RateLimit-Limit-Hour",   "X-RateLimit-Limit-Day",
                                                "X-RateLimit-Limit-Month",  "X-RateLimit-Limit-Year"};
  return kNames[static_cast<int>(period)];
}

std::string_view RemainingField(Period period) {
  static constexpr std::string_view kNames[] = {"X-RateLimit-Remaining-Second", "X-RateLimit-Remaining-Minute",
                                                "X-RateLimit-Remaining-Hour",   "X-RateLimit-Remaining-Day",
                                                "X-RateLimit-Remaining-Month",  "X-RateLimit-Remaining-Year"};
  return kNames[static_cast<int>(period)];
}

std::vector<Limit> LimitsOf(const v1::RateLimiting& config) {
  std::vector<Limit> limits;
  if (config.has_second()) limits.push_back({Period::kSecond, config.second()});
  if (config.has_minute()) limits.push_back({Period::kMinute, config.minute()});
  if (config.has_hour()) limits.push_back({Period::kHour, config.hour()});
  if (config.has_day()) limits.push_back({Period::kDay, config.day()});
  if (config.has_month()) limits.push_back({Period::kMonth, config.month()});
  if (config.has_year()) limits.push_back({Period::kYear, config.year()});
  return limits;
}

class RateLimiting final : public Plugin {
 public:
  RateLimiting(const v1::RateLimiting& config, const PluginEnv& env)
      : config_(config), instance_id_(env.instance_id), state_(env.state), limits_(LimitsOf(config)) {}

  unsigned moments() const override {
    return config_.hide_client_headers() ? kOnRequest : kOnRequest | kOnResponse;
  }

  io::Task<Verdict> OnRequest(Exchange& exchange) const override {
    const int64_t now = UnixSeconds(exchange.worker().clock().WallNow());
    std::array<Counters::Window, Counters::kMaxWindows> windows;
    for (size_t i = 0; i < limits_.size(); ++i) {
      const CalendarWindow window = WindowAt(limits_[i].period, now);
      windows[i] = {.start = window.start, .end = window.end, .limit = static_cast<double>(limits_[i].requests)};
    }
    std::optional<Counters::Outcome> outcome =
        state_->plugin_counters().CountIfBelow(Key(exchange), windows.data(), limits_.size());
    if (!outcome.has_value()) {
      if (config_.fault_tolerant()) return Verdict();
      return Reply::Message(500, "An unexpected error occurred");
    }
    const int64_t reset = Remember(exchange, *outcome, windows, now);
    if (outcome->admitted) return Verdict();
    Reply reply = Reply::Message(config_.error_code(), config_.error_message());
    if (!config_.hide_client_headers()) reply.fields.Add("Retry-After", std::to_string(reset));
    return reply;
  }

  void OnResponse(Exchange& exchange, http::ResponseHead& head) const override {
    for (const Exchange::Note& note : exchange.notes) {
      if (note.plugin == this) head.fields.Set(note.name, note.value);
    }
  }

 private:
  // Notes what the response will tell; returns the seconds until the most restrictive window ends, at least 1.
  int64_t Remember(Exchange& exchange, const Counters::Outcome& outcome,
                   const std::array<Counters::Window, Counters::kMaxWindows>& windows, int64_t now) const {
    size_t tightest = 0;
    std::array<int64_t, Counters::kMaxWindows> remaining{};
    for (size_t i = 0; i < limits_.size(); ++i) {
      remaining[i] = std::max<int64_t>(0, limits_[i].requests - outcome.used[i]);
      if (remaining[i] <= remaining[tightest]) tightest = i;  // of equal ones the longer
    }
    const int64_t reset = std::max<int64_t>(1, windows[tightest].end - now);
    if (config_.hide_client_headers()) return reset;
    auto note = [&](std::string_view name, int64_t value) {
      exchange.notes.push_back({this, name, std::to_string(value)});
    };
    exchange.notes.reserve(exchange.notes.size() + 2 * limits_.size() + 3);
    for (size_t i = 0; i < limits_.size(); ++i) {
      note(LimitField(limits_[i].period), limits_[i].requests);
      note(RemainingField(limits_[i].period), remaining[i]);
    }
    note("RateLimit-Limit", limits_[tightest].requests);
    note("RateLimit-Remaining", remaining[tightest]);
    note("RateLimit-Reset", reset);
    return reset;
  }

  // What is counted apart, with a letter in front that keeps the kinds apart; the client's address where there is none.
  std::string Key(const Exchange& exchange) const {
    const auto key = [this](std::string_view kind, std::string_view identifier) {
      std::string joined;
      joined.reserve(instance_id_.size() + kind.size() + identifier.size());
      return joined.append(instance_id_).append(kind).append(identifier);
    };
    const std::string& by = config_.limit_by();
    if (by == "consumer" && exchange.consumer != nullptr) return key("c", exchange.consumer->id);
    if (by == "credential" && !exchange.credential_id.empty()) return key("k", exchange.credential_id);
    if (by == "service" && exchange.service != nullptr) return key("s", exchange.service->id);
    if (by == "path" && exchange.path == config_.path()) return key("p", "");
    if (by == "header") {
      const std::string_view* value = exchange.request.fields.Find(config_.header_name());
      if (value != nullptr) return key("h", Short(*value));
    }
    return key("i", exchange.client.ip);
  }

  static std::string Short(std::string_view value) {
    if (value.size() <= kMaxIdentifierBytes) return std::string(value);
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256(reinterpret_cast<const unsigned char*>(value.data()), value.size(), digest);
    // Longer than any value that is kept as it is.
    return std::string(reinterpret_cast<const char*>(digest), sizeof digest) + std::string(kMaxIdentifierBytes, '#');
  }

  const v1::RateLimiting config_;
  const std::string instance_id_;
  const std::shared_ptr<GatewayState> state_;
  const std::vector<Limit> limits_;
};

}  // namespace

Made MakeRateLimiting(const Message& config, const PluginEnv& env) {
  const auto& typed = As<v1::RateLimiting>(config);
  if (LimitsOf(typed).empty()) return absl::InvalidArgumentError("second: at least one period is needed");
  return std::make_unique<RateLimiting>(typed, env);
}

}  // namespace sluice::plugins
