#include "data-plane/http/target.h"

#include <random>

#include "catch2/catch.hpp"

namespace sluice::http {
namespace {

std::string Host(std::string_view authority) {
  std::string host;
  int port = 0;
  if (!CanonicalHost(authority, host, port)) return "refused";
  return port < 0 ? host : host + " " + std::to_string(port);
}

std::string Path(std::string_view path) {
  std::string out;
  std::string_view reason;
  return NormalizePath(path, out, reason) ? out : "refused: " + std::string(reason);
}

TEST_CASE("hosts are lower case, without port and trailing dot") {
  CHECK(Host("A.GW.Test") == "a.gw.test");
  CHECK(Host("a.test.") == "a.test");
  CHECK(Host("a.test.:8000") == "a.test 8000");
  CHECK(Host("A:443") == "a 443");
  CHECK(Host("under_score.test") == "under_score.test");
  CHECK(Host("xn--bcher-kva.test") == "xn--bcher-kva.test");
}

TEST_CASE("addresses are hosts in their canonical form") {
  CHECK(Host("127.0.0.1:80") == "127.0.0.1 80");
  CHECK(Host("[2001:DB8:0:0::1]:65535") == "[2001:db8::1] 65535");
  CHECK(Host("[::1]") == "[::1]");
}

TEST_CASE("what is no host is refused") {
  for (const char* bad : {"", ".", "..", "a..b", ".a", "a b", "a,b", "a/b", "a@b", "a?b", "a#b", "a%41", "a:", "a:x",
      "a:0",
                          "a:65536", "a:123456", "a:1:2", "a:+1", "[::1", "::1", "[::1]x", "[1.2.3.4]", "[]", "[a]",
                          "[fe80::1%eth0]", "[v1.x]", "\xc3\xa9.test"}) {
    INFO(bad);
    CHECK(Host(bad) == "refused");
  }
}

TEST_CASE("numbers that some resolver would take for an address are refused") {
  for (const char* bad : {"127.1", "2130706433", "0x7f000001", "0177.0.0.1", "1.2.3.4.5", "256.1.1.1", "a.1",
      "a.0x1"}) {
    INFO(bad);
    CHECK(Host(bad) == "refused");
  }
  CHECK(Host("1a.b2") == "1a.b2");
}

TEST_CASE("labels have 63 bytes and names 253, and not one more") {
  const std::string label(63, 'a');
  CHECK(Host(label) == label);
  CHECK(Host(label + "a") == "refused");
  const std::string name = label + "." + label + "." + label + "." + std::string(61, 'a');
  CHECK(Host(name) == name);
  CHECK(Host(name + "a") == "refused");
}

TEST_CASE("a plain path is its own canonical form") {
  for (const char* path : {"/", "/a", "/a/b/", "/a.b/c-d_e~f", "/a;v=1/b:c@d!$&'()*+,=e",
      "/..."}) CHECK(Path(path) == path);
}

TEST_CASE("dot segments and doubled slashes are removed") {
  CHECK(Path("/public/../admin") == "/admin");
  CHECK(Path("/public/%2e%2e/admin") == "/admin");
  CHECK(Path("/public/.%2E/admin") == "/admin");
  CHECK(Path("/./admin") == "/admin");
  CHECK(Path("//admin") == "/admin");
  CHECK(Path("/a//b///c/") == "/a/b/c/");
  CHECK(Path("/a/b/..") == "/a/");
  CHECK(Path("/a/b/.") == "/a/b/");
  CHECK(Path("/a/..") == "/");
  CHECK(Path("/a/../") == "/");
  CHECK(Path("/a//../b") == "/b");
  CHECK(Path("/.") == "/");
  CHECK(Path("//") == "/");
}

TEST_CASE("unreserved escapes are decoded once, others are upper case") {
  CHECK(Path("/%61dmin") == "/admin");
  CHECK(Path("/%7euser/%2d%5f") == "/~user/-_");
  CHECK(Path("/admin%20") == "/admin%20");
  CHECK(Path("/%c3%a9") == "/%C3%A9");
  CHECK(Path("/%2561dmin") == "/%2561dmin");
  CHECK(Path("/%252e%252e/admin") == "/%252e%252e/admin");
  CHECK(Path("/admin%3b") == "/admin%3B");
  CHECK(Path("/admin%3Fx") == "/admin%3Fx");
  CHECK(Path("/%c0%ae%c0%ae/admin") == "/%C0%AE%C0%AE/admin");
}

TEST_CASE("a path that climbs above its root is refused") {
  for (const char* path : {"/..", "/../a", "/a/../..", "/a/../../b", "/./..", "//..", "/%2e%2e/x",
      "/svc/../../secret"}) {
    INFO(path);
    CHECK(Path(path) == "refused: path-climbs");
  }
}

TEST_CASE("escapes and bytes that servers disagree about are refused") {
  CHECK(Path("/public/..%2fadmin") == "refused: encoded-slash");
  CHECK(Path("/public/%2e%2e%2Fadmin") == "refused: encoded-slash");
  CHECK(Path("/public/..%5cadmin") == "refused: encoded-backslash");
  CHECK(Path("/public/..\\admin") == "refused: backslash");
  CHECK(Path("/admin%00") == "refused: encoded-nul");
  CHECK(Path("/a%") == "refused: path-escape");
  CHECK(Path("/a%4") == "refused: path-escape");
  CHECK(Path("/a%4/b") == "refused: path-escape");
  CHECK(Path("/a%zz") == "refused: path-escape");
  for (const char* path : {"/a b", "/a\"b", "/a<b", "/a>b", "/a^b", "/a`b", "/a{b", "/a|b", "/a}b", "/a[b", "/a#b",
      "/a?b",
                           "/a\x7f", "/\xc3\xa9"}) {
    INFO(path);
    CHECK(Path(path) == "refused: path-byte");
  }
  CHECK(Path("a") == "refused: path-not-absolute");
  CHECK(Path("") == "refused: path-not-absolute");
}

TEST_CASE("parameters never hide a dot segment") {
  for (const char* path : {"/public/..;/admin", "/public/.;x/../admin", "/a/..;x/b", "/a/%2e%2e;/b", "/a/..%3b/b",
      "/..;"}) {
    INFO(path);
    CHECK(Path(path) == "refused: dots-with-parameter");
  }
  CHECK(Path("/admin;x=y") == "/admin;x=y");
  CHECK(Path("/a/...;x/b") == "/a/...;x/b");
}

TEST_CASE("normalising a second time changes nothing") {
  const uint32_t seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  static constexpr std::string_view kPieces[] = {"/",   "//",  ".",   "..",  "%2e", "%2E", "a",  "b",   "%41", "%25",
                                                 "%2f", ";",   "%3b", "%c3", "~",   "%7e", "25", "%20", "x=y", "%252e"};
  int accepted = 0;
  for (int i = 0; i < 50'000; ++i) {
    std::string path = "/";
    for (size_t n = random() % 10; n > 0; --n) path += kPieces[random() % std::size(kPieces)];
    std::string once, twice;
    std::string_view reason;
    if (!NormalizePath(path, once, reason)) continue;
    ++accepted;
    INFO(path);
    REQUIRE(NormalizePath(once, twice, reason));
    REQUIRE(once == twice);
    REQUIRE(once.find("//") == std::string::npos);
    REQUIRE((once + "/").find("/../") == std::string::npos);
  }
  CHECK(accepted > 1000);
}

}  // namespace
}  // namespace sluice::http
