// Changing a gateway's configuration through the command line client.

#include "catch2/catch.hpp"
#include "tests/integration/platform.h"

namespace sluice::test {
namespace {

constexpr char kRich[] = R"yaml(
_format_version: "3.0"
services:
- name: echo
  url: UPSTREAM
  tags: [team-a]
  retries: 2
  routes:
  - name: anything
    paths: ["/anything", "~/v[0-9]+/(?P<id>[a-z]+)"]
    methods: [GET, POST]
    strip_path: false
    plugins:
    - name: correlation-id
      config: {header_name: X-Correlation-Id, generator: uuid, echo_downstream: true}
  - name: private
    paths: ["/private"]
    plugins:
    - name: key-auth
consumers:
- username: alice
  keyauth_credentials:
  - key: alice-secret-key
upstreams:
- name: pool.internal
  targets:
  - target: 192.0.2.10:80
    weight: 10
plugins:
- name: cors
  config: {origins: ["https://app.example.com"]}
)yaml";

std::string VersionOf(Platform& platform, const std::string& gateway) {
  const std::string json = platform.Ok({"gateway", "get", gateway, "-o", "json"});
  const size_t at = json.find("\"version\"");
  return json.substr(at, json.find_first_of(",}\n", at) - at);
}

// 192.0.2.10 is not public; the document for these tests names the demo upstream's address instead.
std::string Rich(const Platform& platform) {
  std::string document = kRich;
  const std::string target = "192.0.2.10:80";
  document.replace(document.find(target), target.size(), "127.0.0.1:" + std::to_string(platform.upstream_port()));
  return document;
}

TEST_CASE("a document applies, differs in nothing from what it made, and its dump applies without a change") {
  Platform platform;
  platform.Serve("shop", Rich(platform));
  const std::string version = VersionOf(platform, "shop");
  CHECK(platform.Sluice({"diff", "-g", "shop", "-f", "-"}, platform.WithUpstream(Rich(platform))).exit_code == 0);
  const std::string dump = platform.Ok({"dump", "-g", "shop"});
  CHECK(dump.find("alice-secret-key") == std::string::npos);
  const Finished diff = platform.Sluice({"diff", "-g", "shop", "-f", "-"}, dump);
  INFO(dump << diff.out << diff.err);
  CHECK(diff.exit_code == 0);
  platform.Ok({"apply", "-g", "shop", "-f", "-"}, dump);
  CHECK(VersionOf(platform, "shop") == version);
}

TEST_CASE("a difference makes diff exit with 2, and a dry run changes nothing") {
  Platform platform;
  platform.Serve("shop", Rich(platform));
  const std::string version = VersionOf(platform, "shop");
  const std::string empty = "_format_version: \"3.0\"\n";
  CHECK(platform.Sluice({"diff", "-g", "shop", "-f", "-"}, empty).exit_code == 2);
  platform.Ok({"apply", "-g", "shop", "-f", "-", "--dry-run"}, empty);
  CHECK(VersionOf(platform, "shop") == version);
  CHECK(platform.Connect().Get("shop.gw.localhost", "/anything").status == 200);
}

TEST_CASE("a plugin that needs the host is refused by name, with the reason and the line, and changes nothing") {
  Platform platform;
  platform.Serve("shop", Rich(platform));
  const std::string version = VersionOf(platform, "shop");
  WriteFile(platform.state() + "/log.yaml",
            "_format_version: \"3.0\"\nplugins:\n- name: file-log\n  config: {path: /tmp/x}\n");
  const Finished refused = platform.Sluice({"apply", "-g", "shop", "-f", platform.state() + "/log.yaml"});
  INFO(refused.err);
  CHECK(refused.exit_code == 1);
  CHECK(refused.err.find("LOCAL_AGENT") != std::string::npos);
  CHECK(refused.err.find("log.yaml:3:") != std::string::npos);
  CHECK(VersionOf(platform, "shop") == version);
}

TEST_CASE("every mistake of a document is told at once, with its line and field, and changes nothing") {
  Platform platform;
  platform.Serve("shop", Rich(platform));
  const std::string version = VersionOf(platform, "shop");
  const Finished refused = platform.Sluice({"apply", "-g", "shop", "-f", "-"}, R"yaml(_format_version: "3.0"
services:
- name: echo
  host: example.com
  port: 99999
  retires: 3
  connect_timeout: soon
routes:
- name: dangling
  paths: ["/x"]
  service: nobody
- name: regex
  paths: ["~/(unclosed"]
- name: regex
  paths: ["/y"]
)yaml");
  INFO(refused.err);
  CHECK(refused.exit_code == 1);
  for (const char* told :
       {"services[0].port", "services[0].retires", "services[0].connect_timeout", "routes[0].service",
        "routes[1].paths[0]", "routes[2].name", ":5:", ":6:", ":7:", ":11:", ":13:"}) {
    INFO(told);
    CHECK(refused.err.find(told) != std::string::npos);
  }
  CHECK(VersionOf(platform, "shop") == version);
}

TEST_CASE("versions are kept with their author and message, newest first") {
  Platform platform;
  platform.Serve("shop", Rich(platform));
  platform.Ok({"apply", "-g", "shop", "-f", "-", "-m", "close the shop"}, "_format_version: \"3.0\"\n");
  const std::string versions = platform.Ok({"versions", "-g", "shop"});
  INFO(versions);
  CHECK(versions.find("close the shop") != std::string::npos);
  CHECK(versions.find("3") < versions.find("\n1"));
}

TEST_CASE("what the platform decides cannot be asked for, and names follow the rule") {
  Platform platform;
  CHECK(platform.Sluice({"gateway", "create", "Shop!"}).exit_code == 1);
  CHECK(platform.Sluice({"gateway", "create", std::string(64, 'a')}).exit_code == 1);
  platform.Ok({"gateway", "create", std::string(63, 'a')});
  platform.Ok({"gateway", "create", "shop"});
  const Finished again = platform.Sluice({"gateway", "create", "shop"});
  CHECK(again.exit_code == 1);
  CHECK(again.err.find("shop") != std::string::npos);
  CHECK(platform.Sluice({"gateway", "get", "nobody"}).exit_code == 3);
}

TEST_CASE("a deleted gateway is unknown to the nodes, also on a connection that stays open") {
  Platform platform;
  platform.Serve("shop", Rich(platform));
  WireClient client = platform.Connect();
  CHECK(client.Get("shop.gw.localhost", "/anything").status == 200);
  platform.Ok({"gateway", "delete", "shop", "--yes"});
  REQUIRE(Eventually([&] { return client.Get("shop.gw.localhost", "/anything").status == 404; }));
}

TEST_CASE("a key opens a route and its absence does not, and a plan lifts the limit") {
  Platform platform;
  platform.Serve("shop", Rich(platform));
  CHECK(platform.Connect().Get("shop.gw.localhost", "/private").status == 401);
  CHECK(platform.Connect().Get("shop.gw.localhost", "/private/anything", "apikey: wrong\r\n").status == 401);
  CHECK(platform.Connect().Get("shop.gw.localhost", "/private/anything", "apikey: alice-secret-key\r\n").status == 200);
  platform.Ok({"plan", "set", "bench", "--requests-per-second", "0", "--max-body-bytes", "0"});
  platform.Ok({"gateway", "create", "fast", "--plan", "bench", "--wait"});
  platform.Apply("fast",
                 "_format_version: \"3.0\"\nroutes:\n- paths: [/]\n  plugins:\n  - name: request-termination\n");
  WireClient client = platform.Connect();
  for (int i = 0; i < 300; ++i) REQUIRE(client.Get("fast.gw.localhost", "/").status == 503);
}

}  // namespace
}  // namespace sluice::test
