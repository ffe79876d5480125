#include "data-plane/route/compile.h"

#include <google/protobuf/text_format.h>

#include "catch2/catch.hpp"
#include "common/config/config.h"

namespace sluice {
namespace {

class NamedPlugin final : public Plugin {
 public:
  explicit NamedPlugin(std::string id) : id(std::move(id)) {}
  unsigned moments() const override { return kOnRequest; }
  const std::string id;
};

absl::StatusOr<std::unique_ptr<const Plugin>> MakeNamed(const google::protobuf::Message&, const PluginEnv& env) {
  return std::make_unique<NamedPlugin>(env.instance_id);
}
absl::StatusOr<std::unique_ptr<const Plugin>> Refuse(const google::protobuf::Message&, const PluginEnv&) {
  return absl::InvalidArgumentError("config.x: no");
}
constexpr PluginType kTypes[] = {{"rate-limiting", MakeNamed},  {"request-termination", MakeNamed},
                                 {"correlation-id", MakeNamed}, {"request-transformer", MakeNamed},
                                 {"key-auth", MakeNamed},       {"cors", Refuse}};

using Compiled = absl::StatusOr<std::shared_ptr<const Gateway>>;

Compiled Compile(const std::string& text, config::FleetRules rules = {},
                 std::shared_ptr<GatewayState> state = nullptr) {
  config::v1::GatewayConfig config;
  *config.mutable_plan() = config::ServerlessPlan();
  config.set_id("99999999-9999-4999-8999-999999999999");
  config.set_name("test");
  config.set_version(7);
  config.add_hosts("a.test");
  REQUIRE(google::protobuf::TextFormat::MergeFromString(text, &config));
  schema::Violations violations;
  config::Complete(config, violations);
  for (const auto& violation : violations.list()) FAIL(violation.field + ": " + violation.message);
  return Gateway::Compile(config, kTypes, rules, std::move(state));
}

std::shared_ptr<const Gateway> Compiles(const std::string& text, config::FleetRules rules = {},
                                        std::shared_ptr<GatewayState> state = nullptr) {
  Compiled gateway = Compile(text, std::move(rules), std::move(state));
  if (!gateway.ok()) FAIL(gateway.status().ToString());
  return *gateway;
}

std::string Id(int digit) {
  return "0000000" + std::to_string(digit) + "-0000-4000-8000-000000000000";
}

const std::string kService = R"(services { id: "00000001-0000-4000-8000-000000000000" name: "s" host: "Up.Test" }
  routes { id: "00000002-0000-4000-8000-000000000000" name: "r" service: "s" paths: "/" }
  consumers { id: "00000003-0000-4000-8000-000000000000" username: "ann" })";

// The ids of a chain's candidates, "name: id id; name: id".
std::string Text(const Chain& chain) {
  std::string text;
  for (const ChainStep& step : chain) {
    text += std::string(step.name) + ":";
    for (const auto& c : step.candidates) text += " " + static_cast<const NamedPlugin*>(c.plugin)->id.substr(7, 1);
    text += "; ";
  }
  return text;
}

std::string PluginText(int digit, std::string_view name, std::string_view scope) {
  std::string config;
  if (name == "rate-limiting") config = R"(config { fields { key: "minute" value { number_value: 5 } } })";
  return "plugins { id: \"" + Id(digit) + "\" name: \"" + std::string(name) + "\" " + std::string(scope) + config +
         " }";
}

TEST_CASE("a compiled gateway routes to its service") {
  auto gateway = Compiles(kService);
  const Match match = gateway->FindRoute({.method = "GET", .host = "a.test", .port = 80, .path = "/x"});
  REQUIRE(match.route != nullptr);
  CHECK(match.route->name == "r");
  CHECK(match.route->service->host == "up.test");
  CHECK(match.route->service->port == 80);
  CHECK(match.route->service->read_timeout == std::chrono::seconds(60));
  CHECK(gateway->version() == 7);
  CHECK(gateway->hosts() == std::vector<std::string>{"a.test"});
}

TEST_CASE("a service that is named like an upstream is balanced over its targets") {
  auto gateway = Compiles(R"(upstreams { name: "up.test" host_header: "h.test" }
    targets { upstream: "up.test" target: "one.test" }
    targets { upstream: "up.test" target: "8.8.8.8:99" weight: 0 })" +
                              kService,
                          {.egress_allow = {*egress::ParseRange("8.8.8.8")}});
  const Service* service = gateway->FindRoute({.method = "GET", .host = "a.test", .path = "/"}).route->service;
  REQUIRE(service->upstream != nullptr);
  CHECK(service->upstream->host_header == "h.test");
  REQUIRE(service->upstream->targets.size() == 2);
  const bool one_first = service->upstream->targets[0].host == "one.test";
  const Target& one = service->upstream->targets[one_first ? 0 : 1];
  const Target& two = service->upstream->targets[one_first ? 1 : 0];
  CHECK((one.host == "one.test" && one.port == 8000 && one.weight == 100));
  CHECK((two.host == "8.8.8.8" && two.port == 99 && two.weight == 0));
}

TEST_CASE("routes of a disabled service are not there") {
  auto gateway = Compiles(
      R"(services { name: "off" host: "up.test" enabled: false } routes { service: "off" paths: "/off" })" + kService);
  CHECK(gateway->FindRoute({.method = "GET", .host = "a.test", .path = "/off"}).route->name == "r");
}

TEST_CASE("a route without a service matches all the same") {
  auto gateway = Compiles(R"(routes { name: "alone" paths: "/" })");
  CHECK(gateway->FindRoute({.method = "GET", .host = "a.test", .path = "/"}).route->service == nullptr);
}

TEST_CASE("a key is found by itself, and not by its hash") {
  auto gateway = Compiles(kService + R"(key_auths { consumer: "ann" key: "secret" ttl: 10 updated_at: 100 })");
  REQUIRE(gateway->FindKey("secret") != nullptr);
  CHECK(gateway->FindKey("secret")->consumer->username == "ann");
  CHECK(gateway->FindKey("secret")->expires_at == 110);
  CHECK(gateway->FindKey("sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b") == nullptr);
  CHECK(gateway->FindKey("") == nullptr);
}

TEST_CASE("consumers are found by id and by username") {
  auto gateway = Compiles(kService);
  REQUIRE(gateway->FindConsumer("ann") != nullptr);
  CHECK(gateway->FindConsumer("ann") == gateway->FindConsumer(Id(3)));
  CHECK(gateway->FindConsumer("bob") == nullptr);
}

TEST_CASE("instances of a plugin stand in the order of precedence") {
  const std::string r = "route: \"r\" ", s = "service: \"s\" ", c = "consumer: \"ann\" ";
  std::string text = kService;
  const std::string scopes[] = {"", s, r, c, r + s, s + c, r + c, r + s + c};
  for (int i = 0; i < 8; ++i) text += PluginText(i + 1, "rate-limiting", scopes[i]);
  auto gateway = Compiles(text);
  const Route* route = gateway->FindRoute({.method = "GET", .host = "a.test", .path = "/"}).route;
  CHECK(Text(route->chain()) == "rate-limiting: 8 7 6 5 4 3 2 1; ");
  CHECK(route->chain()[0].candidates[0].consumer == gateway->FindConsumer("ann"));
  CHECK(route->chain()[0].candidates[3].consumer == nullptr);
  CHECK(Text(gateway->global_chain()) == "rate-limiting: 1; ");
}

TEST_CASE("plugins of other routes and services stay out of a chain") {
  auto gateway =
      Compiles(kService + R"(services { name: "s2" host: "up.test" } routes { name: "r2" paths: "/2" service: "s2" })" +
               PluginText(1, "rate-limiting", "service: \"s2\"") + PluginText(2, "rate-limiting", "route: \"r2\""));
  CHECK(Text(gateway->FindRoute({.method = "GET", .host = "a.test", .path = "/"}).route->chain()) == "");
  CHECK(Text(gateway->FindRoute({.method = "GET", .host = "a.test", .path = "/2"}).route->chain()) ==
        "rate-limiting: 2 1; ");
}

TEST_CASE("steps go by priority, highest first, and disabled plugins are none") {
  auto gateway = Compiles(kService + PluginText(1, "request-termination", "") + PluginText(2, "rate-limiting", "") +
                          PluginText(3, "correlation-id", "") + PluginText(4, "key-auth", "enabled: false"));
  CHECK(Text(gateway->global_chain()) == "correlation-id: 3; rate-limiting: 2; request-termination: 1; ");
}

TEST_CASE("steps of one priority go by name, from the end of the alphabet") {
  const NamedPlugin one("0000000a"), two("0000000b");
  ChainBuilder builder;
  builder.Add({.name = "alpha", .priority = 5, .plugin = &one});
  builder.Add({.name = "beta", .priority = 5, .plugin = &two});
  CHECK(Text(builder.Global()) == "beta: b; alpha: a; ");
}

TEST_CASE("an instance knows the protocols it is for") {
  auto gateway = Compiles(kService + PluginText(1, "rate-limiting", "protocols: \"https\" "));
  const Protocols& protocols = gateway->global_chain()[0].candidates[0].protocols;
  CHECK(protocols.For(true, false));
  CHECK_FALSE(protocols.For(false, false));
  CHECK_FALSE(protocols.For(true, true));
}

TEST_CASE("what is refused is refused with its field and reason, and changes no limit") {
  auto state = std::make_shared<GatewayState>();
  const Compiled denied = Compile(R"(services { name: "s" host: "127.0.0.1" })", {}, state);
  REQUIRE_FALSE(denied.ok());
  CHECK(std::string(denied.status().message()).starts_with("services[s].host: "));
  CHECK(ReasonOf(denied.status()) == "EGRESS_DENIED");
  CHECK(state->window() == nullptr);
}

TEST_CASE("a plugin that cannot be built is refused with its name") {
  const Compiled refused = Compile(kService + PluginText(1, "cors", ""));
  REQUIRE_FALSE(refused.ok());
  CHECK(std::string(refused.status().message()) == "plugins[" + Id(1) + "]: config.x: no");
}

TEST_CASE("a plugin that this node does not have is refused") {
  const Compiled refused = Compile(kService + PluginText(1, "ip-restriction", R"(config { fields { key: "deny"
    value { list_value { values { string_value: "10.0.0.1" } } } } })"));
  REQUIRE_FALSE(refused.ok());
  CHECK(ReasonOf(refused.status()) == "NOT_YET_SUPPORTED");
}

TEST_CASE("a new version keeps the window of the version before") {
  auto state = std::make_shared<GatewayState>();
  auto before = Compiles(kService, {}, state);
  auto window = state->window();
  Compiles(kService, {}, state);
  CHECK(state->window() == window);
}

TEST_CASE("the plan and the operator open addresses, and the platform's stay closed") {
  auto gateway =
      Compiles(R"(plan { egress_allow: "10.0.0.0/8" })",
               {.egress_allow = {*egress::ParseRange("127.0.0.1:9000")}, .protect = {*egress::ParseRange("10.0.0.1")}});
  CHECK(gateway->egress().Check(*egress::ParseAddress("10.0.0.2"), 80).allowed);
  CHECK(gateway->egress().Check(*egress::ParseAddress("127.0.0.1"), 9000).allowed);
  CHECK_FALSE(gateway->egress().Check(*egress::ParseAddress("10.0.0.1"), 80).allowed);
}

}  // namespace
}  // namespace sluice
