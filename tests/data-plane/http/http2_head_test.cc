// What a request may look like in HTTP/2, field by field.

#include "catch2/catch.hpp"
#include "tests/data-plane/http/http2_peer.h"

using namespace sluice::test::h2;
using sluice::http::Framing;
using sluice::http::Http2Peer;

namespace {

constexpr int kMalformed = -1;

// 0: served; a status: refused with it; kMalformed: malformed.
int Outcome(const std::string& block, bool end = true) {
  Http2Peer peer;
  peer.Send(Frame(kHeaders, static_cast<uint8_t>(kEndHeaders | (end ? kEndStream : 0)), 1, block));
  if (!peer.streams.contains(1)) return peer.ErrorOf(1) == 1 ? kMalformed : -2;
  return peer.streams.at(1)->refused.status;
}

std::string Request(const std::string& method, const std::string& scheme, const std::string& path,
                    const std::string& authority) {
  return Field(":method", method) + Field(":scheme", scheme) + Field(":path", path) + Field(":authority", authority);
}

}  // namespace

TEST_CASE("fields that HTTP/2 has no place for reset the stream") {
  for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{{"connection", "close"},
                                                                                    {"keep-alive", "1"},
                                                                                    {"proxy-connection", "x"},
                                                                                    {"upgrade", "h2c"},
                                                                                    {"transfer-encoding", "chunked"},
                                                                                    {"transfer_encoding", "chunked"},
                                                                                    {"content_length", "5"},
                                                                                    {"te", "gzip"},
                                                                                    {"X-A", "1"},
                                                                                    {"", "1"},
                                                                                    {"x a", "1"},
                                                                                    {"x:a", "1"},
                                                                                    {"x\0a"s, "1"},
                                                                                    {"x-a", "1\r\nx-b: 2"},
                                                                                    {"x-a", "1\n"},
                                                                                    {"x-a", "\0"s},
                                                                                    {"x-a", " 1"},
                                                                                    {"x-a", "1\t"},
                                                                                    {":unknown", "1"},
                                                                                    {":status", "200"},
                                                                                    {":path", "/"},
                                                                                    {":protocol", "websocket"}}) {
    INFO(name << ": " << value);
    CHECK(Outcome(kGet + Field(name, value)) == kMalformed);
  }
}

TEST_CASE("te: trailers is taken") {
  CHECK(Outcome(kGet + Field("te", "trailers")) == 0);
}

TEST_CASE("pseudo-fields come once, first, and all") {
  CHECK(Outcome(kGet) == 0);
  CHECK(Outcome("\x82" + kGet) == kMalformed);
  CHECK(Outcome("\x82\x86\x84" + Field("x-a", "1") + Field(":authority", "a.test")) == kMalformed);
  CHECK(Outcome("\x86\x84" + Field(":authority", "a.test")) == kMalformed);
  CHECK(Outcome("\x82\x84" + Field(":authority", "a.test")) == kMalformed);
  CHECK(Outcome("\x82\x86" + Field(":authority", "a.test")) == kMalformed);
  CHECK(Outcome(Request("GET", "http", "", "a.test")) == kMalformed);
}

TEST_CASE("the authority and Host say the same, or one of them is absent") {
  CHECK(Outcome("\x82\x86\x84") == 400);
  CHECK(Outcome("\x82\x86\x84" + Field("host", "a.test")) == 0);
  CHECK(Outcome(kGet + Field("host", "A.test")) == 0);
  CHECK(Outcome(kGet + Field("host", "b.test")) == 400);
  CHECK(Outcome(kGet + Field("host", "a.test") + Field("host", "a.test")) == 400);
  CHECK(Outcome(Request("GET", "http", "/", "u@a.test")) == 400);
  CHECK(Outcome(Request("GET", "http", "/", "a.test:0")) == 400);
}

TEST_CASE("methods, schemes and paths") {
  CHECK(Outcome(Request("PURGE", "https", "/a?b", "a.test")) == 0);
  CHECK(Outcome(Request("G T", "http", "/", "a.test")) == 400);
  CHECK(Outcome(Request("GET", "ftp", "/", "a.test")) == 400);
  for (const char* path : {"foo", "http://a.test/", "/a b", "/a#b", "/\xc3\xa4", "*"}) {
    INFO(path);
    CHECK(Outcome(Request("GET", "http", path, "a.test")) == 400);
  }
  CHECK(Outcome(Request("GET", "http", "/a\tb", "a.test")) == 400);
  CHECK(Outcome(Request("GET", "http", "/a\x01", "a.test")) == kMalformed);
  CHECK(Outcome(Request("OPTIONS", "http", "*", "a.test")) == 0);
}

TEST_CASE("CONNECT is a 405, and malformed with a path") {
  CHECK(Outcome(Field(":method", "CONNECT") + Field(":authority", "a.test:443")) == 405);
  CHECK(Outcome(Request("CONNECT", "http", "/", "a.test")) == kMalformed);
}

TEST_CASE("a length is a number, once, and what follows is as long") {
  CHECK(Outcome(kPost + Field("content-length", "0")) == 0);
  CHECK(Outcome(kPost + Field("content-length", "5")) == kMalformed);
  for (const char* length : {"", "-1", "+1", "01", "1a", "9223372036854775808"}) {
    CHECK(Outcome(kPost + Field("content-length", length), false) == kMalformed);
  }
  CHECK(Outcome(kPost + Field("content-length", "5") + Field("content-length", "5"), false) == kMalformed);
}

TEST_CASE("a body longer or shorter than declared resets the stream") {
  for (const char* body : {"abcd", "ab"}) {
    Http2Peer peer;
    peer.Send(Post(1, Field("content-length", "3")) + Frame(kData, kEndStream, 1, body));
    CHECK_FALSE(peer.streams.at(1)->ended);
    CHECK(peer.streams.at(1)->closed == sluice::http::Http2Error::kProtocol);
  }
}

TEST_CASE("framing is a length, an unknown length, or no body") {
  Http2Peer peer;
  peer.Send(Post(1, Field("content-length", "3")) + Post(3) + Get(5));
  CHECK(peer.streams.at(1)->request.framing.length == 3);
  CHECK(peer.streams.at(3)->request.framing.kind == Framing::Kind::kChunked);
  CHECK(peer.streams.at(5)->request.framing.kind == Framing::Kind::kNone);
}

TEST_CASE("only 100-continue can be expected") {
  CHECK(Outcome(kPost + Field("expect", "100-Continue"), false) == 0);
  CHECK(Outcome(kPost + Field("expect", "more"), false) == 417);
}

TEST_CASE("trailers end the stream and have no pseudo-fields") {
  for (const std::string& trailers :
       {Frame(kHeaders, kEndHeaders, 1, Field("a", "b")), Frame(kHeaders, kEndHeaders | kEndStream, 1, "\x84")}) {
    Http2Peer peer;
    peer.Send(Post(1) + trailers);
    CHECK_FALSE(peer.streams.at(1)->ended);
    CHECK(peer.streams.at(1)->closed == sluice::http::Http2Error::kProtocol);
  }
}
