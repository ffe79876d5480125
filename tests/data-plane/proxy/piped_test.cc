// Large bodies between plain connections, which go from one to the other inside the kernel.

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <future>
#include <thread>

#include "catch2/catch.hpp"
#include "data-plane/io/pipe.h"
#include "data-plane/proxy/limits.h"
#include "tests/support/node.h"

using sluice::test::Answering;
using sluice::test::kGet;
using sluice::test::Node;
using sluice::test::NodeOptions;
using sluice::test::Peer;
using sluice::test::WireResponse;
using namespace std::chrono_literals;

namespace {

constexpr size_t kLarge = 10 * 1024 * 1024;  // the plan's bound
constexpr const char* kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

// Bytes of which every one says where it belongs.
std::string Pattern(size_t size) {
  std::string bytes(size, '\0');
  uint32_t state = 1;
  for (char& byte : bytes) byte = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  return bytes;
}

std::string Post(size_t length, const std::string& method = "POST") {
  return method + " / HTTP/1.1\r\nHost: a.test\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
}

// Ends of pipes that this process has open.
int PipeEnds() {
  int count = 0;
  DIR* const open = opendir("/proc/self/fd");
  REQUIRE(open != nullptr);
  while (const dirent* entry = readdir(open)) {
    char target[64] = {};
    const std::string path = std::string("/proc/self/fd/") + entry->d_name;
    if (readlink(path.c_str(), target, sizeof target - 1) > 0) count += std::string_view(target).starts_with("pipe:");
  }
  closedir(open);
  return count;
}

// What follows `beginning` is left to the test; the upstream reads so much of the body first.
sluice::test::Upstream::Serve After(size_t bytes, std::function<void(Peer&)> then) {
  return [=](auto&, Peer& peer) {
    if (peer.ReadHead().empty()) return;
    while (peer.buffered.size() < bytes && peer.ReadMore()) {
    }
    then(peer);
  };
}

}  // namespace

TEST_CASE("a large body goes upstream byte by byte as it came, through a pipe, and both connections go on") {
  Node node;
  const int before = PipeEnds();
  const std::string body = Pattern(kLarge);
  auto client = node.Connect();
  client.Send(Post(kLarge));
  client.Send(body);
  CHECK(client.Read().status == 200);
  CHECK(node.upstream().last().ends_with("\r\n\r\n" + body));
  CHECK(PipeEnds() > before);
  CHECK(client.Get("a.test", "/").status == 200);
  CHECK(node.upstream().connections() == 1);
}

TEST_CASE("a body one byte past the plan's bound is refused before any of it moves") {
  Node node;
  auto client = node.Connect();
  client.Send(Post(kLarge + 1));
  CHECK(client.Read().status == 413);
  CHECK(node.upstream().requests() == 0);
}

TEST_CASE("a large answer reaches the client byte by byte as it came, and both connections go on") {
  const std::string body = Pattern(kLarge);
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kLarge) + "\r\n\r\n";
  Node node({.upstream = Answering(head + body)});
  const int before = PipeEnds();
  auto client = node.Connect();
  for (int i = 0; i < 2; ++i) {
    const WireResponse response = client.Get("a.test", "/");
    CHECK(response.status == 200);
    CHECK(response.body == body);
  }
  CHECK(PipeEnds() > before);
  CHECK(node.upstream().connections() == 1);
}

TEST_CASE("bodies around the threshold arrive whole both ways") {
  Node node({.upstream = [](auto& upstream, Peer& peer) {
    for (std::string request = peer.ReadRequest(); !request.empty(); request = peer.ReadRequest()) {
      upstream.Record(request);
      const std::string body = request.substr(request.find("\r\n\r\n") + 4);
      peer.Send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n");
      peer.Send(body);
    }
  }});
  auto client = node.Connect();
  for (const size_t size : {sluice::proxy::kMinPiped - 1, sluice::proxy::kMinPiped, sluice::proxy::kMinPiped + 1,
                            2 * sluice::proxy::kMinPiped, sluice::io::kPipeBytes + 1}) {
    const std::string body = Pattern(size);
    client.Send(Post(size));
    client.Send(body);
    CHECK(client.Read().body == body);
  }
  CHECK(node.upstream().connections() == 1);
}

TEST_CASE("what a client sends behind a large body is its next request") {
  Node node;
  auto client = node.Connect();
  client.Send(Post(1'000'000) + Pattern(1'000'000) + "GET /next HTTP/1.1\r\nHost: a.test\r\n\r\n");
  CHECK(client.Read().status == 200);
  CHECK(client.Read().status == 200);
  CHECK(node.upstream().last().starts_with("GET /next "));
}

TEST_CASE("what an upstream sends behind a large answer is nobody's, and its connection carries no other") {
  const std::string body = Pattern(1'000'000);
  Node node({.upstream = [&](auto&, Peer& peer) {
    if (peer.ReadRequest().empty()) return;
    peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + body + "HTTP/1.1 200 OK\r\nEvil: 1\r\n\r\n");
    peer.WaitForClose();
  }});
  auto client = node.Connect();
  for (int i = 0; i < 3; ++i) CHECK(client.Get("a.test", "/").body == body);
  CHECK(node.upstream().connections() == 3);
}

TEST_CASE("an early refusal of a large body is passed on, and neither connection is used again") {
  Node node({.upstream = After(1'000'000, [](Peer& peer) {
               peer.Send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
               peer.WaitForClose();
             })});
  auto client = node.Connect();
  client.Send(Post(kLarge));
  client.Send(Pattern(3'000'000));
  const WireResponse response = client.Read();
  CHECK(response.status == 403);
  CHECK(response.body == "no");
  CHECK(response.fields.at("connection") == "close");
  CHECK(client.Closed());
}

TEST_CASE("a client that leaves in the middle of a large body takes the upstream's request with it") {
  std::promise<size_t> seen;
  Node node({.upstream = After(1'000'000, [&](Peer& peer) {
               peer.WaitForClose();
               seen.set_value(peer.buffered.size());
             })});
  {
    auto client = node.Connect();
    client.Send(Post(kLarge));
    client.Send(Pattern(2'000'000));
  }
  CHECK(seen.get_future().get() <= 2'000'000);
  CHECK(node.stats().rejected["client-gone"] == 1);
  CHECK(node.stats().requests_in_flight == 0);
}

TEST_CASE("an upstream that leaves in the middle of a large body is a 502 and is not asked again") {
  std::atomic<int> asked = 0;
  Node node({.upstream = [&](auto&, Peer& peer) {
    for (;;) {
      const std::string head = peer.ReadHead();
      if (head.empty()) return;
      ++asked;
      if (head.starts_with("GET ")) {
        peer.Send(kOk);
        continue;
      }
      while (peer.buffered.size() < 1'000'000 && peer.ReadMore()) {
      }
      return peer.Reset();
    }
  }});
  auto client = node.Connect();
  CHECK(client.Get("a.test", "/").status == 200);  // from now on the connection is a pooled one
  client.Send(Post(kLarge, "PUT"));
  client.Send(Pattern(3'000'000));
  CHECK(client.Read().status == 502);
  CHECK(client.Closed());
  CHECK(asked == 2);
}

TEST_CASE("an upstream that leaves in the middle of a large answer cuts it for the client as well") {
  Node node({.upstream = After(0, [](Peer& peer) {
               peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n" + Pattern(2'000'000));
             })});
  auto client = node.Connect();
  client.Send(kGet);
  const WireResponse response = client.Read();
  CHECK(response.body == Pattern(2'000'000).substr(0, response.body.size()));
  CHECK(client.Closed());
  CHECK(node.stats().rejected["upstream-truncated"] == 1);
}

TEST_CASE("a client that leaves in the middle of a large answer takes the upstream's connection with it") {
  std::promise<void> cut;
  Node node({.upstream = After(0, [&](Peer& peer) {
               peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
               const std::string piece(65'536, 'x');
               while (peer.TrySend(piece)) {
               }
               cut.set_value();
             })});
  {
    auto client = node.Connect();
    client.Send(kGet);
    CHECK(client.Take(1'000'000).size() == 1'000'000);
  }
  cut.get_future().wait();
  CHECK(node.stats().rejected["client-gone"] == 1);
}

TEST_CASE("a large body that stops coming is a 408") {
  NodeOptions options;
  options.options.times.body_rate_window = 100ms;
  Node node(std::move(options));
  auto client = node.Connect();
  client.Send(Post(kLarge) + Pattern(500'000));
  CHECK(client.Read().status == 408);
  CHECK(client.Closed());
  CHECK(node.stats().rejected["body-rate"] == 1);
}

TEST_CASE("a large body that a plugin looks at passes through it") {
  Node node({.gateway = R"(hosts: "a.test" routes { paths: "/" } plugins { name: "request-size-limiting" })"});
  const int before = PipeEnds();
  const std::string body = Pattern(900'000);
  auto client = node.Connect();
  client.Send(Post(body.size()));
  client.Send(body);
  CHECK(client.Read().status == 200);
  CHECK(node.upstream().last().ends_with(body));
  CHECK(PipeEnds() == before);
}

TEST_CASE("without descriptors for a pipe a large body is copied") {
  Node node;
  auto client = node.Connect();
  CHECK(client.Get("a.test", "/").status == 200);
  const int before = PipeEnds();
  const std::string body = Pattern(kLarge);
  rlimit limit{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  const rlimit none{.rlim_cur = 3, .rlim_max = limit.rlim_max};
  REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
  client.Send(Post(kLarge));
  client.Send(body);
  const WireResponse response = client.Read();
  REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
  CHECK(response.status == 200);
  CHECK(node.upstream().last().ends_with(body));
  CHECK(PipeEnds() == before);
}

TEST_CASE("stalled uploads hold a pipe each at most, and give it back; others are served meanwhile") {
  constexpr int kUploads = 20;
  std::promise<void> over;
  const std::shared_future<void> end = over.get_future().share();
  NodeOptions options;
  options.more_gateways = {R"(id: "b" hosts: "b.test" routes { paths: "/" })"};
  options.upstream = [&](auto&, Peer& peer) {
    for (std::string head = peer.ReadHead(); !head.empty(); head = peer.ReadHead()) {
      if (head.starts_with("POST ")) return end.wait();
      peer.Send(kOk);
    }
  };
  const int before = PipeEnds();
  Node node(std::move(options));
  std::vector<std::future<void>> uploads;
  for (int i = 0; i < kUploads; ++i) {
    const std::shared_ptr<sluice::test::WireClient> client(new sluice::test::WireClient(node.Connect()));  // asserts
    uploads.push_back(std::async(std::launch::async, [client] {
      client->Send(Post(kLarge));
      client->Send(std::string(kLarge, 'x'));
    }));
  }
  while (node.upstream().connections() < kUploads) std::this_thread::yield();
  auto client = node.Connect();
  for (int i = 0; i < 20; ++i) CHECK(client.Get("b.test", "/").status == 200);
  CHECK(PipeEnds() - before <= 2 * kUploads);
  over.set_value();
  for (auto& upload : uploads) upload.wait();
  while (node.stats().requests_in_flight > 0) std::this_thread::yield();
  CHECK(PipeEnds() - before <= 2 * static_cast<int>(sluice::io::kMaxIdlePipes));
}

TEST_CASE("a change of the configuration and a drain let a large body arrive") {
  NodeOptions options;
  options.options.times.linger = 50ms;
  Node node(std::move(options));
  const std::string body = Pattern(kLarge);
  auto client = node.Connect();
  client.Send(Post(kLarge));
  client.Send(body.substr(0, kLarge / 3));
  while (node.upstream().connections() == 0) std::this_thread::yield();
  node.Publish(R"(hosts: "a.test" routes { paths: "/other" })");
  client.Send(body.substr(kLarge / 3, kLarge / 3));
  auto drained = std::async(std::launch::async, [&] { return node.group().Drain(0s, 30s); });
  client.Send(body.substr(kLarge / 3 * 2));
  CHECK(client.Read().status == 200);
  CHECK(node.upstream().last().ends_with(body));
  CHECK(drained.get());
}
