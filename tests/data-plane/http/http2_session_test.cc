// Either side of a connection, driven by literal frames.

#include "catch2/catch.hpp"
#include "tests/data-plane/http/http2_peer.h"

using namespace sluice::test::h2;
using sluice::http::Fields;
using sluice::http::Framing;
using sluice::http::Http2Error;
using sluice::http::Http2Peer;
using sluice::http::Http2Session;
using sluice::http::ResponseHead;

namespace {

ResponseHead Answer(int status) {
  ResponseHead head;
  head.status = status;
  return head;
}

}  // namespace

TEST_CASE("a server opens with its settings and a connection window of 1 MiB") {
  Http2Peer peer;
  REQUIRE(peer.sent_frames.size() >= 2);
  CHECK(peer.sent_frames[0].type == kSettings);
  const std::string settings = peer.sent_frames[0].payload;
  CHECK(settings.find("\0\4\0\1\0\0"s) != std::string::npos);    // INITIAL_WINDOW_SIZE 65536
  CHECK(settings.find("\0\3\0\0\0\x64"s) != std::string::npos);  // MAX_CONCURRENT_STREAMS 100
  CHECK(settings.find("\0\6\0\0\x80\0"s) != std::string::npos);  // MAX_HEADER_LIST_SIZE 32768
  bool opened = false;
  for (const auto& frame : peer.sent_frames) {
    opened |= frame.type == kWindowUpdate && frame.stream == 0 && frame.number() == 1024 * 1024 - 65535;
  }
  CHECK(opened);
}

TEST_CASE("a request without a body arrives as a head") {
  Http2Peer peer;
  peer.Send(Get(1, Field("x-a", "1")));
  const auto& request = peer.streams.at(1)->request;
  CHECK(request.method == "GET");
  CHECK(request.target == "/");
  CHECK(request.authority == "a.test");
  CHECK(request.fields.Get("x-a") == "1");
  CHECK(request.protocol == sluice::http::Protocol::kHttp2);
  CHECK(request.framing.kind == Framing::Kind::kNone);
}

TEST_CASE("the crumbs of a cookie are joined") {
  Http2Peer peer;
  peer.Send(Get(1, Field("cookie", "a=1") + Field("x-a", "1") + Field("cookie", "b=2")));
  CHECK(peer.streams.at(1)->request.fields.Get("cookie") == "a=1; b=2");
  CHECK(peer.streams.at(1)->request.fields.Count("cookie") == 1);
}

TEST_CASE("a body arrives in pieces, then its trailers") {
  Http2Peer peer;
  peer.Send(Post(1) + Frame(kData, 0, 1, "he") + Frame(kData, 0, 1, "llo"));
  CHECK(peer.streams.at(1)->data == "hello");
  CHECK_FALSE(peer.streams.at(1)->ended);
  peer.Send(Frame(kHeaders, kEndStream | kEndHeaders, 1, Field("x-sum", "7")));
  CHECK(peer.streams.at(1)->ended);
  CHECK(peer.streams.at(1)->trailers.Get("x-sum") == "7");
}

TEST_CASE("a response goes out as head, data and end") {
  Http2Peer peer;
  peer.Send(Get(1));
  auto& stream = *peer.streams.at(1);
  const ResponseHead head = Answer(200);
  peer.session.Respond(*stream.handle, head, {.kind = Framing::Kind::kLength, .length = 2}, false);
  peer.session.Send(*stream.handle, "ok", true);
  const auto frames = peer.Frames();
  REQUIRE(frames.size() == 2);
  CHECK((frames[0].type == kHeaders && frames[0].payload[0] == '\x88'));  // :status 200
  CHECK((frames[1].type == kData && frames[1].flags == kEndStream && frames[1].payload == "ok"));
  CHECK((stream.sent == 1 && stream.closed == Http2Error::kNone));
}

TEST_CASE("trailers follow the data") {
  Http2Peer peer;
  peer.Send(Get(1));
  auto& stream = *peer.streams.at(1);
  const ResponseHead head = Answer(200);
  peer.session.Respond(*stream.handle, head, {}, false);
  Fields trailers;
  trailers.Add("grpc-status", "0");
  peer.session.Send(*stream.handle, "ok", true, &trailers);
  const auto frames = peer.Frames();
  REQUIRE(frames.size() == 3);
  CHECK((frames[1].type == kData && frames[1].flags == 0));
  CHECK((frames[2].type == kHeaders && frames[2].flags == (kEndStream | kEndHeaders)));
  CHECK(stream.closed == Http2Error::kNone);
}

TEST_CASE("what the peer's window has no room for stays with the owner") {
  Http2Peer peer;
  peer.Send(Frame(kSettings, 0, 0, "\0\4\0\0\0\5"s) + Get(1));  // INITIAL_WINDOW_SIZE 5
  auto& stream = *peer.streams.at(1);
  const ResponseHead head = Answer(200);
  peer.session.Respond(*stream.handle, head, {}, false);
  peer.session.Send(*stream.handle, "hello, world", true);
  peer.Frames();
  CHECK((stream.sent == 0 && stream.handle->unsent() == ", world"));
  peer.Send(Frame(kWindowUpdate, 0, 1, Number(100)));
  CHECK(peer.Frames().back().payload == ", world");
  CHECK(stream.sent == 1);
}

TEST_CASE("output stops at its bound and goes on later") {
  Http2Peer peer;
  peer.Send(Get(1));
  auto& stream = *peer.streams.at(1);
  const ResponseHead head = Answer(200);
  const std::string body(40'000, 'x');
  peer.session.Respond(*stream.handle, head, {}, false);
  peer.session.Send(*stream.handle, body, true);
  std::string out;
  peer.session.Pull(out, 10'000, peer.now);
  CHECK((out.size() >= 10'000 && out.size() < 10'000 + 16'393));
  CHECK(stream.sent == 0);
  out.clear();
  peer.session.Pull(out, 1 << 20, peer.now);
  CHECK(stream.sent == 1);
}

TEST_CASE("a stream that is reset while its frame waits for room sends no more of it") {
  Http2Peer peer;
  peer.Send(Get(1));
  auto& stream = *peer.streams.at(1);
  const ResponseHead head = Answer(200);
  const std::string body(40'000, 'x');
  peer.session.Respond(*stream.handle, head, {}, false);
  peer.session.Send(*stream.handle, body, true);
  std::string out;
  peer.session.Pull(out, 10'000, peer.now);
  peer.session.Detach(*stream.handle);
  CHECK(peer.ErrorOf(1) == 2);  // INTERNAL_ERROR
}

TEST_CASE("a window opens again only as far as the owner has passed bytes on") {
  Http2Peer peer;
  const std::string piece(16'384, 'x');
  peer.Send(Post(1) + Frame(kData, 0, 1, piece) + Frame(kData, 0, 1, piece) + Frame(kData, 0, 1, piece));
  CHECK(peer.Frames().empty());
  peer.session.Consume(*peer.streams.at(1)->handle, 3 * 16'384);
  const auto frames = peer.Frames();
  REQUIRE(frames.size() == 1);
  CHECK((frames[0].type == kWindowUpdate && frames[0].stream == 1 && frames[0].number() == 3 * 16'384));
}

TEST_CASE("more than the window of a stream is a flow-control error") {
  Http2Peer peer;
  const std::string piece(16'384, 'x');
  std::string bytes = Post(1);
  for (int i = 0; i < 4; ++i) bytes += Frame(kData, 0, 1, piece);
  peer.Send(bytes);
  CHECK(peer.streams.at(1)->data.size() == 65'536);
  peer.Send(Frame(kData, 0, 1, "x"));
  CHECK(peer.ErrorOf(1) == 3);
}

TEST_CASE("a graceful end lets the peer know first, and ends after a round trip") {
  Http2Peer peer;
  peer.Send(Get(1));
  peer.session.BeginGoAway();
  auto frames = peer.Frames();
  REQUIRE(frames.size() == 2);
  const auto ping = frames[0].type == kPing ? frames[0] : frames[1];
  peer.Send(Get(3) + Frame(kPing, kAck, 0, ping.payload));
  CHECK(peer.streams.contains(3));
  frames = peer.Frames();
  REQUIRE(frames.size() == 1);
  CHECK((frames[0].type == kGoAway && frames[0].number() == 3 && frames[0].number(4) == 0));
  peer.Send(Get(5));
  CHECK_FALSE(peer.streams.contains(5));
}

TEST_CASE("a client asks and hears the answer") {
  Http2Peer peer(Http2Session::Role::kClient);
  peer.Send(Frame(kSettings, 0, 0));
  Fields fields;
  fields.Add("X-A", "1");
  Http2Peer::Stream stream;
  stream.handle = peer.session.Ask({.method = "GET",
                                    .scheme = "http",
                                    .authority = "a.test",
                                    .path = "/",
                                    .fields = &fields,
                                    .framing = {},
                                    .end = true,
                                    .takes_trailers = false},
                                   stream);
  REQUIRE(stream.handle != nullptr);
  bool asked = false;
  for (const auto& frame : peer.Frames()) asked |= frame.type == kHeaders && frame.stream == 1;
  CHECK(asked);
  peer.Send(Frame(kHeaders, kEndHeaders, 1, Field(":status", "103")) + Frame(kHeaders, kEndHeaders, 1, "\x88") +
            Frame(kData, kEndStream, 1, "ok"));
  REQUIRE(stream.responses.size() == 2);
  CHECK((stream.responses[0].status == 103 && stream.responses[1].status == 200));
  CHECK((stream.data == "ok" && stream.ended && stream.closed == Http2Error::kNone));
}

TEST_CASE("a client's request that the server never processed is refused") {
  Http2Peer peer(Http2Session::Role::kClient);
  peer.Send(Frame(kSettings, 0, 0));
  Fields fields;
  Http2Peer::Stream stream;
  stream.handle = peer.session.Ask({.method = "GET",
                                    .scheme = "http",
                                    .authority = "a.test",
                                    .path = "/",
                                    .fields = &fields,
                                    .framing = {},
                                    .end = true,
                                    .takes_trailers = false},
                                   stream);
  peer.Frames();
  peer.Send(Frame(kGoAway, 0, 0, Number(0) + Number(0)));
  CHECK((stream.closed == Http2Error::kRefused && peer.goaways == 1));
  CHECK(peer.session.capacity() == 0);
}

TEST_CASE("a client takes a body only behind a head, and only as much as was declared") {
  for (const std::string& bytes :
       {Frame(kData, 0, 1, "x"),
        Frame(kHeaders, kEndHeaders, 1, "\x88" + Field("content-length", "1")) + Frame(kData, 0, 1, "xy")}) {
    Http2Peer peer(Http2Session::Role::kClient);
    peer.Send(Frame(kSettings, 0, 0));
    Fields fields;
    Http2Peer::Stream stream;
    peer.session.Ask({.method = "GET",
                      .scheme = "http",
                      .authority = "a.test",
                      .path = "/",
                      .fields = &fields,
                      .framing = {},
                      .end = true,
                      .takes_trailers = false},
                     stream);
    peer.Frames();
    peer.Send(bytes);
    CHECK(stream.data.empty());
    CHECK((stream.closed == Http2Error::kProtocol || peer.ErrorOf(0) == 1));
  }
}
