// What is tried on connections of HTTP/2: floods, stalls, slow clients; and how connections end.

#include <functional>
#include <future>
#include <thread>

#include "catch2/catch.hpp"
#include "tests/support/http2_client.h"
#include "tests/support/node.h"

using namespace sluice::test::h2;
using sluice::test::Answering;
using sluice::test::Eventually;
using sluice::test::Http2Client;
using sluice::test::Node;
using sluice::test::NodeOptions;
using sluice::test::Peer;
using sluice::test::Upstream;
using std::chrono::milliseconds;

namespace {

constexpr uint32_t kCalm = 11;

std::string Repeat(const std::string& frame, int times) {
  std::string bytes;
  for (int i = 0; i < times; ++i) bytes += frame;
  return bytes;
}

// Does something again and again, until that fails or the test is over.
class Drip {
 public:
  explicit Drip(std::function<bool()> drop)
      : thread_([drop = std::move(drop)](std::stop_token stop) {
          while (!stop.stop_requested() && drop()) std::this_thread::sleep_for(milliseconds(5));
        }) {}

 private:
  std::jthread thread_;
};

// Never answers.
void Silent(Upstream& upstream, Peer& peer) {
  upstream.Record(peer.ReadRequest());
  peer.WaitForClose();
}

}  // namespace

TEST_CASE("rapid resets end the connection and reach no service") {
  Node node;
  Http2Client client(node.group().http_port());
  std::string bytes;
  for (uint32_t id = 1; id < 6000; id += 2) bytes += Get(id) + Frame(kReset, 0, id, Number(8));
  client.Send(bytes);
  CHECK(client.ReadGoAway() == kCalm);
  CHECK(client.Closed());
  CHECK(node.upstream().requests() <= 200);
  CHECK(node.stats().http2_floods == 1);
}

TEST_CASE("floods of frames end the connection, and others are served on") {
  const std::string small = Frame(kWindowUpdate, 0, 0, Number(1));
  const std::string zero = Get(1) + Frame(kWindowUpdate, 0, 1, Number(0));
  for (const std::string& flood :
       {Repeat(Frame(kSettings, 0, 0), 6000), Repeat(Frame(kPing, 0, 0, "12345678"), 6000),
        Repeat(Frame(kPriority, 0, 3, Number(0) + "\x10"), 12'000), Post(1) + Repeat(Frame(kData, 0, 1), 12'000),
        Repeat(Frame(0xbb, 0, 0, "x"), 12'000), Repeat(small, 12'000),
        Frame(kHeaders, 0, 1, kGet) + Repeat(Frame(kContinuation, 0, 1), 3000),
        Frame(kHeaders, 0, 1, kGet) + Repeat(Frame(kContinuation, 0, 1, Field("a", std::string(1000, 'x'))), 400)}) {
    Node node;
    Http2Client client(node.group().http_port());
    client.Send(flood);
    CHECK(client.ReadGoAway() == kCalm);
    CHECK(client.Closed());
    CHECK(node.Ask("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n").status == 200);
  }
}

TEST_CASE("header bombs are a 431 on a connection that goes on") {
  const std::string seed = "\x40\x01"s + "a" + "\x7f\xe1\x1d"s + std::string(3'936, 'x');
  Node node;
  Http2Client client(node.group().http_port());
  client.Send(Frame(kSettings, 0, 0, "\0\4\0\0\0\0"s));  // INITIAL_WINDOW_SIZE 0
  client.Send(Get(1, seed + std::string(4000, '\xbe')) + Get(3, Repeat("\x60\x01"s + "a", 4000)) +
              Get(5, Repeat(Field("host", "a.test"), 1000)));
  for (const uint32_t id : {1, 3, 5}) {
    const auto head = client.Next([&](const auto& frame) { return frame.type == kHeaders && frame.stream == id; });
    REQUIRE(head.has_value());
    CHECK(head->payload.starts_with(":status: 431\n"));
  }
  CHECK(node.upstream().requests() == 0);
}

TEST_CASE("a head's bounds say by their reason which one was met") {
  const std::string seed = "\x40\x01"s + "a" + "\x7f\xe1\x1d"s + std::string(3'936, 'x');  // and indexed
  Node node;
  Http2Client client(node.group().http_port());
  const std::string path = "\x82\x86"s + Field(":authority", "a.test") + Field(":path", "/" + std::string(8192, 'x'));
  client.Send(Get(1, Repeat(Field("cookie", "a=b"), 101)) + Get(3, seed + std::string(9, '\xbe')) +
              Frame(kHeaders, kEndStream | kEndHeaders, 5, path));
  CHECK(client.Read(1).status == "431");
  CHECK(client.Read(3).status == "431");
  CHECK(client.Read(5).status == "414");
  for (const char* reason : {"too-many-fields", "head-too-large", "request-line-too-long"}) {
    CHECK(node.stats().rejected[reason] == 1);
  }
}

TEST_CASE("streams whose client opens no window are reset after the stall") {
  NodeOptions options;
  options.upstream = Answering("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + std::string(100'000, 'x'));
  options.options.times.write_stall = milliseconds(50);
  Node node(options);
  Http2Client client(node.group().http_port());
  client.Send(Frame(kSettings, 0, 0, "\0\4\0\0\0\0"s) + Get(1) + Get(3));
  CHECK(client.Read(1).error == 8);  // CANCEL
  CHECK(client.Read(3).error == 8);
  CHECK(node.stats().writes_stalled == 2);
}

TEST_CASE("a window that opens a byte at a time is as good as none, and one that opens fast enough is served") {
  NodeOptions options;
  options.upstream = Answering("HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n" + std::string(50'000, 'x'));
  const auto window = [](uint32_t bytes) { return Frame(kWindowUpdate, 0, 1, Number(bytes)); };
  const std::string opening = Frame(kSettings, 0, 0, "\0\4\0\0\0\0"s) + Get(1);
  {
    Node node(options);
    Http2Client client(node.group().http_port());
    client.Send(opening + Repeat(window(1024), 49));
    CHECK(client.Read(1).body.size() == 50'000);
    CHECK(node.stats().writes_stalled == 0);
  }
  options.options.times.write_stall = milliseconds(50);
  Node node(options);
  Http2Client client(node.group().http_port());
  client.Send(opening);
  const Drip drip([&] { return client.Send(window(1)); });
  CHECK(client.Read(1).error == 8);  // CANCEL
  CHECK(node.stats().writes_stalled == 1);
}

TEST_CASE("a body that comes a byte at a time is a 408 as well") {
  NodeOptions options;
  options.options.times.body_rate_window = milliseconds(50);
  Node node(options);
  Http2Client client(node.group().http_port());
  client.Send(Post(1));
  const Drip drip([&] { return client.Send(Frame(kData, 0, 1, "x") + Frame(kData, 0, 1)); });
  CHECK(client.Read(1).status == "408");
  CHECK(node.stats().rejected["body-rate"] == 1);
}

TEST_CASE("a body that does not come is a 408, and the connection goes on") {
  NodeOptions options;
  options.options.times.body_rate_window = milliseconds(50);
  Node node(options);
  Http2Client client(node.group().http_port());
  client.Send(Post(1, Field("content-length", "9")) + Frame(kData, 0, 1, "x"));
  CHECK(client.Read(1).status == "408");
  client.Send(Get(3));
  CHECK(client.Read(3).status == "200");
}

TEST_CASE("a header block that does not end in time ends the connection") {
  NodeOptions options;
  options.options.times.head_read = milliseconds(50);
  Node node(options);
  Http2Client client(node.group().http_port());
  client.Send(Frame(kHeaders, 0, 1, kGet));
  CHECK(client.Closed());
  CHECK(node.stats().http2_floods == 1);
}

TEST_CASE("a connection without streams ends after its idle time, politely") {
  NodeOptions options;
  options.options.times.keep_alive_idle = milliseconds(50);
  options.options.times.linger = milliseconds(50);
  Node node(options);
  Http2Client client(node.group().http_port());
  client.Send(Get(1));
  CHECK(client.Read(1).status == "200");
  CHECK(client.ReadGoAway() == 0);
  CHECK(client.Closed());
  CHECK(node.stats().connections_ended_idle == 1);
}

TEST_CASE("a connection older than its age is told so and finishes what it has") {
  NodeOptions options;
  options.options.times.connection_age = milliseconds(50);
  Node node(options);
  Http2Client client(node.group().http_port());
  const auto ping = client.Next([](const auto& frame) { return frame.type == kPing; });
  REQUIRE(ping.has_value());
  client.Send(Get(1) + Frame(kPing, kAck, 0, ping->payload));
  CHECK(client.Read(1).status == "200");
  CHECK(client.ReadGoAway() == 0);
  CHECK(client.Closed());
  CHECK(node.stats().connections_ended_age == 1);
}

TEST_CASE("a client that leaves ends its exchanges") {
  NodeOptions options;
  options.upstream = Silent;
  options.options.times.client_check = milliseconds(10);
  Node node(options);
  {
    Http2Client client(node.group().http_port());
    client.Send(Get(1) + Get(3));
    REQUIRE(Eventually([&] { return node.upstream().requests() >= 2; }));
  }
  REQUIRE(Eventually([&] { return node.stats().requests_in_flight == 0; }));
  CHECK(node.stats().connections_open == 0);
}

TEST_CASE("a stream that is reset ends its exchange, and the others go on") {
  NodeOptions options;
  options.upstream = Silent;
  options.options.times.client_check = milliseconds(10);
  Node node(options);
  Http2Client client(node.group().http_port());
  client.Send(Get(1) + Get(3));
  REQUIRE(Eventually([&] { return node.upstream().requests() >= 2; }));
  client.Send(Frame(kReset, 0, 1, Number(8)));
  REQUIRE(Eventually([&] { return node.stats().requests_in_flight <= 1; }));
  CHECK(node.stats().connections_open == 1);
}

TEST_CASE("the last request of a connection is announced, and what crossed it is served") {
  NodeOptions options;
  options.options.max_requests_per_connection = 2;
  Node node(options);
  Http2Client client(node.group().http_port());
  client.Send(Get(1) + Get(3));
  const auto ping = client.Next([](const auto& frame) { return frame.type == kPing; });
  REQUIRE(ping.has_value());
  client.Send(Get(5) + Frame(kPing, kAck, 0, ping->payload));
  CHECK(client.Read(5).status == "200");
  CHECK(client.ReadGoAway() == 0);
  CHECK(client.Closed());
  CHECK(node.stats().connections_ended_requests == 1);
}

TEST_CASE("a drain finishes what runs and takes no more") {
  Node node;
  Http2Client client(node.group().http_port());
  client.Send(Get(1));
  CHECK(client.Read(1).status == "200");
  auto drained =
      std::async(std::launch::async, [&] { return node.group().Drain(milliseconds(0), std::chrono::seconds(10)); });
  const auto ping = client.Next([](const auto& frame) { return frame.type == kPing; });
  if (ping.has_value()) client.Send(Frame(kPing, kAck, 0, ping->payload));
  CHECK(client.ReadGoAway() == 0);
  CHECK(client.Closed());
  CHECK(drained.get());
}

TEST_CASE("what is no preface is closed") {
  Node node;
  Http2Client client(node.group().http_port(), "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n");
  CHECK(client.Closed());
}

TEST_CASE("a stream past the hundredth of a connection is counted as refused") {
  NodeOptions options{.upstream = Silent};
  Node node(std::move(options));
  Http2Client client(node.group().http_port());
  std::string bytes;
  for (uint32_t id = 1; id < 202; id += 2) bytes += Get(id);
  client.Send(bytes);
  CHECK(client.Read(201).error == 7);  // REFUSED_STREAM
  CHECK(node.stats().http2_streams_refused == 1);
}
