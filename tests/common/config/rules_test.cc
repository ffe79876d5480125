// The rules of a valid gateway that concern routes, services, upstreams and consumers.

#include "catch2/catch.hpp"
#include "tests/common/config/support.h"

namespace sluice::config {
namespace {

std::string Route(const std::string& fields) {
  return Apply(R"("routes":[{"name":"r",)" + fields + "}]").text();
}
std::string Service(const std::string& fields) {
  return Apply(R"("services":[{"name":"s",)" + fields + "}]").text();
}

TEST_CASE("a route needs something to match") {
  CHECK(Route(R"("protocols":["http"])") ==
        "routes[0]: must set one of 'methods', 'hosts', 'headers', 'paths' when 'protocols' is 'http'");
  CHECK(Route(R"("methods":["GET"])").empty());
  CHECK(Route(R"("headers":{"x-a":["1"]})").empty());
}

TEST_CASE("server names match only where every protocol has TLS") {
  CHECK(Route(R"("protocols":["https"],"snis":["a.test"])").empty());
  CHECK(Route(R"("snis":["a.test"])") == "routes[0].snis: 'snis' can only be set when 'protocols' is 'https'");
}

TEST_CASE("protocols that are not served yet are refused one by one") {
  CHECK(Route(R"("protocols":["udp"],"paths":["/"])") ==
        "routes[0].protocols[0]: protocol 'udp' is not supported yet; these are: http, https, grpc, grpcs");
  CHECK(Apply(R"("routes":[{"protocols":["tcp"],"paths":["/"]}])").reason() == "NOT_YET_SUPPORTED");
  CHECK(Service(R"("host":"a.test","protocol":"tls")") ==
        "services[0].protocol: protocol 'tls' is not supported yet; these are: http, https, grpc, grpcs");
}

TEST_CASE("a route for gRPC matches by host, header or path, and keeps the path") {
  CHECK(Route(R"("protocols":["grpc","grpcs"],"paths":["/pkg.Service"])").empty());
  CHECK_FALSE(Good(R"("routes":[{"name":"r","protocols":["grpc"],"paths":["/"]}])").routes(0).strip_path());
  CHECK(Route(R"("protocols":["grpc"])") ==
        "routes[0]: must set one of 'hosts', 'headers', 'paths' when 'protocols' is 'grpc'");
  CHECK(Route(R"("protocols":["grpc"],"paths":["/"],"methods":["POST"])") ==
        "routes[0].methods: cannot set 'methods' when 'protocols' is 'grpc' or 'grpcs'");
  CHECK(Route(R"("protocols":["grpcs"],"paths":["/"],"strip_path":true)") ==
        "routes[0].strip_path: cannot set 'strip_path' when 'protocols' is 'grpc' or 'grpcs'");
}

TEST_CASE("server names match only gRPC that has TLS") {
  CHECK(Route(R"("protocols":["grpcs"],"paths":["/"],"snis":["a.test"])").empty());
  CHECK(Route(R"("protocols":["grpc","grpcs"],"paths":["/"],"snis":["a.test"])") ==
        "routes[0].snis: 'snis' can only be set when 'protocols' is 'grpcs'");
}

TEST_CASE("a service for gRPC has no path, and TLS settings only with grpcs") {
  CHECK(Service(R"("host":"a.test","protocol":"grpc")").empty());
  CHECK(Service(R"("host":"a.test","protocol":"grpcs","tls_verify":false)").empty());
  CHECK(Service(R"("host":"a.test","protocol":"grpc","path":"/p")") ==
        "services[0].path: value must be null when 'protocol' is 'grpc'");
  CHECK(Service(R"("host":"a.test","protocol":"grpc","tls_verify":true)") ==
        "services[0].tls_verify: value must be null when 'protocol' is 'grpc'");
}

TEST_CASE("protocols of different groups cannot be mixed") {
  CHECK(Route(R"("protocols":["http","grpc"],"paths":["/"],"strip_path":false)").find("routes[0].protocols: (") == 0);
  CHECK(Route(R"("protocols":["http","tcp"],"paths":["/"])").find("routes[0].protocols: ('http', 'https'), (") == 0);
}

TEST_CASE("a route's headers are not host, and a lone ~* value is a regex") {
  CHECK(Route(R"("headers":{"Host":["a"]})") ==
        "routes[0].headers.Host: cannot contain 'host' header, which must be specified in the 'hosts' attribute");
  CHECK(Route(R"("headers":{"x":["~*^a+$"]})").empty());
  CHECK(Route(R"("headers":{"x":["~*(a"]})") == "routes[0].headers.x[0]: invalid regex: missing ): (a at '(a'");
  CHECK(Route(R"("headers":{"a b":["1"]})").find("routes[0].headers.a b: ") == 0);
  for (int i = 0; i < 20; ++i) {  // the one that is named first does not depend on chance
    CHECK(Route(R"("headers":{"d d":[""],"a a":[""],"c c":[""],"b b":[""]})").find("routes[0].headers.a a: ") == 0);
  }
}

TEST_CASE("a hundred regexes may be in a gateway, not one more") {
  std::string routes;
  for (size_t i = 0; i < kMaxRegexes; ++i) routes += R"({"name":"r)" + std::to_string(i) + R"(","paths":["~/a"]},)";
  CHECK(Apply(R"("routes":[)" + routes + R"({"name":"plain","paths":["/a"]}])").text() == "");
  CHECK(Apply(R"("routes":[)" + routes + R"({"name":"more","paths":["~/a"]}])").text() ==
        "routes: there are 101 regexes, at most 100 are allowed in a gateway");
}

TEST_CASE("each regex of a route counts, not the route") {
  std::string paths = R"("~/0")";
  for (size_t i = 1; i < kMaxRegexes; ++i) paths += R"(,"~/)" + std::to_string(i) + '"';
  CHECK(Route(R"("paths":[)" + paths + "]").empty());
  CHECK(Route(R"("headers":{"x":["~*a"]},"paths":[)" + paths + "]") ==
        "routes: there are 101 regexes, at most 100 are allowed in a gateway");
}

TEST_CASE("regexes of origins count beside those of routes") {
  const auto with = [](size_t origins) {
    std::string list = R"("a.*")";
    for (size_t i = 1; i < origins; ++i) list += R"(,"a.*)" + std::to_string(i) + '"';
    return Apply(R"("routes":[{"name":"r","paths":["~/a"]}],"plugins":[{"name":"cors","config":{"origins":[)" + list +
                 "]}}]").text();
  };
  CHECK(with(kMaxRegexes - 1) == "");
  CHECK(with(kMaxRegexes) == "plugins: there are 101 regexes, at most 100 are allowed in a gateway");
}

TEST_CASE("TLS settings of a service need https") {
  CHECK(Service(R"("host":"a.test","tls_verify":true)") ==
        "services[0].tls_verify: value must be null when 'protocol' is 'http'");
  CHECK(Service(R"("host":"a.test","protocol":"https","tls_verify":true,"tls_verify_depth":2)").empty());
}

TEST_CASE("a service's url is expanded, its port that of the scheme") {
  const auto config = Good(R"("services":[{"name":"s","url":"https://A.test/base"}])");
  CHECK(config.services(0).protocol() == "https");
  CHECK(config.services(0).host() == "a.test");
  CHECK(config.services(0).port() == 443);
  CHECK(config.services(0).path() == "/base");
  CHECK_FALSE(config.services(0).has_url());
}

TEST_CASE("a service's url that is none is named alone") {
  CHECK(Service(R"("url":"a.test")") == "services[0].url: expected an absolute URL such as https://example.com/path");
}

TEST_CASE("an upstream's name is no address") {
  CHECK(Apply(R"("upstreams":[{"name":"10.0.0.1"}])").field() == "upstreams[0].name");
}

TEST_CASE("targets get their port, and are unique within their upstream") {
  const auto config =
      Good(R"("upstreams":[{"name":"u","targets":[{"target":"a.test"},{"target":"[2001:4860::1]:80"}]}])");
  std::string targets;
  for (const auto& target : config.targets()) targets += target.target() + " ";
  CHECK((targets == "a.test:8000 [2001:4860::1]:80 " || targets == "[2001:4860::1]:80 a.test:8000 "));
  CHECK(Apply(R"("upstreams":[{"name":"u","targets":[{"target":"a.test"},{"target":"a.test:8000"}]}])").text() ==
        "upstreams[0].targets[1].target: the upstream has a target 'a.test:8000' already");
}

TEST_CASE("a consumer has a username or a custom_id") {
  CHECK(Apply(R"("consumers":[{"tags":["a"]}])").text() ==
        "consumers[0]: at least one of these fields must be non-empty: 'custom_id', 'username'");
}

TEST_CASE("a consumer without username cannot go by another's username") {
  CHECK(Apply(R"("consumers":[{"username":"x"},{"custom_id":"x"}])").field() == "consumers[1].custom_id");
  CHECK(Apply(R"("consumers":[{"username":"x","custom_id":"x"}])").text() == "");
}

TEST_CASE("a name that is another entity's id is refused") {
  CHECK(Apply(R"("consumers":[{"id":"3a9c1d52-6d2f-4b8e-9a43-0f1e2d3c4b5a","username":"a"},
                               {"username":"3a9c1d52-6d2f-4b8e-9a43-0f1e2d3c4b5a"}])")
            .text() == "consumers[1]: its name is the id of another consumer");
}

TEST_CASE("keys are kept as their hash, and a hash is taken as it is") {
  const std::string hash = "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";
  CHECK(HashKey("foo") == hash);
  const std::string consumer = R"("consumers":[{"username":"c","keyauth_credentials":[{"key":")";
  CHECK(Good(consumer + "foo\"}]}]").key_auths(0).key() == hash);
  CHECK(Good(consumer + hash + "\"}]}]").key_auths(0).key() == hash);
  CHECK(Apply(consumer + "sha256:2C26\"}]}]").field().find("several") == 0);
}

TEST_CASE("a node refuses a key that is not hashed") {
  v1::GatewayConfig config = Good(R"("consumers":[{"username":"c","keyauth_credentials":[{"key":"k"}]}])");
  config.mutable_key_auths(0)->set_key("plain");
  schema::Violations violations;
  Validate(config, {}, violations);
  REQUIRE(violations.total() == 1);
  CHECK(violations.list()[0].message == "expected sha256: and 64 lower-case hexadecimal digits");
}

TEST_CASE("the entities of a kind are counted") {
  v1::GatewayConfig config;
  for (size_t i = 0; i < kMaxEntitiesPerKind; ++i) {
    config.add_upstreams()->set_name("u" + std::to_string(i));
  }
  schema::Violations good, bad;
  Complete(config, good);
  Validate(config, {}, good);
  CHECK(Text(good) == "");
  config.add_upstreams()->set_name("one-more");
  Validate(config, {}, bad);
  CHECK(Text(bad) == "upstreams: has 10001 entities, at most 10000 are allowed");
}

TEST_CASE("the compiled configuration is bounded") {
  v1::GatewayConfig config;
  config.set_name(std::string(kMaxCompiledBytes - 100, 'n'));
  schema::Violations good, bad;
  Validate(config, {}, good);
  CHECK(good.empty());
  config.set_name(std::string(kMaxCompiledBytes, 'n'));
  Validate(config, {}, bad);
  REQUIRE(bad.total() == 1);
  CHECK(bad.list()[0].reason == "TOO_LARGE");
}

TEST_CASE("completing twice changes nothing, and equal configurations have equal bytes") {
  v1::GatewayConfig once = Good(R"("services":[{"name":"s","host":"a.test","routes":[{"name":"r","paths":["/"],
      "headers":{"a":["1"],"b":["2"],"c":["3"]},"plugins":[{"name":"rate-limiting","config":{"second":5}}]}]}])");
  v1::GatewayConfig twice = once;
  schema::Violations violations;
  Complete(twice, violations);
  CHECK(ToBytes(once) == ToBytes(twice));
}

TEST_CASE("the serverless plan has the documented limits") {
  const v1::Plan plan = ServerlessPlan();
  CHECK(plan.requests_per_second() == 100);
  CHECK(plan.max_body_bytes() == 10485760);
  CHECK(plan.plugin_restrictions());
}

}  // namespace
}  // namespace sluice::config
