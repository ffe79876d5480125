// Which of several real targets requests reach.

#include <atomic>
#include <future>
#include <memory>
#include <set>
#include <thread>

#include "catch2/catch.hpp"
#include "tests/data-plane/io/dns_server.h"
#include "tests/support/node.h"
#include "tests/support/process.h"

using sluice::test::Answering;
using sluice::test::Balanced;
using sluice::test::Eventually;
using sluice::test::kGet;
using sluice::test::Node;
using sluice::test::NodeOptions;
using sluice::test::Peer;
using sluice::test::TargetEntity;
using sluice::test::Upstream;
using sluice::test::WireResponse;

namespace {

// Targets that answer with their number.
class Targets {
 public:
  explicit Targets(int count) {
    for (int i = 0; i < count; ++i) {
      list_.push_back(
          std::make_unique<Upstream>(Answering("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + std::to_string(i))));
    }
  }
  std::string Entities() const {
    std::string text;
    for (const auto& target : list_) {
      text += TargetEntity(target->port());
    }
    return text;
  }

 private:
  std::vector<std::unique_ptr<Upstream>> list_;
};

std::string Asking(const std::string& path, const std::string& fields = "") {
  return "GET " + path + " HTTP/1.1\r\nHost: a.test\r\n" + fields + "\r\n";
}

std::string Dead() {
  return TargetEntity(sluice::test::FreePort());
}

// The targets that so many different requests reach.
std::set<std::string> Reached(Node& node, const std::function<std::string(int)>& request, int count = 20) {
  std::set<std::string> reached;
  for (int i = 0; i < count; ++i) reached.insert(node.Ask(request(i)).body);
  return reached;
}

}  // namespace

TEST_CASE("requests take turns by default") {
  const Targets targets(3);
  Node node({.gateway = Balanced("", targets.Entities())});
  CHECK(Reached(
            node, [](int) { return kGet; }, 3)
            .size() == 3);
}

TEST_CASE("a header that is hashed decides the target") {
  const Targets targets(4);
  Node node({.gateway = Balanced(R"(hash_on: "header" hash_on_header: "X-User")", targets.Entities()), .workers = 2});
  CHECK(Reached(node, [](int) { return Asking("/", "x-user: ann\r\n"); }).size() == 1);
  CHECK(Reached(node, [](int i) { return Asking("/", "x-user: u" + std::to_string(i) + "\r\n"); }).size() > 1);
  CHECK(Reached(
            node, [](int) { return kGet; }, 8)
            .size() > 1);
}

TEST_CASE("a fallback is hashed where the first is missing") {
  const Targets targets(4);
  Node node({.gateway =
                 Balanced(R"(hash_on: "query_arg" hash_on_query_arg: "u" hash_fallback: "path")", targets.Entities())});
  CHECK(Reached(node, [](int i) { return Asking("/" + std::to_string(i) + "?u=a%20b"); }).size() == 1);
  CHECK(Reached(node, [](int) { return Asking("/same?v=1"); }).size() == 1);
  CHECK(Reached(node, [](int i) { return Asking("/" + std::to_string(i)); }).size() > 1);
}

TEST_CASE("a part of the path may decide") {
  const Targets targets(4);
  Node node({.gateway = Balanced(R"(hash_on: "uri_capture" hash_on_uri_capture: "id")", targets.Entities(),
                                 R"(paths: "~/users/(?P<id>[0-9]+)/")")});
  CHECK(Reached(node, [](int i) { return Asking("/users/7/" + std::to_string(i)); }).size() == 1);
  CHECK(Reached(node, [](int i) { return Asking("/users/" + std::to_string(i) + "/"); }).size() > 1);
}

TEST_CASE("a client without the cookie gets one, and stays where the cookie says") {
  const Targets targets(4);
  Node node({.gateway = Balanced(R"(hash_on: "cookie" hash_on_cookie: "stick" hash_on_cookie_path: "/app")",
                                 targets.Entities())});
  for (int i = 0; i < 4; ++i) {
    const WireResponse first = node.Ask(kGet);
    const std::string set = first.fields.at("set-cookie");
    CHECK(set.ends_with("; Path=/app; SameSite=Lax; HttpOnly"));
    REQUIRE(set.starts_with("stick="));
    const std::string cookie = "Cookie: a=b; " + set.substr(0, set.find(';')) + "; c=d\r\n";
    const WireResponse second = node.Ask(Asking("/", cookie));
    CHECK(second.body == first.body);
    CHECK(second.fields.count("set-cookie") == 0);
  }
}

TEST_CASE("least-connections keeps away from the target that is busy") {
  std::promise<void> asked, answer;
  auto wait = answer.get_future().share();
  Upstream busy([&](Upstream&, Peer& peer) {
    if (peer.ReadRequest().empty()) return;
    asked.set_value();
    wait.wait();
    peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbusy");
  });
  const Targets idle(1);
  const std::string first = TargetEntity(busy.port());
  Node node({.gateway = Balanced(R"(algorithm: "least-connections")", first), .workers = 2});
  auto client = node.Connect();
  client.Send(kGet);
  asked.get_future().wait();
  node.Publish(Balanced(R"(algorithm: "least-connections")", first + idle.Entities()));
  for (int i = 0; i < 5; ++i) {
    CHECK(node.Ask(kGet).body == "0");
    REQUIRE(Eventually([&] { return node.stats().requests_in_flight == 1; }));  // an answer comes before its end
  }
  answer.set_value();
  CHECK(client.Read().body == "busy");
}

TEST_CASE("latency keeps away from the target that was slow once, on every worker") {
  std::atomic<int> asked{0};
  Upstream slow([&](Upstream&, Peer& peer) {
    while (!peer.ReadRequest().empty()) {
      ++asked;
      std::this_thread::sleep_for(std::chrono::seconds(2));  // far more than the other needs on a busy machine
      peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nslow");
    }
  });
  const Targets quick(1);
  Node node({.gateway = Balanced(R"(algorithm: "latency")", TargetEntity(slow.port()) + quick.Entities()),
             .workers = 2});
  for (int i = 0; i < 2; ++i) node.Ask(kGet);  // a target that nothing is known of is asked first
  CHECK(asked == 1);
  for (int i = 0; i < 20; ++i) CHECK(node.Ask(kGet).body == "0");
  CHECK(asked == 1);
}

TEST_CASE("requests are retried on other targets, but no more than the budget allows") {
  std::string dead;
  for (int i = 0; i < 4; ++i) dead += Dead();
  Node node({.gateway = Balanced("", dead)});
  for (int i = 0; i < 40; ++i) node.Ask(kGet);
  const auto stats = node.stats();
  CHECK(stats.retries <= 10 + 40 / 5 + 5);  // what time brings included
  CHECK(stats.retries > 0);
  CHECK(stats.retries_refused > 0);
}

TEST_CASE("a dead target costs one request a retry, not each") {
  const Targets targets(1);
  Node node({.gateway = Balanced("", Dead() + targets.Entities())});
  for (int i = 0; i < 40; ++i) CHECK(node.Ask(kGet).status == 200);
  CHECK(node.stats().retries_refused == 0);
}

TEST_CASE("every address of a target's name is tried before the target has failed") {
  sluice::io::DnsServer names;
  names.Put("many.test", {.v4 = {"127.0.0.2", "127.0.0.3", "127.0.0.1"}, .v6 = {}});
  NodeOptions options{.gateway = Balanced(R"(healthchecks { passive { unhealthy { tcp_failures: 1 } } })",
                                          R"(targets { upstream: "u" target: "many.test:UPSTREAM_PORT" } )")};
  options.options.resolvers = names.servers();
  Node node(std::move(options));
  for (int i = 0; i < 4; ++i) CHECK(node.Ask(kGet).status == 200);
  CHECK(node.stats().targets_unhealthy == 0);
}
