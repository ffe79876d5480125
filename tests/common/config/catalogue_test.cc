#include <algorithm>
#include <fstream>
#include <set>

#include "catch2/catch.hpp"
#include "common/config/plugin_catalogue.h"

namespace sluice::config {
namespace {

std::vector<std::string> KnownNames() {
  std::ifstream in("tests/support/kong_schemas/names.txt");
  std::vector<std::string> names;
  for (std::string name; std::getline(in, name);) names.push_back(name);
  return names;
}

TEST_CASE("the catalogue has every known plugin name, sorted, and no other") {
  std::vector<std::string> names;
  for (const PluginEntry& entry : PluginCatalogue()) names.emplace_back(entry.name);
  CHECK(names == KnownNames());
  CHECK(names.size() == 119);
}

TEST_CASE("ten plugins are supported") {
  std::set<std::string> supported;
  for (const PluginEntry& entry : PluginCatalogue()) {
    if (entry.support == PluginSupport::kSupported) supported.emplace(entry.name);
  }
  CHECK(supported == std::set<std::string>{"correlation-id", "cors", "http-log", "ip-restriction", "key-auth",
                                           "rate-limiting", "request-size-limiting", "request-termination",
                                           "request-transformer", "response-transformer"});
}

TEST_CASE("a supported plugin has a message, a priority and nothing to excuse") {
  for (const PluginEntry& entry : PluginCatalogue()) {
    if (entry.support != PluginSupport::kSupported) continue;
    INFO(entry.name);
    CHECK(entry.config != nullptr);
    CHECK(entry.priority > 0);
    CHECK((entry.reason.empty() && entry.instead.empty()));
  }
}

TEST_CASE("a refused plugin has a reason and a sentence that helps on") {
  static const std::set<std::string_view> kReasons = {"LOCAL_AGENT", "STATUS_API", "TLS_HANDSHAKE",
                                                      "NOT_ON_SERVERLESS"};
  for (const PluginEntry& entry : PluginCatalogue()) {
    if (entry.support == PluginSupport::kSupported) continue;
    INFO(entry.name);
    CHECK((entry.support == PluginSupport::kNotYet) == (entry.reason == "NOT_YET_SUPPORTED"));
    CHECK((entry.support == PluginSupport::kRestricted) == kReasons.contains(entry.reason));
    CHECK((entry.instead.size() > 20 && entry.instead.ends_with('.')));
    CHECK(entry.config == nullptr);
  }
}

TEST_CASE("priorities and consumer scopes are Kong's") {
  CHECK(FindPlugin("correlation-id")->priority == 100001);
  CHECK(FindPlugin("cors")->priority == 2000);
  CHECK(FindPlugin("key-auth")->priority == 1250);
  CHECK(FindPlugin("ip-restriction")->priority == 990);
  CHECK(FindPlugin("request-size-limiting")->priority == 951);
  CHECK(FindPlugin("rate-limiting")->priority == 910);
  CHECK(FindPlugin("request-transformer")->priority == 801);
  CHECK(FindPlugin("response-transformer")->priority == 800);
  CHECK(FindPlugin("http-log")->priority == 12);
  CHECK(FindPlugin("request-termination")->priority == 2);
  CHECK((FindPlugin("key-auth")->no_consumer && FindPlugin("cors")->no_consumer));
  CHECK_FALSE(FindPlugin("rate-limiting")->no_consumer);
}

TEST_CASE("plugins that need the host are refused for what they need") {
  CHECK(FindPlugin("file-log")->reason == "LOCAL_AGENT");
  CHECK(FindPlugin("prometheus")->reason == "STATUS_API");
  CHECK(FindPlugin("mtls-auth")->reason == "TLS_HANDSHAKE");
  CHECK(FindPlugin("oauth2")->reason == "NOT_ON_SERVERLESS");
  CHECK(FindPlugin("jwt")->reason == "NOT_YET_SUPPORTED");
}

TEST_CASE("a name nobody knows is not found") {
  CHECK(FindPlugin("key-auth2") == nullptr);
  CHECK(FindPlugin("") == nullptr);
  CHECK(FindPlugin("zzz") == nullptr);
}

}  // namespace
}  // namespace sluice::config
