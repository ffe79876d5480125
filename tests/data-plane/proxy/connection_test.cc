// A client's connection: how long it may take, how often it may ask, how it ends.

#include <algorithm>
#include <future>
#include <optional>
#include <thread>

#include "catch2/catch.hpp"
#include "tests/support/node.h"
#include "tests/support/process.h"

using sluice::test::Eventually;
using sluice::test::kGet;
using sluice::test::Node;
using sluice::test::NodeOptions;
using sluice::test::Peer;
using sluice::test::WireResponse;
using namespace std::chrono_literals;

TEST_CASE("a head that does not come to its end is a 408") {
  NodeOptions options;
  options.options.times.head_read = 50ms;
  Node node(std::move(options));
  auto client = node.Connect();
  client.Send("GET / HTTP/1.1\r\nHost: a.te");
  CHECK(client.Read().status == 408);
  CHECK(client.Closed());
  CHECK(node.stats().rejected["head-time"] == 1);
}

TEST_CASE("a head that never stops coming is a 408 all the same") {
  NodeOptions options;
  options.options.times.head_read = 50ms;
  Node node(std::move(options));
  auto client = node.Connect();
  client.Send("GET /");
  std::jthread drip([&](std::stop_token stop) {  // slow enough to take minutes to the limit of the line
    while (!stop.stop_requested() && client.Send("x")) std::this_thread::sleep_for(10ms);
  });
  CHECK(client.Read().status == 408);
}

TEST_CASE("a connection without a request is closed without an answer") {
  NodeOptions options;
  options.options.times.keep_alive_idle = 50ms;
  Node node(std::move(options));
  auto client = node.Connect();
  CHECK(client.Read().status == 0);
  CHECK(client.Closed());
  CHECK(node.stats().connections_ended_idle == 1);
}

TEST_CASE("a connection is closed when no next request comes in time") {
  NodeOptions options;
  options.options.times.keep_alive_idle = 50ms;
  Node node(std::move(options));
  auto client = node.Connect();
  CHECK(client.Get("a.test", "/").fields.count("connection") == 0);
  CHECK(client.Closed());
  CHECK(node.stats().connections_ended_idle == 1);
}

TEST_CASE("a request line at the limit is served and one past it is a 414") {
  Node node;
  const std::string rest = " HTTP/1.1\r\nHost: a.test\r\n\r\n";
  const std::string path = "/" + std::string(8192 - 4 - 1 - 9, 'x');  // "GET " before, " HTTP/1.1" behind
  CHECK(node.Ask("GET " + path + rest).status == 200);
  CHECK(node.Ask("GET " + path + "x" + rest).status == 414);
  CHECK(node.Ask("GET /" + std::string(20'000, 'x')).status == 414);
  CHECK(node.stats().rejected["request-line-too-long"] == 2);
}

TEST_CASE("a head at its limit is served and one past it is a 431") {
  Node node;
  const std::string head = "GET / HTTP/1.1\r\nHost: a.test\r\nX: ";
  const size_t rest = 32'768 - (4 + 6 + 32) - (1 + 32);  // 32 bytes more for each field
  CHECK(node.Ask(head + std::string(rest, 'x') + "\r\n\r\n").status == 200);
  CHECK(node.Ask(head + std::string(rest + 1, 'x') + "\r\n\r\n").status == 431);
  CHECK(node.Ask(head + std::string(41'000, 'x')).status == 431);
  CHECK(node.stats().rejected["head-too-large"] == 2);
}

TEST_CASE("the longest request line with the largest head is served, also where it comes in two pieces") {
  Node node;
  const std::string line = "GET /" + std::string(8192 - 4 - 1 - 9, 'x') + " HTTP/1.1\r\nHost: a.test\r\nX: ";
  auto client = node.Connect();
  client.Send(line + std::string(32'000, 'x'));
  for (int turn = 0; turn < 2; ++turn) node.stats();  // by then the worker has read the first piece
  client.Send(std::string(768 - (4 + 6 + 32) - (1 + 32), 'x').append("\r\n\r\n"));
  CHECK(client.Read().status == 200);
}

TEST_CASE("a hundred fields are served and one more is a 431, cookies too") {
  for (const char* line : {"a: b\r\n", "Cookie: a=b\r\n"}) {
    Node node;
    std::string head = "GET / HTTP/1.1\r\nHost: a.test\r\n";
    for (int i = 1; i < 100; ++i) head += line;
    CHECK(node.Ask(head + "\r\n").status == 200);
    CHECK(node.Ask(head + line + "\r\n").status == 431);
    CHECK(node.stats().rejected["too-many-fields"] == 1);
    CHECK(node.upstream().requests() == 1);
  }
}

TEST_CASE("a head that is none is a 400 and ends the connection") {
  Node node;
  auto client = node.Connect();
  client.Send("GET / HTTP/1.1\nHost: a.test\n\n");
  WireResponse response = client.Read();
  CHECK(response.status == 400);
  CHECK(response.fields["connection"] == "close");
  CHECK(client.Closed());
}

TEST_CASE("what is neither HTTP/1 nor HTTP/2 is closed without an answer, as the first thing on a connection only") {
  Node node;
  const std::string foreign = "INVALID CONNECTION PREFACE\r\n\r\n";
  auto client = node.Connect();
  client.Send(foreign);
  CHECK(client.Read().status == 0);
  CHECK(client.Closed());
  CHECK(node.stats().rejected["foreign-protocol"] == 1);
  auto other = node.Connect();
  other.Send(kGet + foreign);
  CHECK(other.Read().status == 200);
  CHECK(other.Read().status == 400);
  CHECK(node.Ask("INVALID /CONNECTION PREFACE\r\n\r\n").status == 400);
}

TEST_CASE("a head that comes byte by byte is served") {
  Node node;
  auto client = node.Connect();
  for (char c : std::string(kGet)) client.Send(std::string(1, c));
  CHECK(client.Read().status == 200);
}

TEST_CASE("a connection older than its age ends politely with the next answer") {
  NodeOptions options;
  options.options.times.connection_age = 0s;
  Node node(std::move(options));
  auto client = node.Connect();
  WireResponse response = client.Get("a.test", "/");
  CHECK(response.status == 200);
  CHECK(response.fields["connection"] == "close");
  CHECK(client.Closed());
  CHECK(node.stats().connections_ended_age == 1);
}

TEST_CASE("the last request that a connection may carry ends it politely, and one past it is not served") {
  NodeOptions options;
  options.options.max_requests_per_connection = 2;
  Node node(std::move(options));
  auto client = node.Connect();
  CHECK(client.Get("a.test", "/").fields.count("connection") == 0);
  client.Send("GET /2 HTTP/1.1\r\nHost: a.test\r\n\r\nGET /3 HTTP/1.1\r\nHost: a.test\r\n\r\n");
  WireResponse last = client.Read();
  CHECK(last.status == 200);
  CHECK(last.fields["connection"] == "close");
  CHECK(client.Read().status == 0);
  CHECK(node.upstream().requests() == 2);
  CHECK(node.stats().connections_ended_requests == 1);
}

TEST_CASE("the connection at the limit of an address is served and the one past it is closed") {
  NodeOptions options;
  options.options.max_connections_per_address = 2;
  options.workers = 2;
  Node node(std::move(options));
  auto first = node.Connect();
  auto second = node.Connect();
  CHECK(first.Get("a.test", "/").status == 200);
  CHECK(second.Get("a.test", "/").status == 200);
  auto third = node.Connect();
  CHECK(third.Closed());
  CHECK(node.stats().connections_refused_address == 1);
}

TEST_CASE("the connection at the limit of all is served and the one past it is closed") {
  NodeOptions options;
  options.options.max_connections = 1;
  Node node(std::move(options));
  auto first = node.Connect();
  CHECK(first.Get("a.test", "/").status == 200);
  auto second = node.Connect();
  CHECK(second.Closed());
  CHECK(first.Get("a.test", "/").status == 200);
  CHECK(node.stats().connections_refused_total == 1);
}

TEST_CASE("draining ends idle connections and waits for what is in flight") {
  std::promise<void> asked, answer;
  Node node({.upstream = [&](auto&, Peer& peer) {
    if (peer.ReadRequest().empty()) return;
    asked.set_value();
    answer.get_future().wait();
    peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  }});
  auto idle = node.Connect();
  CHECK(idle.Get("b.test", "/").status == 404);
  auto busy = node.Connect();
  busy.Send(kGet);
  asked.get_future().wait();
  auto drained = std::async(std::launch::async, [&] { return node.group().Drain(0s, 30s); });
  CHECK(idle.Closed());
  answer.set_value();
  WireResponse response = busy.Read();
  CHECK(response.status == 200);
  CHECK(response.fields["connection"] == "close");
  CHECK(drained.get());
}

TEST_CASE("draining delivers the log entries that wait for company") {
  Node node({.gateway = R"(hosts: "a.test" routes { paths: "/" } plugins { name: "http-log" config {
    fields { key: "http_endpoint" value { string_value: "http://127.0.0.1:UPSTREAM_PORT/log" } }
    fields { key: "queue" value { struct_value {
      fields { key: "max_batch_size" value { number_value: 100 } }
      fields { key: "max_coalescing_delay" value { number_value: 3600 } } } } } } })"});
  CHECK(node.Connect().Get("a.test", "/").status == 200);
  CHECK(node.upstream().requests() == 1);
  CHECK(node.group().Drain(0s, 30s));
  CHECK(node.upstream().requests() == 2);
  CHECK(node.upstream().last().starts_with("POST /log HTTP/1.1\r\n"));
}

TEST_CASE("draining does not wait for ever") {
  Node node({.upstream = [](auto&, Peer& peer) {
    peer.ReadRequest();
    peer.WaitForClose();
  }});
  auto client = node.Connect();
  client.Send(kGet);
  REQUIRE(Eventually([&] { return node.upstream().connections() > 0; }));
  CHECK_FALSE(node.group().Drain(0s, 0s));
}

TEST_CASE("a request that draining cuts is logged and counted once, and plugins are told") {
  sluice::test::TempDir folder;
  NodeOptions options;
  options.gateway = R"(hosts: "a.test" routes { paths: "/" } plugins { name: "http-log" config {
    fields { key: "http_endpoint" value { string_value: "http://127.0.0.1:UPSTREAM_PORT/log" } } } })";
  options.upstream = [](auto& upstream, Peer& peer) {
    upstream.Record(peer.ReadRequest());
    if (upstream.last().starts_with("POST /log ")) return peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel");
    peer.WaitForClose();
  };
  options.options.access_log = folder / "access.log";
  std::optional<Node> node(std::move(options));
  auto client = node->Connect();
  client.Send(kGet);
  REQUIRE(Eventually([&] { return node->upstream().requests() > 0; }));
  CHECK_FALSE(node->group().Drain(0s, 0s));
  CHECK(node->upstream().requests() == 2);
  CHECK(node->stats().rejected.at("drain") == 1);
  node.reset();
  const std::string lines = sluice::test::ReadFile(folder / "access.log");
  CHECK(lines.find("\"reject_reason\":\"drain\"") != std::string::npos);
  CHECK(std::count(lines.begin(), lines.end(), '\n') == 1);
}
