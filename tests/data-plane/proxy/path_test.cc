// One path for all: what is routed is what is authorised, and what the service is asked for.

#include "catch2/catch.hpp"
#include "tests/support/node.h"

using sluice::test::Node;

namespace {

// Anybody may ask for /public, and nobody without a key for /admin.
constexpr const char* kGuarded = R"(hosts: "a.test" routes { name: "public" paths: "/public" strip_path: false }
    routes { name: "admin" paths: "/admin" strip_path: false } plugins { name: "key-auth" route: "admin" })";

constexpr const char* kInternal = R"(hosts: "a.test" routes { paths: "/svc" } routes { paths: "~/v[0-9]" }
    services { name: "s" host: "127.0.0.1" port: UPSTREAM_PORT path: "/internal/app" })";

int StatusOf(Node& node, const std::string& path) {
  return node.Ask("GET " + path + " HTTP/1.1\r\nHost: a.test\r\n\r\n").status;
}

// The target that the service got; "" where it was not asked.
std::string AskedFor(Node& node, const std::string& path) {
  const int before = node.upstream().requests();
  StatusOf(node, path);
  if (node.upstream().requests() == before) return "";
  const std::string request = node.upstream().last();
  return request.substr(4, request.find(' ', 4) - 4);
}

}  // namespace

TEST_CASE("every way to write a guarded path is guarded, or no path") {
  Node node({.gateway = kGuarded});
  for (const char* path : {"/public/../admin", "/public/%2e%2e/admin", "/public/.%2e/admin", "/admin;x=y", "//admin",
                           "/./admin", "/admin/", "/admin%20", "/%61dmin", "/admin%3b", "/admin?x", "/admin%3Fx"}) {
    INFO(path);
    CHECK(StatusOf(node, path) == 401);
  }
  for (const char* path : {"/public/..%2fadmin", "/public/%2e%2e%2fadmin", "/public/..\\admin", "/public/..%5cadmin",
                           "/public/..;/admin", "/public/.;x/../admin", "/admin%00", "/admin#x"}) {
    INFO(path);
    CHECK(StatusOf(node, path) == 400);
  }
  for (const char* path : {"/ADMIN", "/%2561dmin", "/%c0%ae/admin"}) CHECK(StatusOf(node, path) == 404);
  CHECK(node.upstream().requests() == 0);
}

TEST_CASE("a refused path says why in the metrics") {
  Node node;
  for (const char* path : {"/..", "/a%2fb", "/a%5cb", "/a%00", "/a\\b", "/..;/b", "/%zz"}) StatusOf(node, path);
  for (const char* reason : {"path-climbs", "encoded-slash", "encoded-backslash", "encoded-nul", "backslash",
                             "dots-with-parameter", "path-escape"}) {
    INFO(reason);
    CHECK(node.stats().rejected[reason] == 1);
  }
}

TEST_CASE("a service is asked for the path that was routed") {
  Node node({.gateway = kGuarded});
  CHECK(AskedFor(node, "/public/a/../b//c/./d") == "/public/b/c/d");
  CHECK(AskedFor(node, "/%70ublic/%7e%c3%a9") == "/public/~%C3%A9");
  CHECK(AskedFor(node, "/public/%c0%ae%c0%ae/x") == "/public/%C0%AE%C0%AE/x");
  CHECK(AskedFor(node, "/public/%252e%252e/x;y=..") == "/public/%252e%252e/x;y=..");
}

TEST_CASE("no path leads out of the service's own, however the route's part is stripped") {
  Node node({.gateway = kInternal});
  CHECK(AskedFor(node, "/svc/a/../b") == "/internal/app/b");
  CHECK(AskedFor(node, "/svc.b") == "/internal/app/.b");
  for (const char* path : {"/svc/../../secret", "/svc/..%2f..%2fsecret", "/svc../secret", "/svc%2e%2e/secret",
                           "/svc../../secret", "/svc..;/secret", "/v1../secret", "/svc./x", "/svc/../secret"}) {
    INFO(path);
    CHECK(AskedFor(node, path) == "");
  }
}

TEST_CASE("a query goes on as it came, and decides nothing") {
  Node node({.gateway = kGuarded});
  CHECK(AskedFor(node, "/public?a=1&a=2&b=%00&/../admin") == "/public?a=1&a=2&b=%00&/../admin");
  const std::string longest = "/public?" + std::string(8192 - 4 - 8 - 9, 'q');  // "GET " before, " HTTP/1.1" behind
  CHECK(AskedFor(node, longest) == longest);
  CHECK(StatusOf(node, longest + "q") == 414);
}

TEST_CASE("fields that override method and path somewhere else decide nothing here") {
  Node node({.gateway = kGuarded});
  const std::string fields = "X-HTTP-Method-Override: DELETE\r\nX-Original-URL: /public\r\nX-Rewrite-URL: /public\r\n";
  CHECK(node.Ask("GET /admin HTTP/1.1\r\nHost: a.test\r\n" + fields + "\r\n").status == 401);
  CHECK(node.Ask("GET /public HTTP/1.1\r\nHost: a.test\r\n" + fields + "\r\n").status == 200);
  CHECK(node.upstream().last().starts_with("GET /public HTTP/1.1\r\n"));
}
