// Valid requests, changed at random, through the whole of parsing: nothing crashes, and what is accepted says the same
// after it has been written and read again.

#include <random>

#include "catch2/catch.hpp"
#include "data-plane/http/body.h"
#include "data-plane/http/parser.h"
#include "data-plane/http/writer.h"

namespace sluice::http {
namespace {

constexpr std::string_view kSeeds[] = {
    "GET /a/b?x=1 HTTP/1.1\r\nHost: a.test\r\nAccept: */*\r\nCookie: a=b; c=d\r\n\r\n",
    "POST /p HTTP/1.1\r\nHost: a.test:8000\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello",
    "PUT http://a.test/q HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n"
    "5;e=\"f\"\r\nhello\r\n0\r\nT: u\r\n\r\n",
    "GET /ws HTTP/1.1\r\nHost: [::1]:80\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n",
    "DELETE / HTTP/1.0\r\nHost: a.test\r\nConnection: keep-alive\r\nX-Y:\r\n\r\n",
};
constexpr std::string_view kInserts[] = {"\r\n", "\r",  "\n",  " ",   "\t",  ":",  ",",  "chunked",
    "Content-Length: 3\r\n",
                                         "0",    "%2f", "..",  ";",   "\"",  "#",  "?",  "@",
                                                   "Transfer-Encoding: chunked\r\n",
                                         "\x7f", "Host: b\r\n", "Connection: Host\r\n", "HTTP/1.1", "\xff"};

std::string Mutate(std::string text, std::mt19937& random) {
  for (size_t n = 1 + random() % 3; n > 0 && !text.empty(); --n) {
    const size_t at = random() % text.size();
    switch (random() % 5) {
      case 0:
        text[at] = static_cast<char>(random());
        break;
      case 1:
        text.erase(at, 1 + random() % 4);
        break;
      case 2:
        text.insert(at, kInserts[random() % std::size(kInserts)]);
        break;
      case 3:
        text.insert(at, text.substr(random() % text.size(), random() % 24));
        break;
      default:
        std::swap(text[at], text[random() % text.size()]);
    }
  }
  return text;
}

std::string FieldsOf(const Fields& fields) {
  std::string all;
  for (const Field& field : fields) {
    if (IsConnectionField(field.name) || EqualsIgnoreCase(field.name, "host")) continue;
    all += std::string(field.name) + ": " + std::string(field.value) + "\n";
  }
  return all;
}

void CheckRoundTrip(const RequestHead& head) {
  std::string written;
  AppendRequestHead(written, head.method, head.target, head.authority, head.fields, head.framing);
  size_t scanned = 0;
  REQUIRE(FindHeadEnd(written, scanned) == written.size());
  RequestHead again;
  REQUIRE(ParseRequestHead(written, again).reason == "");
  REQUIRE(again.method == head.method);
  REQUIRE(again.target == head.target);
  REQUIRE(again.authority == head.authority);
  REQUIRE(again.framing.kind == head.framing.kind);
  REQUIRE(again.framing.length == head.framing.length);
  REQUIRE(FieldsOf(again.fields) == FieldsOf(head.fields));
}

// In one piece and in pieces of `size`: the same data, the same end, the same error.
std::string DecodeAll(Framing framing, std::string_view body, size_t size) {
  BodyDecoder decoder(framing);
  std::string data;
  std::string_view error;
  size_t at = 0;
  while (at < body.size() && error.empty()) {
    const BodyDecoder::Step step = decoder.Decode(body.substr(at, size));
    if (step.consumed == 0 && step.error.empty()) break;
    data += step.data;
    error = step.error;
    at += step.consumed;
  }
  return data + "|" + std::string(error) + "|" + (decoder.done() ? "done " + std::to_string(at) : "open");
}

TEST_CASE("no change of a valid request crashes the parser or is accepted with two meanings") {
  const uint32_t seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  int accepted = 0;
  for (int i = 0; i < 60'000; ++i) {
    const std::string text = Mutate(std::string(kSeeds[random() % std::size(kSeeds)]), random);
    size_t scanned = 0;
    const size_t end = FindHeadEnd(text, scanned);
    if (end == 0) continue;
    RequestHead head;
    if (ParseRequestHead(std::string_view(text).substr(0, end), head)) continue;
    ++accepted;
    CAPTURE(text);
    if (!head.authority.empty()) CheckRoundTrip(head);
    const std::string_view body = std::string_view(text).substr(end);
    REQUIRE(DecodeAll(head.framing, body, body.size() + 1) == DecodeAll(head.framing, body, 1));
  }
  CHECK(accepted > 1000);
}

}  // namespace
}  // namespace sluice::http
