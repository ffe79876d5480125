#include "catch2/catch.hpp"
#include "data-plane/http/parser.h"

namespace sluice::http {
namespace {

using Kind = Framing::Kind;

ParseError Parse(std::string_view bytes, RequestHead& out) { return ParseRequestHead(bytes, out); }

ParseError ErrorOf(std::string_view bytes) {
  RequestHead head;
  return Parse(bytes, head);
}

RequestHead Accept(std::string_view bytes) {
  RequestHead head;
  const ParseError error = Parse(bytes, head);
  INFO(bytes);
  INFO(error.reason);
  REQUIRE(error.status == 0);
  return head;
}

// A POST with one more line, of raw bytes.
std::string Post(std::string_view line) { return "POST / HTTP/1.1\r\nHost: h\r\n" + std::string(line) + "\r\n\r\n"; }
std::string Get(std::string_view line) { return "GET / HTTP/1.1\r\nHost: h\r\n" + std::string(line) + "\r\n\r\n"; }
std::string Target(std::string_view target) { return "GET " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n\r\n"; }

struct Refusal {
  std::string bytes;
  int status;
  std::string_view reason;
};

void Check(const std::vector<Refusal>& table) {
  for (const Refusal& row : table) {
    INFO(row.bytes);
    const ParseError error = ErrorOf(row.bytes);
    CHECK(error.status == row.status);
    CHECK(error.reason == row.reason);
  }
}

TEST_CASE("a plain request is taken apart") {
  const RequestHead head = Accept("GET /a/b?x=1&y HTTP/1.1\r\nHost: a.test:8000\r\nAccept:  */* \t\r\n\r\n");
  CHECK(head.method == "GET");
  CHECK(head.target == "/a/b?x=1&y");
  CHECK(head.path == "/a/b");
  CHECK(head.query == "x=1&y");
  CHECK(head.authority == "a.test:8000");
  CHECK(head.fields.Get("accept") == "*/*");
  CHECK(head.framing.kind == Kind::kNone);
  CHECK(head.keep_alive);
}

TEST_CASE("fields keep their order, their case and their repetitions") {
  const RequestHead head = Accept("GET / HTTP/1.1\r\nHost: h\r\nX-b: 2\r\nX-A: 1\r\nx-B: 3\r\nEmpty:\r\n\r\n");
  std::string all;
  for (const Field& field : head.fields) all += std::string(field.name) + "=" + std::string(field.value) + ";";
  CHECK(all == "Host=h;X-b=2;X-A=1;x-B=3;Empty=;");
}

TEST_CASE("an empty query differs from none") {
  CHECK(Accept(Target("/a?")).has_query);
  CHECK_FALSE(Accept(Target("/a")).has_query);
  CHECK(Accept(Target("/a?b?c")).query == "b?c");
}

TEST_CASE("one empty line before the request line is passed over, two are not") {
  CHECK(Accept("\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n").method == "GET");
  CHECK(ErrorOf("\r\n\r\n").reason == "request-line");
}

TEST_CASE("methods that nobody knows are tokens like others") {
  CHECK(Accept("purge / HTTP/1.1\r\nHost: h\r\n\r\n").method == "purge");
}

TEST_CASE("request lines with another meaning, or none, are refused") {
  Check({
      {"GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400, "target"},
      {"GET /  HTTP/1.1\r\nHost: h\r\n\r\n", 400, "target"},
      {" GET / HTTP/1.1\r\nHost: h\r\n\r\n", 400, "method"},
      {"GET / HTTP/1.1 \r\nHost: h\r\n\r\n", 400, "request-line"},
      {"GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n", 400, "request-line"},
      {"GET /\tHTTP/1.1\r\nHost: h\r\n\r\n", 400, "request-line"},
      {"GET /\r\n\r\n", 400, "request-line"},
      {"GET\r\n\r\n", 400, "request-line"},
      {"GET / HTTP/1.2\r\nHost: h\r\n\r\n", 505, "version"},
      {"GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505, "version"},
      {"PRI * HTTP/2.0\r\n\r\n", 505, "version"},
      {"INVALID CONNECTION PREFACE\r\n\r\n", 400, "foreign-protocol"},
      {"PROXY TCP4 192.0.2.7 192.0.2.8 1 80\r\n\r\n", 400, "request-line"},
      {"GET / PREFACE\r\n\r\n", 400, "request-line"},
      {"GET http/1.1\r\n\r\n", 400, "request-line"},
      {"GET / http/1.1\r\nHost: h\r\n\r\n", 400, "request-line"},
      {"GET / HTTP/1.1x\r\nHost: h\r\n\r\n", 400, "request-line"},
      {"GET / HTTP/11.1\r\nHost: h\r\n\r\n", 400, "request-line"},
      {"GET / HTTP/1,1\r\nHost: h\r\n\r\n", 400, "request-line"},
      {"GET / HTTP/1.\r\nHost: h\r\n\r\n", 400, "request-line"},
      {"G(T / HTTP/1.1\r\nHost: h\r\n\r\n", 400, "method"},
      {"G\x01T / HTTP/1.1\r\nHost: h\r\n\r\n", 400, "method"},
      {"CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n", 405, "connect"},
      {"CONNECT / HTTP/1.1\r\nHost: h\r\n\r\n", 405, "connect"},
  });
}

TEST_CASE("targets with bytes or forms that have no place are refused") {
  Check({
      {Target("/a b"), 400, "target"},
      {Target("/a\x01"), 400, "target"},
      {Target(std::string("/a\0b", 4)), 400, "target"},
      {Target("/a\x7f"), 400, "target"},
      {Target("/\xc3\xa9"), 400, "target"},
      {Target("/a#b"), 400, "target"},
      {Target("/a\rb"), 400, "target"},
      {Target("*"), 400, "target"},
      {Target("foo"), 400, "target"},
      {Target("?x"), 400, "target"},
      {Target("file:///etc/passwd"), 400, "target"},
      {Target("ftp://h/"), 400, "target"},
      {Target("http:/h/"), 400, "target"},
      {Target("//h/"), 0, ""},
  });
}

TEST_CASE("a star is the target of OPTIONS alone") {
  CHECK(Accept("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n").path == "*");
  CHECK(ErrorOf("GET * HTTP/1.1\r\nHost: h\r\n\r\n").status == 400);
}

TEST_CASE("absolute-form is split into authority and target") {
  const RequestHead head = Accept("GET http://a.test/x?y HTTP/1.1\r\nHost: a.test\r\n\r\n");
  CHECK(head.target == "/x?y");
  CHECK(head.path == "/x");
  CHECK(head.query == "y");
  CHECK(head.authority == "a.test");
}

TEST_CASE("absolute-form without a path means the root") {
  CHECK(Accept("GET http://a.test HTTP/1.1\r\nHost: a.test\r\n\r\n").target == "/");
  CHECK(Accept("GET HTTPS://a.test HTTP/1.1\r\nHost: A.TEST\r\n\r\n").target == "/");
  CHECK(Accept("GET http://a.test?x HTTP/1.1\r\nHost: a.test\r\n\r\n").target == "/?x");
  CHECK(Accept("OPTIONS http://a.test HTTP/1.1\r\nHost: a.test\r\n\r\n").target == "*");
}

TEST_CASE("an authority that differs from Host is refused") {
  Check({
      {"GET http://b.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n", 400, "authority-differs"},
      {"GET http://a.test:80/ HTTP/1.1\r\nHost: a.test\r\n\r\n", 400, "authority-differs"},
      {"GET http://u@a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n", 400, "authority-differs"},
      {"GET http:///x HTTP/1.1\r\nHost: a.test\r\n\r\n", 400, "target"},
      {"GET http://a.test/ HTTP/1.1\r\n\r\n", 400, "no-host"},
      {"GET http://a.test/ HTTP/1.0\r\n\r\n", 400, "no-host"},
  });
}

TEST_CASE("there is one Host, and it is one") {
  Check({
      {"GET / HTTP/1.1\r\n\r\n", 400, "no-host"},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400, "duplicate-host"},
      {"GET / HTTP/1.1\r\nHost: a\r\nhOST: b\r\n\r\n", 400, "duplicate-host"},
      {"GET / HTTP/1.1\r\nHost:\r\n\r\n", 400, "host"},
      {"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400, "host"},
      {"GET / HTTP/1.1\r\nHost: a@h\r\n\r\n", 400, "host"},
      {"GET / HTTP/1.1\r\nHost: h/x\r\n\r\n", 400, "host"},
      {"GET / HTTP/1.1\r\nHost: h?x\r\n\r\n", 400, "host"},
      {"GET / HTTP/1.1\r\nHost: h:99999x\r\n\r\n", 400, "host"},
      {"GET / HTTP/1.1\r\nHost: h:65536\r\n\r\n", 400, "host"},
      {"GET / HTTP/1.1\r\nHost: h:\r\n\r\n", 400, "host"},
      {"GET / HTTP/1.1\r\nHost: h:0\r\n\r\n", 400, "host"},
      {"GET / HTTP/1.1\r\nHost: h:1:2\r\n\r\n", 400, "host"},
      {"GET / HTTP/1.1\r\nHost: h evil\r\n\r\n", 400, "host"},
      {"GET / HTTP/1.1\r\nHost: h%41\r\n\r\n", 400, "host"},
      {"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400, "host"},
      {"GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n", 400, "host"},
      {"GET / HTTP/1.1\r\nHost: [fe80::1%25eth0]\r\n\r\n", 400, "host"},
      {std::string("GET / HTTP/1.1\r\nHost: h\0.evil\r\n\r\n", 33), 400, "field-value"},
  });
  CHECK(Accept("GET / HTTP/1.0\r\n\r\n").authority == "");
  CHECK(Accept("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n").authority == "[::1]:80");
}

TEST_CASE("a length with chunked is refused, whichever comes first") {
  Check({
      {Post("Transfer-Encoding: chunked\r\nContent-Length: 46"), 400, "length-with-chunked"},
      {Post("Content-Length: 4\r\nTransfer-Encoding: chunked"), 400, "length-with-chunked"},
      {Post("Content-Length: 0\r\nTransfer-Encoding: identity"), 400, "length-with-chunked"},
  });
}

TEST_CASE("Transfer-Encoding is chunked and nothing else") {
  CHECK(Accept(Post("Transfer-Encoding: chunked")).framing.kind == Kind::kChunked);
  CHECK(Accept(Post("transfer-encoding:\t CHUNKED ")).framing.kind == Kind::kChunked);
  Check({
      {Post("Transfer-Encoding : chunked"), 400, "field-name"},
      {Post("Transfer-Encoding\t: chunked"), 400, "field-name"},
      {Post("Transfer-Encoding:\x0b" "chunked"), 400, "field-value"},
      {Post("Transfer-Encoding:\x0c" "chunked"), 400, "field-value"},
      {Post("Transfer-Encoding: xchunked"), 501, "transfer-encoding"},
      {Post("Transfer-Encoding: identity"), 501, "transfer-encoding"},
      {Post("Transfer-Encoding: gzip"), 501, "transfer-encoding"},
      {Post("Transfer-Encoding: chunked, cow"), 400, "transfer-encoding"},
      {Post("Transfer-Encoding: cow, chunked"), 400, "transfer-encoding"},
      {Post("Transfer-Encoding: ,chunked"), 400, "transfer-encoding"},
      {Post("Transfer-Encoding: chunked,"), 400, "transfer-encoding"},
      {Post("Transfer-Encoding: chunked, chunked"), 400, "transfer-encoding"},
      {Post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), 400, "duplicate-transfer-encoding"},
      {Post("Transfer-Encoding: chunked\r\nTransfer-Encoding: cow"), 400, "duplicate-transfer-encoding"},
      {Post("Transfer-Encoding: \"chunked\""), 400, "transfer-encoding"},
      {Post("Transfer-Encoding: chunked;foo=bar"), 400, "transfer-encoding"},
      {Post("Transfer-Encoding: gzip, chunked"), 400, "transfer-encoding"},
      {Post("Transfer-Encoding:"), 400, "transfer-encoding"},
      {Post("Transfer-Encoding:\r\n chunked"), 400, "obs-fold"},
      {Post("Transfer-Encoding: chunked\r\n cow"), 400, "obs-fold"},
      {Post("X: y\rTransfer-Encoding: chunked"), 400, "field-value"},
      {Post("X: y\nTransfer-Encoding: chunked"), 400, "bare-lf"},
      {Post(std::string("Transfer-Encoding: chunked\0", 27)), 400, "field-value"},
      {Post("Transfer-Encoding: \xa0" "chunked"), 400, "transfer-encoding"},
      {Post("Transfer-Encoding: chunked\x85"), 400, "transfer-encoding"},
      {Post("Transfer-Encoding: \xff" "chunked"), 400, "transfer-encoding"},
      {Post("Transfer-Encoding: chunked\r"), 400, "field-value"},
      {Post("Transfer-Encoding chunked"), 400, "field-name"},
      {Post(" Transfer-Encoding: chunked"), 400, "obs-fold"},
      {Post(": x\r\nTransfer-Encoding: chunked"), 400, "field-name"},
  });
}

TEST_CASE("an underscore does not hide a framing field from us that another server would see") {
  Check({
      {Post("Transfer_Encoding: chunked\r\nContent-Length: 5"), 400, "framing-alias"},
      {Post("content_LENGTH: 5"), 400, "framing-alias"},
      {Post("Content-Length: 5\r\nContent_Length: 5"), 400, "framing-alias"},
      {Post("Content-Lengths: 5\r\nContent.Length: 6"), 0, ""},
  });
}

TEST_CASE("HTTP/1.0 has no transfer codings") {
  CHECK(ErrorOf("POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n").reason == "chunked-in-http-1.0");
}

TEST_CASE("Content-Length is a plain decimal number") {
  for (const char* value : {"+5", "-5", "0x5", "05", "00", "5 5", "5, 5", "5, 6", "", "5.0", "5e0", "5Z",
                            "99999999999999999999", "18446744073709551621", "9223372036854775808", "0_5", "5;x",
                            "\xd9\xa5", "\"5\""}) {
    INFO(value);
    CHECK(ErrorOf(Post("Content-Length: " + std::string(value))).reason == "length");
  }
  CHECK(ErrorOf(Post(std::string("Content-Length: 5\0", 18))).reason == "field-value");
  CHECK(ErrorOf(Post("Content-Length: \x0b" "5")).reason == "field-value");
}

TEST_CASE("lengths reach from zero to 2^63 - 1") {
  CHECK(Accept(Post("Content-Length: 0")).framing.kind == Kind::kLength);
  CHECK(Accept(Post("Content-Length: 5")).framing.length == 5);
  CHECK(Accept(Post("Content-Length: 9223372036854775807")).framing.length == INT64_MAX);
}

TEST_CASE("two lengths are refused, equal ones too") {
  Check({
      {Post("Content-Length: 5\r\nContent-Length: 6"), 400, "duplicate-length"},
      {Post("Content-Length: 5\r\nContent-Length: 5"), 400, "duplicate-length"},
      {Post("Content-Length:\r\nContent-Length: 5"), 400, "duplicate-length"},
  });
}

TEST_CASE("a GET may have a body and keeps its framing") {
  CHECK(Accept(Get("Content-Length: 5")).framing.length == 5);
  CHECK(Accept(Get("Transfer-Encoding: chunked")).framing.kind == Kind::kChunked);
}

TEST_CASE("lines end with CRLF and with nothing else") {
  Check({
      {"GET / HTTP/1.1\nHost: h\n\n", 400, "bare-lf"},
      {"GET / HTTP/1.1\r\nHost: h\nX: y\r\n\r\n", 400, "bare-lf"},
      {"GET / HTTP/1.1\r\nHost: h\r\n\n", 400, "bare-lf"},
      {"GET / HTTP/1.1\rHost: h\r\r", 400, "bare-cr"},
      {"GET / HTTP/1.1\r\nHost: h\r\n\r\r\n\r\n", 400, "field-name"},
      {"GET / HTTP/1.1\r\nHost: h\r\n\rZ", 400, "bare-cr"},
      {"GET / HTTP/1.1\r\nHost: h\r\n", 400, "bare-cr"},
      {"GET / HTTP/1.1\r\nHost: h\r\n\r\nGET", 400, "bytes-after-head"},
  });
}

TEST_CASE("field lines with another meaning, or none, are refused") {
  Check({
      {Get(std::string("X: a\0b", 6)), 400, "field-value"},
      {Get("X: a\rb"), 400, "field-value"},
      {Get("X: a\x01" "b"), 400, "field-value"},
      {Get("X: a\x7f" "b"), 400, "field-value"},
      {Get("X: aaaaaaaaaaaaaaaaaaaaaaaaaaaa\x1f" "b"), 400, "field-value"},
      {Get(std::string("X\0Y: a", 6)), 400, "field-name"},
      {Get("X Y: a"), 400, "field-name"},
      {Get("X(: a"), 400, "field-name"},
      {Get("X\x85: a"), 400, "field-name"},
      {Get("X\r: a"), 400, "field-name"},
      {Get("no colon"), 400, "field-name"},
      {Get("nocolon"), 400, "field-name"},
      {Get(": a"), 400, "field-name"},
      {Get(" X: a"), 400, "obs-fold"},
      {Get("\tX: a"), 400, "obs-fold"},
      {Get("X: a\r\n b"), 400, "obs-fold"},
      {Get("X: a\r\n\tb"), 400, "obs-fold"},
      {"GET / HTTP/1.1\r\n Host: h\r\n\r\n", 400, "obs-fold"},
  });
}

TEST_CASE("values may hold tabs and bytes above ASCII, names may hold underscores") {
  CHECK(Accept(Get("X: a\tb \xe9\x80")).fields.Get("x") == "a\tb \xe9\x80");
  CHECK(Accept(Get("x_forwarded_for: 1")).fields.Get("x_forwarded_for") == "1");
}

TEST_CASE("Connection decides whether the connection goes on") {
  const auto keeps = [](std::string_view version, std::string_view line) {
    return Accept("GET / " + std::string(version) + "\r\nHost: h\r\n" + std::string(line) + "\r\n").keep_alive;
  };
  CHECK(keeps("HTTP/1.1", ""));
  CHECK(keeps("HTTP/1.1", "Connection: keep-alive\r\n"));
  CHECK_FALSE(keeps("HTTP/1.1", "Connection: Close\r\n"));
  CHECK_FALSE(keeps("HTTP/1.1", "Connection: x, close\r\n"));
  CHECK_FALSE(keeps("HTTP/1.1", "Connection: keep-alive\r\nConnection: close\r\n"));
  CHECK_FALSE(keeps("HTTP/1.0", ""));
  CHECK(keeps("HTTP/1.0", "Connection: , Keep-Alive\r\n"));
}

TEST_CASE("Connection may not name framing, routing, credentials or the gateway's own fields") {
  for (const char* name : {"X-Forwarded-For", "x-forwarded-proto", "X_Forwarded_For", "X-Consumer-Id",
      "X-Credential-Identifier",
                           "X-Anonymous-Consumer", "X-Real-IP", "Forwarded", "Authorization", "Host", "Content-Length",
                           "Transfer-Encoding", "Cookie", "Via", "X-Kong-Request-Id", "Expect"}) {
    INFO(name);
    CHECK(ErrorOf(Get("Connection: close, " + std::string(name))).reason == "connection-names-protected");
  }
  CHECK(ErrorOf(Get("Connection: a b")).reason == "connection");
  CHECK(Accept(Get("Connection: TE, X-Own, X-Forwarded")).keep_alive);
}

TEST_CASE("the only expectation is 100-continue") {
  CHECK(Accept(Post("Content-Length: 1\r\nExpect: 100-Continue")).expect_continue);
  CHECK_FALSE(Accept("POST / HTTP/1.0\r\nHost: h\r\nExpect: 100-continue\r\n\r\n").expect_continue);
  Check({
      {Post("Expect: y 100-continue"), 417, "expect"},
      {Post("Expect: 100-continue, x"), 417, "expect"},
      {Post("Expect:"), 417, "expect"},
      {Post("Expect: 100-continue\r\nExpect: 100-continue"), 417, "expect"},
      {Post("Expect : 100-continue"), 400, "field-name"},
      {Post("Expect:\r\n 100-continue"), 400, "obs-fold"},
  });
}

TEST_CASE("only a GET that asks for websocket and nothing else upgrades") {
  const auto upgrades = [](std::string_view bytes) { return Accept(bytes).upgrade_websocket; };
  CHECK(upgrades(Get("Connection: Upgrade\r\nUpgrade: WebSocket")));
  CHECK(upgrades(Get("Connection: keep-alive, upgrade\r\nUpgrade: websocket")));
  CHECK_FALSE(upgrades(Get("Upgrade: websocket")));
  CHECK_FALSE(upgrades(Get("Connection: Upgrade\r\nUpgrade: foo")));
  CHECK_FALSE(upgrades(Get("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x")));
  CHECK_FALSE(upgrades(Get("Connection: Upgrade\r\nUpgrade: h2c, websocket")));
  CHECK_FALSE(upgrades(Get("Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: websocket")));
  CHECK_FALSE(upgrades(Get("Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 1")));
  CHECK_FALSE(upgrades(Post("Connection: Upgrade\r\nUpgrade: websocket")));
  CHECK_FALSE(upgrades("GET / HTTP/1.0\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"));
}

TEST_CASE("a request line has 8 KiB and not a byte more") {
  const std::string fits = "GET /" + std::string(kMaxRequestLine - 14, 'a') + " HTTP/1.1";
  REQUIRE(fits.size() == kMaxRequestLine);
  CHECK(ErrorOf(fits + "\r\nHost: h\r\n\r\n").status == 0);
  CHECK(ErrorOf("X" + fits + "\r\nHost: h\r\n\r\n").status == 414);
}

TEST_CASE("a head has 100 fields and not one more") {
  std::string fields = "Host: h\r\n";
  for (size_t i = 1; i < kMaxFields; ++i) fields += "a: b\r\n";
  CHECK(ErrorOf("GET / HTTP/1.1\r\n" + fields + "\r\n").status == 0);
  CHECK(ErrorOf("GET / HTTP/1.1\r\n" + fields + "a: b\r\n\r\n").reason == "too-many-fields");
  CHECK(ErrorOf("GET / HTTP/1.1\r\n" + fields + "a: b\r\n\r\n").status == 431);
}

TEST_CASE("a head has 32 KiB, 32 bytes a field included, and not a byte more") {
  const size_t host = 5 + kFieldOverhead;
  const std::string value(kMaxHeadBytes - host - 1 - kFieldOverhead, 'v');
  CHECK(ErrorOf(Get("X: " + value)).status == 0);
  CHECK(ErrorOf(Get("X: v" + value)).status == 431);
  CHECK(ErrorOf(Get("X: v" + value)).reason == "head-too-large");
}

}  // namespace
}  // namespace sluice::http
