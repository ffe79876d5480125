#include "data-plane/http/writer.h"

#include "catch2/catch.hpp"

namespace sluice::http {
namespace {

using Kind = Framing::Kind;

std::string Request(const Fields& fields, Framing framing, std::string_view connection = {},
    std::string_view target = "/x?y") {
  std::string out;
  AppendRequestHead(out, "POST", target, "a.test", fields, framing, connection);
  return out;
}

std::string Response(int status, const Fields& fields, Framing framing, std::string_view connection = {}) {
  std::string out;
  AppendResponseHead(out, status, {}, fields, framing, connection);
  return out;
}

TEST_CASE("a request head is written with its host first and its framing last") {
  Fields fields;
  fields.Add("Accept", "*/*");
  CHECK(Request(fields, {Kind::kLength, 5}) ==
        "POST /x?y HTTP/1.1\r\nHost: a.test\r\nAccept: */*\r\nContent-Length: 5\r\n\r\n");
}

TEST_CASE("the caller's framing and connection replace every field about them") {
  Fields fields;
  for (const char* name : {"Connection", "Keep-Alive", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding",
      "Upgrade",
                           "Content-Length", "host"}) {
    fields.Add(name, "evil");
  }
  CHECK(Request(fields, {Kind::kChunked, 0}, "close") ==
        "POST /x?y HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
}

TEST_CASE("an upgrade is to websocket") {
  CHECK(Request({}, {}, "Upgrade") ==
        "POST /x?y HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
}

TEST_CASE("a response head is written with the standard phrase") {
  Fields fields;
  fields.Add("X", "1");
  CHECK(Response(404, fields, {Kind::kLength, 0}) == "HTTP/1.1 404 Not Found\r\nX: 1\r\nContent-Length: 0\r\n\r\n");
  CHECK(Response(299, {}, {}) == "HTTP/1.1 299 Unknown\r\n\r\n");
}

TEST_CASE("a reason of the upstream's own is kept") {
  std::string out;
  AppendResponseHead(out, 200, "Fine", {}, {});
  CHECK(out == "HTTP/1.1 200 Fine\r\n\r\n");
}

TEST_CASE("a control byte is found in any field of a head, however long") {
  for (const size_t fields_in_head : {1, 3, 17, 200}) {
    for (size_t bad = 0; bad < fields_in_head; ++bad) {
      Fields fields;
      std::string expected = "HTTP/1.1 200 OK\r\n";
      for (size_t i = 0; i < fields_in_head; ++i) {
        const std::string name = "X-" + std::to_string(i);
        fields.Add(name, i == bad ? "a value\n with more" : "\ta value of some length");
        expected.append(name).append(i == bad ? ": a value  with more\r\n" : ": \ta value of some length\r\n");
      }
      CHECK(Response(200, fields, {}) == expected + "\r\n");
    }
  }
}

TEST_CASE("control bytes never leave in a value, blanks never in a target") {
  Fields fields;
  fields.Add("X", std::string_view("a\r\nEvil: 1\0", 11));
  CHECK(Request(fields, {}, {}, "/a b\r\nEvil: 1") ==
        "POST /a%20b%0D%0AEvil:%201 HTTP/1.1\r\nHost: a.test\r\nX: a  Evil: 1 \r\n\r\n");
}

TEST_CASE("chunks have their size in hexadecimal, and an empty one is not written") {
  std::string out;
  AppendChunk(out, "0123456789");
  AppendChunk(out, "");
  out += kLastChunk;
  CHECK(out == "a\r\n0123456789\r\n0\r\n\r\n");
}

TEST_CASE("connection fields are removed, and those that Connection names") {
  Fields fields;
  fields.Add("Connection", "close, X-Own , Authorization");
  fields.Add("x-own", "1");
  fields.Add("Authorization", "kept");
  fields.Add("Keep-Alive", "5");
  fields.Add("X-Other", "2");
  RemoveConnectionFields(fields);
  CHECK(fields.size() == 2);
  CHECK(fields.Get("authorization") == "kept");
  CHECK(fields.Get("x-other") == "2");
}

}  // namespace
}  // namespace sluice::http
