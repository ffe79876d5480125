#include <random>

#include "tests/data-plane/route/routes.h"

namespace sluice {
namespace {

TEST_CASE("a plain path matches as a prefix of bytes, not of segments") {
  Routes routes({R"(id: "foo" paths: "/foo")"});
  CHECK(routes.Of({.path = "/foo"}) == "foo");
  CHECK(routes.Of({.path = "/foobar"}) == "foo");
  CHECK(routes.Of({.path = "/fo"}) == "");
  CHECK(routes.Of({.path = "/Foo"}) == "");
  CHECK(routes.Find({.path = "/foobar"}).matched_bytes == 4);
}

TEST_CASE("a regex path matches from the start and tells its captures") {
  Routes routes({R"(id: "r" paths: "~/users/(?P<id>\\d+)/(\\w+)?")"});
  const Match match = routes.Find({.path = "/users/42/posts/1"});
  REQUIRE(match.route != nullptr);
  CHECK(match.matched_bytes == 15);
  CHECK(match.captures == std::vector<std::pair<std::string, std::string>>{{"1", "42"}, {"id", "42"}, {"2", "posts"}});
  CHECK(routes.Of({.path = "/v1/users/42/"}) == "");
}

TEST_CASE("a capture that took no part in the match is absent") {
  Routes routes({R"x(id: "r" paths: "~/(a)?(b)")x"});
  CHECK(routes.Find({.path = "/b"}).captures == std::vector<std::pair<std::string, std::string>>{{"2", "b"}});
}

TEST_CASE("an alternation in a regex path stays anchored") {
  Routes routes({R"(id: "r" paths: "~/a|/b")"});
  CHECK(routes.Of({.path = "/b"}) == "r");
  CHECK(routes.Of({.path = "/x/b"}) == "");
}

TEST_CASE("regexes read paths as bytes") {
  Routes routes({R"(id: "r" paths: "~/.$")"});
  CHECK(routes.Of({.path = "/\xe9"}) == "r");
  CHECK(routes.Of({.path = "/\xc3\xa9"}) == "");
}

TEST_CASE("more matching fields win over everything else") {
  Routes routes({R"(id: "host" hosts: "a.test")", R"(id: "path+method" paths: "/" methods: "GET")"});
  CHECK(routes.Of({}) == "path+method");
  CHECK(routes.Of({.method = "PUT"}) == "host");
}

TEST_CASE("plain hosts win over wildcards, and wildcards over nothing by their field") {
  Routes routes({R"(id: "any" paths: "/long/path")", R"(id: "wild" hosts: "*.test" paths: "/long/path")",
                 R"(id: "plain" hosts: "a.test" paths: "/")"});
  CHECK(routes.Of({.host = "a.test", .path = "/long/path"}) == "plain");
  CHECK(routes.Of({.host = "b.test", .path = "/long/path"}) == "wild");
  CHECK(routes.Of({.host = "b.example", .path = "/long/path"}) == "any");
}

TEST_CASE("one wildcard among a route's hosts makes all of them weak") {
  Routes routes(
      {R"(id: "mixed" hosts: "a.test" hosts: "*.test" paths: "/long")", R"(id: "plain" hosts: "a.test" paths: "/")"});
  CHECK(routes.Of({.host = "a.test", .path = "/long"}) == "plain");
}

TEST_CASE("more header names win over regexes and lengths") {
  Routes routes(
      {R"(id: "two" headers { key: "x" value { values: "1" } } headers { key: "y" value { values: "1" } } paths: "/")",
       R"(id: "one" headers { key: "x" value { values: "1" } } paths: "~/a")"});
  CHECK(routes.Of({.path = "/a", .fields = {{"X", "1"}, {"Y", "1"}}}) == "two");
  CHECK(routes.Of({.path = "/a", .fields = {{"X", "1"}}}) == "one");
}

TEST_CASE("a regex wins over a longer plain path, and regex_priority over other regexes") {
  Routes routes({R"(id: "plain" paths: "/a/b/c")", R"(id: "low" paths: "~/a" regex_priority: -1)",
                 R"(id: "high" paths: "~/a/b" regex_priority: 5)"});
  CHECK(routes.Of({.path = "/a/b/c"}) == "high");
  CHECK(routes.Of({.path = "/a/x"}) == "low");
}

TEST_CASE("regex_priority counts for nothing where no regex is") {
  Routes routes({R"(id: "short" paths: "/a" regex_priority: 9)", R"(id: "long" paths: "/a/b")"});
  CHECK(routes.Of({.path = "/a/b"}) == "long");
}

TEST_CASE("each path of a route competes with its own length") {
  Routes routes({R"(id: "both" paths: "/" paths: "/a/b/c")", R"(id: "middle" paths: "/a/b")"});
  CHECK(routes.Of({.path = "/a/b/c"}) == "both");
  CHECK(routes.Of({.path = "/a/b"}) == "middle");
  CHECK(routes.Of({.path = "/x"}) == "both");
}

TEST_CASE("equally strong routes go by creation, then by id") {
  Routes routes({R"(id: "c" paths: "/a" created_at: 5)", R"(id: "b" paths: "/a" created_at: 3)",
                 R"(id: "a" paths: "/a" created_at: 3)"});
  CHECK(routes.Of({.path = "/a"}) == "a");
}

TEST_CASE("wildcard hosts take one label or more") {
  Routes routes({R"(id: "suffix" hosts: "*.a.test")", R"(id: "prefix" hosts: "b.*")"});
  CHECK(routes.Of({.host = "x.a.test"}) == "suffix");
  CHECK(routes.Of({.host = "x.y.a.test"}) == "suffix");
  CHECK(routes.Of({.host = "a.test"}) == "");
  CHECK(routes.Of({.host = "xa.test"}) == "");
  CHECK(routes.Of({.host = "b.example"}) == "prefix");
  CHECK(routes.Of({.host = "b.example.org"}) == "prefix");
  CHECK(routes.Of({.host = "b."}) == "");
}

TEST_CASE("a host with a port asks for that port") {
  Routes routes({R"(id: "8080" hosts: "a.test:8080")", R"(id: "wild" hosts: "*.b.test:8443")"});
  CHECK(routes.Of({.host = "a.test", .port = 8080}) == "8080");
  CHECK(routes.Of({.host = "a.test", .port = 80}) == "");
  CHECK(routes.Of({.host = "x.b.test", .port = 8443}) == "wild");
  CHECK(routes.Of({.host = "x.b.test", .port = 443}) == "");
}

TEST_CASE("an address as a route's host matches however it is written") {
  Routes routes({R"(id: "long" hosts: "[2001:DB8:0:0:0:0:0:1]")", R"(id: "bare" hosts: "2001:0db8::2")",
                 R"(id: "mapped" hosts: "[::ffff:192.0.2.1]:80")"});
  CHECK(routes.Of({.host = "[2001:db8::1]", .port = 80}) == "long");
  CHECK(routes.Of({.host = "[2001:db8::2]", .port = 80}) == "bare");
  CHECK(routes.Of({.host = "192.0.2.1", .port = 80}) == "mapped");
}

TEST_CASE("hosts compare in their canonical form") {
  Routes routes({R"(id: "name" hosts: "A.Test.")", R"(id: "v6" hosts: "[::1]:80")"});
  CHECK(routes.Of({.host = "a.test"}) == "name");
  CHECK(routes.Of({.host = "[::1]", .port = 80}) == "v6");
}

TEST_CASE("methods compare exactly") {
  Routes routes({R"(id: "r" methods: "GET" methods: "POST")"});
  CHECK(routes.Of({.method = "POST"}) == "r");
  CHECK(routes.Of({.method = "post"}) == "");
}

TEST_CASE("header values compare without case, in any line of that name") {
  Routes routes({R"(id: "r" headers { key: "X-Env" value { values: "Blue" values: "green" } })"});
  CHECK(routes.Of({.fields = {{"x-env", "red"}, {"X-ENV", "GREEN"}}}) == "r");
  CHECK(routes.Of({.fields = {{"x-env", "blue"}}}) == "r");
  CHECK(routes.Of({.fields = {{"x-env", "bluegreen"}}}) == "");
  CHECK(routes.Of({}) == "");
}

TEST_CASE("a header pattern is searched for without case") {
  Routes routes({R"(id: "r" headers { key: "user-agent" value { values: "~*(curl|Wget)/\\d" } })"});
  CHECK(routes.Of({.fields = {{"User-Agent", "x CURL/8"}}}) == "r");
  CHECK(routes.Of({.fields = {{"User-Agent", "wget/1"}}}) == "r");
  CHECK(routes.Of({.fields = {{"User-Agent", "curl"}}}) == "");
}

TEST_CASE("server names count for TLS only") {
  Routes routes({R"(id: "r" snis: "a.test" paths: "/" protocols: "https")"});
  CHECK(routes.Of({.https = true, .sni = "a.test"}) == "r");
  CHECK(routes.Of({.https = true, .sni = "b.test"}) == "");
  CHECK(routes.Of({.https = true}) == "");
  CHECK(routes.Of({.https = false}) == "r");
}

TEST_CASE("a route for http alone is not there for TLS") {
  Routes routes({R"(id: "r" paths: "/" protocols: "http")"});
  CHECK(routes.Of({.https = false}) == "r");
  CHECK(routes.Of({.https = true}) == "");
}

TEST_CASE("a route for gRPC takes calls of gRPC alone, and one for HTTP the others") {
  Routes routes({R"(id: "g" paths: "/" protocols: "grpc")", R"(id: "h" paths: "/" protocols: "http")"});
  CHECK(routes.Of({.grpc = true}) == "g");
  CHECK(routes.Of({}) == "h");
}

TEST_CASE("a route for gRPC with TLS takes plain calls too, to refuse them") {
  Routes routes({R"(id: "g" paths: "/" protocols: "grpcs")"});
  CHECK(routes.Of({.https = true, .grpc = true}) == "g");
  CHECK(routes.Of({.grpc = true}) == "g");
}

template <typename List>
std::string Pick(std::mt19937_64& random, const List& list) {
  return list[random() % std::size(list)];
}

constexpr const char* kMethods[] = {"GET", "POST", "PUT"};
constexpr const char* kHosts[] = {"a.test", "b.a.test", "*.test", "*.a.test", "a.*", "a.test:8080", "*.test:8080"};
constexpr const char* kPaths[] = {"/", "/a", "/a/b", "/ab", "/a/b/c", "~/a", "~/a/\\w$", "~/.*c", "/c"};
constexpr const char* kSnis[] = {"a.test", "b.a.test"};
constexpr const char* kValues[] = {"1", "2"};
constexpr const char* kNames[] = {"x", "y"};

config::v1::Route RandomRoute(std::mt19937_64& random, int number) {
  config::v1::Route route;
  route.set_id(std::string(1, static_cast<char>('a' + number)));
  route.set_created_at(static_cast<int64_t>(random() % 3));
  for (int i = static_cast<int>(random() % 3); i > 0; --i) route.add_methods(Pick(random, kMethods));
  for (int i = static_cast<int>(random() % 3); i > 0; --i) route.add_hosts(Pick(random, kHosts));
  for (int i = static_cast<int>(random() % 4); i > 0; --i) route.add_paths(Pick(random, kPaths));
  if (random() % 4 == 0) route.add_snis(Pick(random, kSnis));
  for (int i = static_cast<int>(random() % 3); i > 0; --i) {
    (*route.mutable_headers())[Pick(random, kNames)].add_values(Pick(random, kValues));
  }
  if (random() % 2 == 0) route.set_regex_priority(static_cast<int>(random() % 3) - 1);
  return route;
}

TEST_CASE("the indexed router finds what a look at every route finds") {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    std::vector<config::v1::Route> configs;
    for (int i = 0; i < 12; ++i) configs.push_back(RandomRoute(random, i));
    const Routes routes(configs);
    for (int i = 0; i < 100; ++i) {
      Ask ask{.method = Pick(random, kMethods), .https = random() % 2 == 0};
      ask.host = Pick(random, std::vector{"a.test", "b.a.test", "c.test", "a.example"});
      ask.path = Pick(random, std::vector{"/", "/a", "/a/b", "/abc", "/a/b/c/d", "/c", "/x"});
      ask.port = random() % 2 == 0 ? 8080 : 80;
      if (ask.https) ask.sni = ask.host;
      for (const char* name : kNames) {
        if (random() % 2 == 0) ask.fields.emplace_back(name, Pick(random, kValues));
      }
      REQUIRE(routes.Of(ask) == ReferenceRoute(configs, ask));
    }
  }
}

}  // namespace
}  // namespace sluice
