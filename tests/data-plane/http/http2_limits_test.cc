// What a peer may make us do for little: each bound at its limit and past it.

#include "catch2/catch.hpp"
#include "tests/data-plane/http/http2_peer.h"

using namespace sluice::test::h2;
using sluice::http::Http2Peer;

namespace {

constexpr uint32_t kCalm = 11;

std::string Repeat(const std::string& frame, int times) {
  std::string bytes;
  for (int i = 0; i < times; ++i) bytes += frame;
  return bytes;
}

std::string RapidResets(int count) {
  std::string bytes;
  for (int i = 0; i < count; ++i) {
    const uint32_t id = 2 * static_cast<uint32_t>(i) + 1;
    bytes += Get(id) + Frame(kReset, 0, id, Number(8));
  }
  return bytes;
}

// kPreface holds one SETTINGS frame, which counts.
const std::string kControls[] = {
    Frame(kSettings, 0, 0),       Frame(kPing, 0, 0, "12345678"),        Frame(kPriority, 0, 3, Number(0) + "\x10"),
    Frame(0xbb, 0, 0, "unknown"), Frame(kWindowUpdate, 0, 0, Number(1)), Frame(kPing, kAck, 0, "12345678"),
};

}  // namespace

TEST_CASE("resets are taken up to the burst, and one more is a flood") {
  Http2Peer peer;
  peer.Send(RapidResets(200));
  CHECK_FALSE(peer.session.flooded());
  peer.Send(Get(1001) + Frame(kReset, 0, 1001, Number(8)));
  CHECK(peer.session.flooded());
  CHECK(peer.ErrorOf(0) == kCalm);
}

TEST_CASE("3000 rapid resets end at the burst") {
  Http2Peer peer;
  peer.Send(RapidResets(3000));
  CHECK(peer.streams.size() == 201);
  CHECK(peer.ErrorOf(0) == kCalm);
  CHECK(peer.session.finished());
}

TEST_CASE("the budget of resets fills again") {
  Http2Peer peer;
  peer.Send(RapidResets(200));
  peer.now += std::chrono::seconds(1);
  for (uint32_t id = 1001; id < 1001 + 66; id += 2) peer.Send(Get(id) + Frame(kReset, 0, id, Number(8)));
  CHECK_FALSE(peer.session.flooded());
  peer.Send(Get(2001) + Frame(kReset, 0, 2001, Number(8)));
  CHECK(peer.session.flooded());
}

TEST_CASE("resets that the peer makes us send count as its own") {
  Http2Peer peer;
  int sent = 0;
  for (uint32_t id = 1; !peer.session.flooded() && id < 3000; id += 2) {
    peer.Send(Get(id) + Frame(kWindowUpdate, 0, id, Number(0x7fffffff)));
    for (const auto& frame : peer.Frames()) sent += frame.type == kReset ? 1 : 0;
  }
  CHECK(sent == 201);
  CHECK(peer.session.flooded());
}

TEST_CASE("malformed requests count as resets") {
  Http2Peer peer;
  int sent = 0;
  for (uint32_t id = 1; !peer.session.flooded() && id < 3000; id += 2) {
    peer.Send(Get(id, Field("connection", "close")));
    for (const auto& frame : peer.Frames()) sent += frame.type == kReset ? 1 : 0;
  }
  CHECK(sent == 201);
}

TEST_CASE("control frames are taken up to the burst, and one more is a flood") {
  for (const std::string& frame : kControls) {
    Http2Peer peer;
    std::string out;
    peer.Send(Repeat(frame, 999));
    CHECK_FALSE(peer.session.flooded());
    peer.Send(frame);
    CHECK(peer.session.flooded());
    CHECK(peer.ErrorOf(0) == kCalm);
  }
}

TEST_CASE("empty DATA frames count, padded ones too") {
  for (const std::string& frame : {Frame(kData, 0, 1), Frame(kData, kPadded, 1, "\x02\0\0"s)}) {
    Http2Peer peer;
    peer.Send(Post(1) + Repeat(frame, 999));
    CHECK_FALSE(peer.session.flooded());
    peer.Send(frame);
    CHECK(peer.session.flooded());
  }
}

TEST_CASE("frames count however they are cut") {
  Http2Peer peer;
  for (char c : Repeat(Frame(kPing, 0, 0, "12345678"), 1000)) peer.Send({&c, 1});
  CHECK(peer.session.flooded());
}

TEST_CASE("a window update that answers a DATA frame is free") {
  Http2Peer peer;
  peer.Send(Get(1));
  auto& stream = *peer.streams.at(1);
  sluice::http::ResponseHead head;
  head.status = 200;
  peer.session.Respond(*stream.handle, head, {}, false);
  const std::string body(300, 'x');
  for (int i = 0; i < 1000; ++i) {
    peer.session.Send(*stream.handle, body, false);
    peer.Frames();
    peer.Send(Frame(kWindowUpdate, 0, 0, Number(300)) + Frame(kWindowUpdate, 0, 1, Number(300)));
  }
  CHECK_FALSE(peer.session.flooded());
}

TEST_CASE("eight CONTINUATION frames are taken, nine are a flood") {
  for (const int count : {8, 9}) {
    Http2Peer peer;
    peer.Send(Frame(kHeaders, kEndStream, 1, kGet) + Repeat(Frame(kContinuation, 0, 1), count - 1) +
              Frame(kContinuation, kEndHeaders, 1));
    CHECK(peer.session.flooded() == (count == 9));
    CHECK(peer.streams.contains(1) == (count == 8));
  }
}

TEST_CASE("a header block of more than 32 KiB is a flood") {
  Http2Peer peer;
  const std::string half = Field("a", std::string(16'378, 'x'));
  peer.Send(Frame(kHeaders, 0, 1, half) + Frame(kContinuation, 0, 1, half));
  CHECK_FALSE(peer.session.flooded());
  peer.Send(Frame(kContinuation, 0, 1, Field("a", "xxxxxxxx")));
  CHECK(peer.session.flooded());
}

TEST_CASE("a hundred fields are taken, one more is a 431") {
  for (const int count : {100, 101}) {
    for (const char* name : {"a", "cookie"}) {
      Http2Peer peer;
      peer.Send(Get(1, Repeat(Field(name, "b"), count)));
      CHECK(peer.streams.at(1)->refused.status == (count == 100 ? 0 : 431));
    }
  }
}

TEST_CASE("a head of 32 KiB with 32 bytes a field is taken, one byte more is a 431") {
  const size_t others = 4 * 32 + 7 + 3 + 7 + 4 + 5 + 1 + 10 + 6;  // the four pseudo-fields of kGet
  for (const size_t extra : {0, 1}) {
    Http2Peer peer;
    const size_t half = 16'000;
    const size_t rest = 32 * 1024 - others - 2 * 33 - half + extra;
    const std::string block = kGet + Field("a", std::string(half, 'x'));
    peer.Send(Frame(kHeaders, kEndStream, 1, block.substr(0, 16'384)) +
              Frame(kContinuation, 0, 1, block.substr(std::min<size_t>(16'384, block.size()))) +
              Frame(kContinuation, 0, 1, Field("b", std::string(rest, 'y')).substr(0, 16'000)) +
              Frame(kContinuation, kEndHeaders, 1, Field("b", std::string(rest, 'y')).substr(16'000)));
    CHECK(peer.streams.at(1)->refused.status == (extra == 0 ? 0 : 431));
  }
}

TEST_CASE("a bomb of references to one large field is a 431, and keeps nothing") {
  Http2Peer peer;
  const std::string seed = "\x40\x01"s + "a" + "\x7f\xe1\x1d"s + std::string(3'936, 'x');  // literal, indexed
  peer.Send(Frame(kHeaders, kEndStream | kEndHeaders, 1, kGet + seed + std::string(4'000, '\xbe')));
  CHECK(peer.streams.at(1)->refused.status == 431);
  CHECK(peer.streams.at(1)->request.fields.size() <= 9);
}

TEST_CASE("a path of 8 KiB is taken, a longer one is a 414") {
  for (const size_t size : {8'192, 8'193}) {
    Http2Peer peer;
    const std::string head = "\x82\x86\x01\x06"s + "a.test" + Field(":path", "/" + std::string(size - 1, 'x'));
    peer.Send(Frame(kHeaders, kEndStream | kEndHeaders, 1, head));
    CHECK(peer.streams.at(1)->refused.status == (size == 8'192 ? 0 : 414));
  }
}

TEST_CASE("a hundred streams are served at once, and not one more") {
  Http2Peer peer;
  peer.Send(Frame(kSettings, kAck, 0));
  for (uint32_t id = 1; id < 200; id += 2) peer.Send(Get(id));
  CHECK(peer.streams.size() == 100);
  CHECK(peer.session.TakeRefused() == 0);
  peer.Send(Get(201));
  CHECK(peer.streams.size() == 100);
  CHECK(peer.session.TakeRefused() == 1);
}

TEST_CASE("a stream too many of a client that does not know the limit yet is refused, and the others go on") {
  Http2Peer peer;
  for (uint32_t id = 1; id < 204; id += 2) peer.Send(Get(id));
  CHECK(peer.streams.size() == 100);
  CHECK(peer.session.TakeRefused() == 2);
  CHECK(peer.ErrorOf(201) == 7);
  CHECK_FALSE(peer.session.finished());
}

TEST_CASE("a stream that was passed over cannot be opened, trailers of an older one are fine") {
  Http2Peer peer;
  peer.Send(Post(3) + Get(7) + Frame(kHeaders, kEndStream | kEndHeaders, 3, Field("a", "b")));
  CHECK(peer.streams.at(3)->ended);
  peer.Send(Get(5));
  CHECK(peer.ErrorOf(0) == 1);
  CHECK_FALSE(peer.streams.contains(5));
}

TEST_CASE("trailers of more than 8 KiB reset the stream") {
  for (const size_t size : {8'159, 8'160}) {
    Http2Peer peer;
    peer.Send(Post(1) + Frame(kHeaders, kEndStream | kEndHeaders, 1, Field("a", std::string(size, 'x'))));
    CHECK(peer.streams.at(1)->ended == (size == 8'159));
  }
}
