#include "common/schema/format.h"

#include "catch2/catch.hpp"
#include "common/schema/options.h"
#include "common/schema/regex.h"
#include "common/schema/suggest.h"
#include "common/schema/text.h"
#include "common/schema/url.h"

namespace sluice::schema {
namespace {

bool Good(v1::Format format, std::string_view text) {
  return FormatError(format, text).empty();
}

TEST_CASE("names are alphanumerics, four marks and UTF-8") {
  CHECK(Good(v1::FORMAT_NAME, "a-b.c_d~é"));
  CHECK(FormatError(v1::FORMAT_NAME, "a b") ==
        "invalid value 'a b': the only accepted ascii characters are alphanumerics or ., -, _, and ~");
  CHECK_FALSE(Good(v1::FORMAT_NAME, ""));
}

TEST_CASE("tags have no comma and no slash") {
  CHECK(Good(v1::FORMAT_TAG, "team blue"));
  CHECK_FALSE(Good(v1::FORMAT_TAG, "a,b"));
  CHECK_FALSE(Good(v1::FORMAT_TAG, "a/b"));
  CHECK_FALSE(Good(v1::FORMAT_TAG, "a\n"));
}

TEST_CASE("a host has no port") {
  CHECK(Good(v1::FORMAT_HOST, "a_b.example.com"));
  CHECK(Good(v1::FORMAT_HOST, "::1"));
  CHECK(Good(v1::FORMAT_HOST, "[::1]"));
  CHECK(FormatError(v1::FORMAT_HOST, "a.test:80") == "invalid value 'a.test:80': must not have a port");
  CHECK_FALSE(Good(v1::FORMAT_HOST, "a..b"));
  CHECK_FALSE(Good(v1::FORMAT_HOST, "a b"));
  CHECK_FALSE(Good(v1::FORMAT_HOST, "*.b"));
}

TEST_CASE("a host name's labels end at 63 bytes and the name at 253") {
  const std::string label(63, 'a');
  CHECK(IsHostName(label));
  CHECK_FALSE(IsHostName(label + "a"));
  const std::string longest = label + "." + label + "." + label + "." + std::string(61, 'b');
  CHECK(IsHostName(longest));
  CHECK_FALSE(IsHostName(longest + "b"));
}

TEST_CASE("a route's host may have one wildcard at either end, and a port") {
  CHECK(Good(v1::FORMAT_ROUTE_HOST, "*.example.com"));
  CHECK(Good(v1::FORMAT_ROUTE_HOST, "example.*"));
  CHECK(Good(v1::FORMAT_ROUTE_HOST, "*.example.com:8000"));
  CHECK_FALSE(Good(v1::FORMAT_ROUTE_HOST, "a.*.com"));
  CHECK_FALSE(Good(v1::FORMAT_ROUTE_HOST, "*.a.*"));
  CHECK_FALSE(Good(v1::FORMAT_ROUTE_HOST, "*a.com"));
  CHECK_FALSE(Good(v1::FORMAT_ROUTE_HOST, "a.com:0"));
}

TEST_CASE("a path that is not normal is answered with its normal form") {
  CHECK(Good(v1::FORMAT_PATH, "/a/b%2Fc"));
  CHECK(FormatError(v1::FORMAT_PATH, "/a/../%62") == "non-normalized path, consider use '/b' instead");
  CHECK(FormatError(v1::FORMAT_PATH, "/a%2fb") == "non-normalized path, consider use '/a%2Fb' instead");
  CHECK(FormatError(v1::FORMAT_PATH, "/a//b") == "invalid value '/a//b': must not have empty segments");
  CHECK(FormatError(v1::FORMAT_PATH, "a") == "invalid value 'a': must start with: /");
  CHECK_FALSE(Good(v1::FORMAT_PATH, "/a b"));
  CHECK_FALSE(Good(v1::FORMAT_PATH, "/a%2"));
  CHECK_FALSE(Good(v1::FORMAT_PATH, "/a?b"));
}

TEST_CASE("normalising keeps a final slash and never climbs above the root") {
  CHECK(NormalizePath("/a/b/..") == "/a/");
  CHECK(NormalizePath("/../../a/./b/") == "/a/b/");
  CHECK(NormalizePath("/%7Eu//x") == "/~u/x");
  CHECK(NormalizePath("/") == "/");
}

TEST_CASE("a route's path may be a regex, and RE2's own error is told") {
  CHECK(Good(v1::FORMAT_ROUTE_PATH, "~/users/(?P<id>[0-9]+)$"));
  CHECK(FormatError(v1::FORMAT_ROUTE_PATH, "~/a(b") == "invalid regex: missing ): /a(b at '/a(b'");
  CHECK_FALSE(Good(v1::FORMAT_ROUTE_PATH, "~a"));
  CHECK_FALSE(Good(v1::FORMAT_ROUTE_PATH, "a"));
}

TEST_CASE("a pattern ends at 512 bytes") {
  CHECK(CompileRegex(std::string(kMaxRegexBytes, 'a')).ok());
  CHECK(CompileRegex(std::string(kMaxRegexBytes + 1, 'a')).status().message() ==
        "invalid regex: 513 bytes, at most 512 are allowed");
}

TEST_CASE("a pattern whose program is too large is refused") {
  CHECK(CompileRegex("(a{100}){10}").ok());
  CHECK_FALSE(CompileRegex("((a{100}){100}){10}").ok());
  CHECK_FALSE(CompileRegex("(([a-z0-9]{100}){10}){10}b{900}").ok());
}

TEST_CASE("methods are upper case, header names are tokens") {
  CHECK(Good(v1::FORMAT_METHOD, "PURGE"));
  CHECK_FALSE(Good(v1::FORMAT_METHOD, "get"));
  CHECK_FALSE(Good(v1::FORMAT_METHOD, ""));
  CHECK(Good(v1::FORMAT_HEADER_NAME, "X-Api_Key"));
  CHECK_FALSE(Good(v1::FORMAT_HEADER_NAME, "a:b"));
}

TEST_CASE("addresses and ranges are canonical") {
  CHECK(Good(v1::FORMAT_IP_OR_CIDR, "10.0.0.0/8"));
  CHECK(Good(v1::FORMAT_IP_OR_CIDR, "2001:db8::/128"));
  CHECK_FALSE(Good(v1::FORMAT_IP_OR_CIDR, "10.0.0.0/33"));
  CHECK_FALSE(Good(v1::FORMAT_IP_OR_CIDR, "10.0.0/8"));
  CHECK_FALSE(Good(v1::FORMAT_IP_OR_CIDR, "10.0.0.0/"));
  CHECK_FALSE(Good(v1::FORMAT_IP_OR_CIDR, "10.0.0.0/+8"));
  CHECK_FALSE(Good(v1::FORMAT_IP_OR_CIDR, "10.0.0.0/08"));
}

TEST_CASE("a target is a host and a port if any") {
  CHECK(Good(v1::FORMAT_TARGET, "a.test"));
  CHECK(Good(v1::FORMAT_TARGET, "[::1]:80"));
  CHECK_FALSE(Good(v1::FORMAT_TARGET, "a.test:65536"));
  CHECK_FALSE(Good(v1::FORMAT_TARGET, "a.test:0"));
  CHECK_FALSE(Good(v1::FORMAT_TARGET, "a.test:"));
}

TEST_CASE("a UUID has its hyphens in place") {
  CHECK(Good(v1::FORMAT_UUID, "3a9c1d52-6d2f-4b8e-9a43-0f1e2d3c4b5a"));
  CHECK_FALSE(Good(v1::FORMAT_UUID, "3a9c1d526d2f4b8e9a430f1e2d3c4b5a"));
}

TEST_CASE("a URL is taken apart") {
  const auto url = ParseUrl("HTTPS://u:p@A.test:8443/x/y?q=1");
  REQUIRE(url.has_value());
  CHECK(url->scheme == "https");
  CHECK(url->userinfo == "u:p");
  CHECK(url->host == "a.test");
  CHECK(url->port == 8443);
  CHECK(url->path == "/x/y");
  CHECK(url->query == "q=1");
  CHECK(ParseUrl("http://[::1]/")->host == "::1");
  CHECK(ParseUrl("https://a.test")->port == 443);
}

TEST_CASE("what is not an absolute http URL is none, and is not repeated") {
  for (const char* text : {"a.test", "ftp://a.test", "http://", "http://a b", "http://a.test:0", "http://::1/",
                           "http://a.test/#f", "http://a.test:x", "http:/a.test", "http://a.test\r\n"}) {
    INFO(text);
    CHECK_FALSE(ParseUrl(text).has_value());
  }
  CHECK(FormatError(v1::FORMAT_URL, "http://u:secret@").find("secret") == std::string::npos);
}

TEST_CASE("UTF-8 is the shortest form of a code point") {
  CHECK(IsUtf8("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"));
  CHECK_FALSE(IsUtf8("\xc0\x80"));
  CHECK_FALSE(IsUtf8("\xed\xa0\x80"));
  CHECK_FALSE(IsUtf8("\xe2\x82"));
  CHECK_FALSE(IsUtf8("\xf4\x90\x80\x80"));
}

TEST_CASE("UTF-8 is told wherever it stands in a text of whatever length") {
  for (size_t size = 2; size < 26; ++size) {
    for (size_t at = 0; at + 2 <= size; ++at) {
      std::string text(size, 'a');
      text.replace(at, 2, "\xc3\xa9");
      CHECK(IsUtf8(text));
      text[at + 1] = 'a';
      CHECK_FALSE(IsUtf8(text));
    }
  }
}

TEST_CASE("the nearest word is suggested where one is near") {
  CHECK(Nearest("serivces", {"routes", "services"}) == "services");
  CHECK(Nearest("zebra", {"routes", "services"}) == "");
}

}  // namespace
}  // namespace sluice::schema
