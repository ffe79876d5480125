// Random configurations, there and back. A failure prints the seed that repeats it.

#include <random>

#include "catch2/catch.hpp"
#include "tests/common/config/support.h"

namespace sluice::config {
namespace {

// Valid configurations of a few entities of every kind, with and without names.
class Random {
 public:
  explicit Random(uint32_t seed) : engine_(seed) {}

  v1::GatewayConfig Gateway() {
    v1::GatewayConfig config;
    *config.mutable_plan() = ServerlessPlan();
    for (int i = Below(4); i > 0; --i) Service(config, i);
    for (int i = Below(6); i > 0; --i) Route(config, i);
    for (int i = Below(4); i > 0; --i) Consumer(config, i);
    for (int i = Below(3); i > 0; --i) Upstream(config, i);
    Plugins(config);
    return config;
  }

 private:
  int Below(int bound) { return static_cast<int>(engine_() % static_cast<uint32_t>(bound)); }
  bool Coin() { return Below(2) == 0; }
  std::string Uuid() {
    constexpr const char* kDigits = "0123456789abcdef";
    std::string out = "xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx";
    for (char& c : out) c = c == 'x' ? kDigits[Below(16)] : c;
    return out;
  }

  void Service(v1::GatewayConfig& config, int number) {
    auto& service = *config.add_services();
    service.set_id(Uuid());
    if (Coin()) service.set_name("s" + std::to_string(number));
    service.set_host(Coin() ? "a.test" : "u1");
    if (Coin()) service.set_port(1 + Below(65535));
    if (Coin()) service.set_retries(Below(32768));
    if (Coin()) service.set_protocol("https");
    if (Coin()) service.set_path("/base");
    if (Coin()) service.add_tags("t" + std::to_string(Below(9)));
    if (Coin()) service.set_enabled(Coin());
  }

  void Route(v1::GatewayConfig& config, int number) {
    auto& route = *config.add_routes();
    route.set_id(Uuid());
    if (Coin()) route.set_name("r" + std::to_string(number));
    if (config.services_size() > 0 && Coin()) route.set_service(config.services(Below(config.services_size())).id());
    route.add_paths(Coin() ? "/p" + std::to_string(Below(100)) : "~/[0-9]{" + std::to_string(Below(9)) + "}");
    if (Coin()) route.add_hosts("*.h.test");
    if (Coin()) route.add_methods("GET");
    if (Coin()) (*route.mutable_headers())["x-" + std::to_string(Below(3))].add_values("v");
    if (Coin()) route.set_strip_path(Coin());
    if (Coin()) route.set_regex_priority(Below(10));
    if (Coin()) route.add_protocols(Coin() ? "http" : "https");
  }

  void Consumer(v1::GatewayConfig& config, int number) {
    auto& consumer = *config.add_consumers();
    consumer.set_id(Uuid());
    const bool username = Coin();
    if (username) consumer.set_username("name " + std::to_string(number));
    if (!username || Coin()) consumer.set_custom_id("custom " + std::to_string(number));
    for (int i = Below(3); i > 0; --i) {
      auto& credential = *config.add_key_auths();
      credential.set_id(Uuid());
      credential.set_consumer(consumer.id());
      credential.set_key(HashKey(Uuid()));
      if (Coin()) credential.set_ttl(1 + Below(1000));
    }
  }

  void Upstream(v1::GatewayConfig& config, int number) {
    auto& upstream = *config.add_upstreams();
    upstream.set_id(Uuid());
    upstream.set_name("u" + std::to_string(number));
    if (Coin()) upstream.set_slots(10 + Below(100));
    for (int i = Below(3); i > 0; --i) {
      auto& target = *config.add_targets();
      target.set_id(Uuid());
      target.set_upstream(upstream.id());
      target.set_target("t" + std::to_string(i) + ".test:" + std::to_string(1 + Below(65535)));
      if (Coin()) target.set_weight(Below(65536));
    }
  }

  // One rate limit for each scope that the dice choose.
  void Plugins(v1::GatewayConfig& config) {
    for (int service = -1; service < config.services_size(); ++service) {
      for (int route = -1; route < config.routes_size(); ++route) {
        for (int consumer = -1; consumer < config.consumers_size(); ++consumer) {
          if (Below(4) > 0) continue;
          auto& plugin = *config.add_plugins();
          plugin.set_id(Uuid());
          plugin.set_name("rate-limiting");
          (*plugin.mutable_config()->mutable_fields())["hour"].set_number_value(1 + Below(1000));
          if (Coin()) (*plugin.mutable_config()->mutable_fields())["hide_client_headers"].set_bool_value(Coin());
          if (service >= 0) plugin.set_service(config.services(service).id());
          if (route >= 0) plugin.set_route(config.routes(route).id());
          if (consumer >= 0) plugin.set_consumer(config.consumers(consumer).id());
        }
      }
    }
  }

  std::mt19937 engine_;
};

TEST_CASE("any valid configuration survives being written and read") {
  for (uint32_t seed = 1; seed <= 200; ++seed) {
    INFO("seed " << seed);
    v1::GatewayConfig config = Random(seed).Gateway();
    schema::Violations violations;
    Complete(config, violations);
    Validate(config, {}, violations);
    REQUIRE(Text(violations) == "");
    REQUIRE(Text(Changes(config, WriteDocument(config))) == "");
  }
}

TEST_CASE("removing any entity leaves nothing but dangling references") {
  for (uint32_t seed = 1; seed <= 50; ++seed) {
    INFO("seed " << seed);
    v1::GatewayConfig config = Random(seed).Gateway();
    schema::Violations violations;
    Complete(config, violations);
    const auto entities = EntitiesOf(config);
    if (entities.empty()) continue;
    const auto& gone = entities[seed % entities.size()];
    REQUIRE(RemoveEntity(config, KindOf(gone), IdOf(gone)));
    Validate(config, {}, violations);
    for (const auto& violation : violations.list()) CHECK(violation.reason == "DANGLING_REFERENCE");
  }
}

}  // namespace
}  // namespace sluice::config
