#include "data-plane/route/compile_upstream.h"

#include <algorithm>
#include <map>

#include "common/schema/text.h"

namespace sluice {
namespace {

using Kind = HashInput::Kind;

Algorithm AlgorithmOf(const std::string& name) {
  if (name == "least-connections") return Algorithm::kLeastConnections;
  if (name == "consistent-hashing") return Algorithm::kConsistentHashing;
  if (name == "latency") return Algorithm::kLatency;
  return Algorithm::kRoundRobin;
}

CheckType CheckTypeOf(const std::string& name) {
  if (name == "tcp") return CheckType::kTcp;
  if (name == "https") return CheckType::kHttps;
  if (name == "grpc") return CheckType::kGrpc;
  if (name == "grpcs") return CheckType::kGrpcs;
  return CheckType::kHttp;
}

HashInput HashOn(const config::v1::Upstream& entity) {
  const std::string& on = entity.hash_on();
  if (on == "consumer") return {Kind::kConsumer, ""};
  if (on == "ip") return {Kind::kIp, ""};
  if (on == "header") return {Kind::kHeader, entity.hash_on_header()};
  if (on == "cookie") return {Kind::kCookie, entity.hash_on_cookie()};
  if (on == "path") return {Kind::kPath, ""};
  if (on == "query_arg") return {Kind::kQueryArgument, entity.hash_on_query_arg()};
  if (on == "uri_capture") return {Kind::kUriCapture, entity.hash_on_uri_capture()};
  return {};
}

// The same words, with the fallback's own names; the cookie has one name.
HashInput HashFallback(const config::v1::Upstream& entity) {
  config::v1::Upstream as_first;
  as_first.set_hash_on(entity.hash_fallback());
  as_first.set_hash_on_header(entity.hash_fallback_header());
  as_first.set_hash_on_cookie(entity.hash_on_cookie());
  as_first.set_hash_on_query_arg(entity.hash_fallback_query_arg());
  as_first.set_hash_on_uri_capture(entity.hash_fallback_uri_capture());
  return HashOn(as_first);
}

template <typename List>
std::vector<uint16_t> Statuses(const List& list) {
  std::vector<uint16_t> sorted(list.begin(), list.end());
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

// Active and passive checks have the same parts.
template <typename Checks>
HealthRule RuleOf(const Checks& checks) {
  return {.limits = {.successes = static_cast<uint8_t>(checks.healthy().successes()),
                     .http_failures = static_cast<uint8_t>(checks.unhealthy().http_failures()),
                     .tcp_failures = static_cast<uint8_t>(checks.unhealthy().tcp_failures()),
                     .timeouts = static_cast<uint8_t>(checks.unhealthy().timeouts())},
          .healthy_statuses = Statuses(checks.healthy().http_statuses()),
          .unhealthy_statuses = Statuses(checks.unhealthy().http_statuses())};
}

ActiveCheck CheckOf(const config::v1::ActiveChecks& active) {
  ActiveCheck check{.type = CheckTypeOf(active.type()),
                    .path = active.http_path(),
                    .server_name = schema::Lower(active.https_sni()),
                    .verify = !active.has_https_verify_certificate() || active.https_verify_certificate(),
                    .fields = {},
                    .timeout = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(active.timeout())),
                    .concurrency = static_cast<size_t>(std::max(1, active.concurrency())),
                    .healthy_interval = active.healthy().interval(),
                    .unhealthy_interval = active.unhealthy().interval()};
  const std::map<std::string, config::v1::StringList> sorted(active.headers().begin(), active.headers().end());
  for (const auto& [name, values] : sorted) {
    for (const std::string& value : values.values()) check.fields.emplace_back(name, value);
  }
  return check;
}

}  // namespace

Upstream CompileUpstream(const config::v1::Upstream& entity) {
  const config::v1::HealthChecks& checks = entity.healthchecks();
  return {.id = entity.id(),
          .name = entity.name(),
          .host_header = entity.host_header(),
          .targets = {},
          .algorithm = AlgorithmOf(entity.algorithm()),
          .hash_on = HashOn(entity),
          .hash_fallback = HashFallback(entity),
          .hash_cookie_path = entity.hash_on_cookie_path().empty() ? "/" : entity.hash_on_cookie_path(),
          .slots = static_cast<uint32_t>(entity.slots()),
          .health = {.active_rule = RuleOf(checks.active()),
                     .passive_rule = RuleOf(checks.passive()),
                     .active = CheckOf(checks.active()),
                     .passive_statuses = checks.passive().type() != "tcp",
                     .threshold = checks.threshold()}};
}

}  // namespace sluice
