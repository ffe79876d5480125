#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "common/config/rules.h"
#include "common/schema/text.h"
#include "common/schema/url.h"

namespace sluice::config {
namespace {

using schema::Cat;

// Names are resolved by the nodes, and what they resolve to is checked there; what is known now is refused now.
void CheckHost(Checkup& checkup, absl::FunctionRef<std::string()> field, std::string host, uint16_t port) {
  host = schema::Lower(host);
  if (egress::LooksNumeric(host)) {
    return checkup.violations.Add(
        field(), "this notation of an address is not accepted; write it as in 192.0.2.1 or 2001:db8::1",
        "EGRESS_DENIED");
  }
  std::string_view name = host;
  if (name.ends_with('.')) name.remove_suffix(1);
  const bool local = name == "localhost" || name.ends_with(".localhost");
  const auto address = egress::ParseAddress(local ? "127.0.0.1" : host);
  if (!address.ok()) return;
  const egress::Decision decision = checkup.policy.Check(*address, port);
  if (decision.allowed) return;
  const std::string shown = address->ToString();
  std::string message = Cat(schema::JoinHostPort(shown, port), " may not be reached (", decision.rule, "); ");
  if (decision.rule == "platform" || decision.rule == "metadata") {
    message += "nobody can allow it";
  } else {
    const std::string range = schema::JoinHostPort(shown, port);
    message += Cat("an operator allows it with --egress-allow ", range, ", or with egress_allow in the gateway's plan");
  }
  checkup.violations.Add(field(), message, "EGRESS_DENIED");
}

// The configuration fields of plugins that hold a URL which nodes connect to.
struct Endpoint {
  std::string_view plugin;
  std::string_view field;
};
constexpr Endpoint kEndpoints[] = {{"http-log", "http_endpoint"}};

}  // namespace

void CheckEgress(Checkup& checkup) {
  const v1::GatewayConfig& config = checkup.config;
  absl::flat_hash_set<std::string> upstreams;
  for (const v1::Upstream& upstream : config.upstreams()) upstreams.insert(schema::Lower(upstream.name()));
  for (int i = 0; i < config.services_size(); ++i) {
    const v1::Service& service = config.services(i);
    if (upstreams.contains(schema::Lower(service.host()))) continue;  // its targets are checked
    const auto field = [&] { return checkup.Path("service", i, "host"); };
    CheckHost(checkup, field, service.host(), static_cast<uint16_t>(service.port()));
  }
  for (int i = 0; i < config.targets_size(); ++i) {
    const auto target = schema::ParseHostPort(config.targets(i).target());
    if (!target) continue;
    const auto field = [&] { return checkup.Path("target", i, "target"); };
    CheckHost(checkup, field, target->host, target->port.value_or(0));
  }
  for (int i = 0; i < config.plugins_size(); ++i) {
    const v1::Plugin& plugin = config.plugins(i);
    for (const Endpoint& endpoint : kEndpoints) {
      if (plugin.name() != endpoint.plugin) continue;
      const auto found = plugin.config().fields().find(std::string(endpoint.field));
      if (found == plugin.config().fields().end()) continue;
      const auto url = schema::ParseUrl(found->second.string_value());
      const auto field_of = [&] { return checkup.Path("plugin", i, Cat("config.", endpoint.field)); };
      if (url) CheckHost(checkup, field_of, url->host, url->port);
    }
  }
}

}  // namespace sluice::config
