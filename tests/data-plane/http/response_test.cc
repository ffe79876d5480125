#include "catch2/catch.hpp"
#include "data-plane/http/parser.h"

namespace sluice::http {
namespace {

using Kind = Framing::Kind;

ResponseHead Accept(std::string_view bytes, std::string_view method = "GET") {
  ResponseHead head;
  const ParseError error = ParseResponseHead(bytes, method, head);
  INFO(bytes);
  INFO(error.reason);
  REQUIRE(error.status == 0);
  return head;
}

std::string Ok(std::string_view line) { return "HTTP/1.1 200 OK\r\n" + std::string(line) + "\r\n\r\n"; }

std::string ReasonOf(std::string_view bytes) {
  ResponseHead head;
  const ParseError error = ParseResponseHead(bytes, "GET", head);
  if (error.status != 0) CHECK(error.status == 502);
  return std::string(error.reason);
}

TEST_CASE("a response is taken apart") {
  const ResponseHead head = Accept("HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\nServer: x\r\n\r\n");
  CHECK(head.status == 404);
  CHECK(head.reason == "Not Found");
  CHECK(head.fields.Get("server") == "x");
  CHECK(head.framing.length == 5);
  CHECK(head.keep_alive);
}

TEST_CASE("the reason may be missing") {
  CHECK(Accept("HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n").reason == "");
  CHECK(Accept("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n").status == 200);
}

TEST_CASE("the length, chunked or the end of the connection end a response") {
  CHECK(Accept(Ok("Content-Length: 7")).framing.kind == Kind::kLength);
  CHECK(Accept(Ok("Transfer-Encoding: chunked")).framing.kind == Kind::kChunked);
  CHECK(Accept("HTTP/1.1 200 OK\r\n\r\n").framing.kind == Kind::kUntilClose);
  CHECK_FALSE(Accept("HTTP/1.1 200 OK\r\n\r\n").keep_alive);
}

TEST_CASE("some responses have no body whatever their fields say") {
  CHECK(Accept(Ok("Content-Length: 7"), "HEAD").framing.kind == Kind::kNone);
  CHECK(Accept(Ok("Content-Length: 7"), "HEAD").keep_alive);
  CHECK(Accept("HTTP/1.1 204 No Content\r\nContent-Length: 7\r\n\r\n").framing.kind == Kind::kNone);
  CHECK(Accept("HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n").framing.kind == Kind::kNone);
  CHECK(Accept("HTTP/1.1 100 Continue\r\n\r\n").framing.kind == Kind::kNone);
  CHECK(Accept("HTTP/1.1 101 Switching Protocols\r\n\r\n").framing.kind == Kind::kNone);
}

TEST_CASE("HTTP/1.0 responses close unless they say otherwise") {
  CHECK_FALSE(Accept("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n").keep_alive);
  CHECK(Accept("HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\n").keep_alive);
  CHECK_FALSE(Accept(Ok("Content-Length: 1\r\nConnection: close")).keep_alive);
}

TEST_CASE("a response may name protected fields in Connection without harm to its framing") {
  const ResponseHead head = Accept(Ok("Content-Length: 3\r\nConnection: Set-Cookie, Content-Length"));
  CHECK(head.framing.length == 3);
}

TEST_CASE("responses with another meaning, or none, are refused") {
  CHECK(ReasonOf(Ok("Content-Length: 1\r\nTransfer-Encoding: chunked")) == "length-with-chunked");
  CHECK(ReasonOf(Ok("Content-Length: 1\r\nContent-Length: 2")) == "duplicate-length");
  CHECK(ReasonOf(Ok("Content-Length: 1\r\nContent-Length: 1")) == "duplicate-length");
  CHECK(ReasonOf(Ok("Content-Length: -1")) == "length");
  CHECK(ReasonOf(Ok("Content_Length: 1\r\nContent-Length: 2")) == "framing-alias");
  CHECK(ReasonOf(Ok("Transfer-Encoding: gzip, chunked")) == "transfer-encoding");
  CHECK(ReasonOf("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n") == "chunked-in-http-1.0");
  CHECK(ReasonOf(Ok("X : y")) == "field-name");
  CHECK(ReasonOf(Ok("X: y\r\n z")) == "obs-fold");
  CHECK(ReasonOf(Ok("X: a\rb")) == "field-value");
  CHECK(ReasonOf(Ok("Connection: a b")) == "connection");
  CHECK(ReasonOf("HTTP/1.1 200 OK\nContent-Length: 1\n\n") == "bare-lf");
}

TEST_CASE("status lines with another meaning, or none, are refused") {
  for (const char* line : {"hello world, no HTTP here", "HTTP/1.1", "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK",
      "HTTP/1.1  200 OK",
                           "HTTP/1.1 2x0 OK", "HTTP/1.1 000 OK", "HTTP/1.1 099 OK", "HTTP/1.1\t200 OK",
                               "HTTP/2.0 200 OK",
                           "http/1.1 200 OK", "HTTP/1.1 200 O\x01K", "HTTP/1.1 200\tOK", " HTTP/1.1 200 OK", ""}) {
    INFO(line);
    CHECK(ReasonOf(std::string(line) + "\r\nContent-Length: 0\r\n\r\n") != "");
  }
}

TEST_CASE("a response head has 32 KiB and 100 fields and no more") {
  const size_t most = kMaxHeadBytes - 1 - kFieldOverhead;
  CHECK(ReasonOf(Ok("X: " + std::string(most, 'v'))) == "");
  CHECK(ReasonOf(Ok("X: " + std::string(most + 1, 'v'))) == "head-too-large");
  std::string fields;
  for (size_t i = 0; i < kMaxFields; ++i) fields += "a: b\r\n";
  CHECK(ReasonOf("HTTP/1.1 200 OK\r\n" + fields + "\r\n") == "");
  CHECK(ReasonOf("HTTP/1.1 200 OK\r\na: b\r\n" + fields + "\r\n") == "too-many-fields");
}

}  // namespace
}  // namespace sluice::http
