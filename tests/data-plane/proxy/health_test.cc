// Targets that fail, leave rotation and come back, over real sockets.

#include <atomic>
#include <memory>

#include "catch2/catch.hpp"
#include "tests/data-plane/io/dns_server.h"
#include "tests/support/node.h"
#include "tests/support/process.h"

using sluice::test::Balanced;
using sluice::test::Eventually;
using sluice::test::kGet;
using sluice::test::Node;
using sluice::test::NodeOptions;
using sluice::test::Peer;
using sluice::test::TargetEntity;
using sluice::test::Upstream;

namespace {

// A target whose status may change, and that counts the health checks among its requests.
class Target {
 public:
  Target() : upstream_([this](Upstream&, Peer& peer) { Serve(peer); }) {}
  void Say(int status) { status_ = status; }
  int requests() const { return requests_; }
  int checks() const { return checks_; }
  std::string last_check() const { return upstream_.last(); }
  std::string Entity(const std::string& more = "") const {
    return TargetEntity(upstream_.port(), more);
  }

 private:
  void Serve(Peer& peer) {
    for (std::string request = peer.ReadRequest(); !request.empty(); request = peer.ReadRequest()) {
      const bool check = request.find("sluice/health-check") != std::string::npos;
      if (check) upstream_.Record(request);
      ++(check ? checks_ : requests_);
      peer.Send("HTTP/1.1 " + std::to_string(status_) + " X\r\nContent-Length: 0\r\n\r\n");
    }
  }
  std::atomic<int> status_{200};
  std::atomic<int> requests_{0};
  std::atomic<int> checks_{0};
  Upstream upstream_;
};

std::string Checked(const std::string& checks, const std::string& targets) {
  return Balanced("healthchecks { " + checks + " } ", targets);
}

constexpr const char* kPassive = R"(passive { unhealthy { http_failures: 2 tcp_failures: 1 timeouts: 1 } } )";
constexpr const char* kActive = R"(active { http_path: "/up" healthy { interval: 1 successes: 2 }
                                            unhealthy { interval: 1 http_failures: 2 tcp_failures: 2 timeouts: 2 } } )";

// A node whose checks count in hundredths of a second.
NodeOptions Quick(const std::string& gateway, int workers = 1) {
  NodeOptions options{.gateway = gateway, .workers = workers};
  options.options.times.check_second = std::chrono::milliseconds(10);
  return options;
}

}  // namespace

TEST_CASE("a target that answers with failures leaves rotation, on every worker") {
  Target bad, good;
  bad.Say(500);
  Node node({.gateway = Checked(kPassive, bad.Entity() + good.Entity()), .workers = 2});
  for (int i = 0; i < 20; ++i) node.Ask(kGet);
  const int asked = bad.requests();
  CHECK(asked <= 3);  // one more may have been on its way
  for (int i = 0; i < 10; ++i) CHECK(node.Ask(kGet).status == 200);
  CHECK(bad.requests() == asked);
  CHECK(node.stats().targets_unhealthy == 1);
  CHECK(node.stats().targets_failed == 1);
}

TEST_CASE("statuses that are not listed change nothing") {
  Target target;
  target.Say(404);
  Node node({.gateway = Checked(kPassive, target.Entity())});
  for (int i = 0; i < 5; ++i) CHECK(node.Ask(kGet).status == 404);
  CHECK(node.stats().targets_unhealthy == 0);
}

TEST_CASE("with every target unhealthy the answer is Kong's") {
  Target bad;
  bad.Say(503);
  Node node({.gateway = Checked(kPassive, bad.Entity())});
  for (int i = 0; i < 2; ++i) node.Ask(kGet);
  const auto response = node.Ask(kGet);
  CHECK(response.status == 503);
  CHECK(response.body.find("failure to get a peer from the ring-balancer") != std::string::npos);
  CHECK(bad.requests() == 2);
}

TEST_CASE("health survives a change of the configuration, a new target is healthy") {
  Target bad, good;
  bad.Say(500);
  Node node({.gateway = Checked(kPassive, bad.Entity())});
  for (int i = 0; i < 2; ++i) node.Ask(kGet);
  node.Publish(Checked(kPassive, bad.Entity("weight: 7") + good.Entity()));
  for (int i = 0; i < 5; ++i) CHECK(node.Ask(kGet).status == 200);
  CHECK(bad.requests() == 2);
  CHECK(node.stats().targets_healthy == 1);
}

TEST_CASE("a target that says nothing in time counts as timed out") {
  Upstream silent([](Upstream&, Peer& peer) { peer.ReadRequest(), peer.WaitForClose(); });
  const std::string target = TargetEntity(silent.port());
  std::string gateway = Checked(kPassive, target);
  gateway.replace(gateway.find("host: \"u\""), 9, "host: \"u\" read_timeout: 50");
  Node node({.gateway = gateway});
  CHECK(node.Ask(kGet).status == 504);
  CHECK(node.Ask(kGet).status == 503);
}

TEST_CASE("a target that refuses connections leaves rotation") {
  const std::string dead = TargetEntity(sluice::test::FreePort());
  Node node({.gateway = Checked(kPassive, dead)});
  CHECK(node.Ask(kGet).status == 502);
  CHECK(node.Ask(kGet).status == 503);
}

TEST_CASE("active checks find a target that fails, and that it is well again") {
  Target target;
  Node node(Quick(Checked(kActive, target.Entity())));
  CHECK(node.Ask(kGet).status == 200);
  target.Say(500);
  CHECK(Eventually([&] { return node.Ask(kGet).status == 503; }));
  target.Say(200);
  CHECK(Eventually([&] { return node.Ask(kGet).status == 200; }));
  CHECK(node.stats().targets_recovered == 1);
}

TEST_CASE("a target that nothing brings back is tried by one request after its break, and serves again") {
  // Found by requests, and found by checks that do not say when it is well.
  Target by_requests, by_checks;
  Node passive({.gateway = Checked(kPassive, by_requests.Entity()), .workers = 2});
  Node active(Quick(Checked(R"(active { healthy { interval: 1 successes: 0 }
                                        unhealthy { interval: 0 http_failures: 2 } })", by_checks.Entity())));
  by_requests.Say(500), by_checks.Say(500);
  for (Node* node : {&passive, &active}) REQUIRE(Eventually([&] { return node->Ask(kGet).status == 503; }));
  const int asked = by_requests.requests();
  CHECK(passive.Ask(kGet).status == 503);
  CHECK(by_requests.requests() == asked);
  by_requests.Say(200), by_checks.Say(200);
  for (Node* node : {&passive, &active}) {
    CHECK(Eventually([&] { return node->Ask(kGet).status == 200; }));
    CHECK(node->Ask(kGet).status == 200);
    CHECK(node->stats().targets_recovered == 1);
  }
  CHECK(by_requests.requests() == asked + 2);
}

TEST_CASE("a check asks for its path, and the target by its name") {
  Target target;
  Node node(Quick(Checked(kActive, target.Entity())));
  CHECK(Eventually([&] { return target.checks() > 0; }));
  CHECK(target.last_check().starts_with("GET /up HTTP/1.1\r\nHost: 127.0.0.1:"));
}

TEST_CASE("a target that refuses connections is found by checks of connections alone") {
  const std::string dead = TargetEntity(sluice::test::FreePort());
  Node node(Quick(Checked(R"(active { type: "tcp" healthy { interval: 1 successes: 1 }
                                      unhealthy { interval: 1 tcp_failures: 2 } })",
                          dead)));
  CHECK(Eventually([&] { return node.stats().targets_unhealthy == 1; }));
  CHECK(node.stats().checks_failed >= 2);
}

TEST_CASE("checks keep to the egress policy") {
  sluice::io::DnsServer names;
  names.Put("inside.test", {.v4 = {"127.0.0.1"}, .v6 = {}});
  std::string gateway = Checked(kActive, R"(targets { upstream: "u" target: "inside.test:UPSTREAM_PORT" })");
  gateway.erase(gateway.find("plan {"), gateway.find("upstreams {") - gateway.find("plan {"));
  NodeOptions options = Quick(gateway);
  options.allow_upstream = false;
  options.options.resolvers = names.servers();
  Node node(std::move(options));
  CHECK(Eventually([&] { return node.stats().targets_unhealthy == 1; }));
  CHECK(node.upstream().connections() == 0);
}

TEST_CASE("one worker checks, however many there are, and no more once the upstream is gone") {
  Target target;
  Node node(Quick(Checked(kActive, target.Entity()), 4));
  CHECK(Eventually([&] { return target.checks() >= 3; }));
  CHECK(node.stats().targets_healthy == 1);
  node.Publish(Checked("", target.Entity()));
  CHECK(node.stats().targets_healthy == 0);
  const uint64_t passed = node.stats().checks_passed;
  CHECK(Eventually([&] { return node.Ask(kGet).status == 200; }));
  CHECK(node.stats().checks_passed <= passed);
}

TEST_CASE("changes of the configuration bring no check forward") {
  Target target;
  NodeOptions options = Quick(Checked(kActive, target.Entity()));
  options.options.times.check_second = std::chrono::hours(1);
  Node node(std::move(options));
  for (int i = 0; i < 50; ++i) node.Publish(Checked(kActive, target.Entity("weight: " + std::to_string(i + 1))));
  CHECK(target.checks() == 0);
}
