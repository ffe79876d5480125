#include "data-plane/limit/shares.h"

#include "catch2/catch.hpp"
#include "data-plane/limit/request_window.h"

namespace sluice::limit {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class SetClock final : public Clock {
 public:
  MonotonicTime Now() const override { return now; }
  WallTime WallNow() const override { return WallTime(); }
  MonotonicTime now{std::chrono::hours(7)};
};

const std::string kGateway = "aurora";

// A node of two, as the allocator talks to it.
struct Node {
  SetClock clock;
  std::optional<quota::Bases> kept;
  bool disk = true;
  Shares shares;
  std::shared_ptr<GatewayState> state = std::make_shared<GatewayState>();
  uint64_t sequence = 0;

  explicit Node(std::optional<quota::Bases> before = std::nullopt)
      : shares(clock, std::move(before), [this](const quota::Bases& bases) {
          if (disk) kept = bases;
          return disk;
        }) {
    state->keeper = &shares;
    shares.Attach(kGateway, state, 100);
    shares.Connected();
  }
  // What the allocator answers to the node's next report.
  void Answer(quota::Answer answer) {
    const auto report = shares.NextReport();
    answer.sequence = ++sequence;
    answer.echo = report ? report->sent : clock.now;
    CHECK(shares.Receive(answer));
  }
  void Start() {
    quota::Answer answer{.start = true};
    answer.has_commit = true;
    answer.commit = {.epoch = 1, .members = 2, .index = 0};
    Answer(answer);
  }
  void Lend(uint32_t slots) {
    quota::Answer answer{.extend = true};
    answer.gateways.push_back({.id = kGateway, .keep = 50 + slots, .granted = {{slots, Duration{}}}});
    Answer(answer);
  }
  int Admitted(int tries = 300) {
    int admitted = 0;
    for (int i = 0; i < tries; ++i) admitted += !AdmitRequest(*state, clock.now).has_value();
    return admitted;
  }
};

TEST_CASE("a node that was not told to start admits nothing") {
  Node node;
  CHECK_FALSE(node.shares.Started());
  CHECK(node.Admitted() == 0);
}

TEST_CASE("a member admits its part, and keeps on its disk that it is one") {
  Node node;
  node.Start();
  CHECK(node.shares.Started());
  CHECK(node.Admitted() == 50);
  REQUIRE(node.kept.has_value());
  CHECK(node.kept->committed.members == 2);
}

TEST_CASE("a membership that the disk does not take changes nothing") {
  Node node;
  node.disk = false;
  node.Start();
  CHECK(node.Admitted() == 0);
}

TEST_CASE("after a start nothing of the node's own is used for a second, since the process before may have") {
  Node node(quota::Bases{});
  node.Start();
  CHECK_FALSE(node.shares.Started());
  CHECK(node.Admitted() == 0);
  node.clock.now += seconds(1);
  CHECK(node.shares.Started());
  CHECK(node.Admitted() == 50);
}

TEST_CASE("what is lent is used at once, and not a moment past its time, even if no thread has noticed") {
  Node node;
  node.Start();
  node.Lend(30);
  CHECK(node.Admitted() == 80);
  node.clock.now += quota::kSurplusLife;
  CHECK(node.Admitted() == 0);  // until the lease thread's turn
  node.shares.Tick();
  CHECK(node.Admitted() == 50);
}

TEST_CASE("a request without a slot asks for more, and no more often than it may") {
  Node node;
  node.Start();
  node.Admitted();
  CHECK(node.state->share_pending);
  const auto report = node.shares.NextReport();
  REQUIRE(report.has_value());
  REQUIRE(report->gateways.size() == 1);
  CHECK(report->gateways[0].id == kGateway);
  CHECK(report->gateways[0].held == 50);
  CHECK(report->gateways[0].demand == 100);
  node.Admitted();
  CHECK_FALSE(node.shares.NextReport().has_value());
  node.clock.now += Shares::kWantAgain;
  node.Admitted();
  CHECK(node.shares.NextReport().has_value());
}

TEST_CASE("without a limit nobody is asked") {
  Node node;
  node.shares.Attach(kGateway, node.state, 0);
  CHECK(node.Admitted() == 300);
}

TEST_CASE("a node that leaves admits nothing more, and owns nothing on its disk once that is said") {
  Node node;
  node.Start();
  node.shares.Leave();
  CHECK(node.Admitted() == 0);
  CHECK(node.kept->committed.members == 2);
  node.shares.Forget();
  CHECK(node.kept->committed.members == 0);
  CHECK_FALSE(node.shares.NextReport().has_value());
}

TEST_CASE("the part of a gateway that is not served here can be used elsewhere, and what is left is there later") {
  Node node;
  node.Start();
  REQUIRE(node.shares.Rest(kGateway, 100));
  quota::Answer answer;
  answer.gateways.push_back({.id = kGateway, .keep = 20});
  node.Answer(answer);
  const auto report = node.shares.NextReport();
  REQUIRE(report.has_value());
  REQUIRE(report->gateways.size() == 1);
  CHECK(report->gateways[0].held == 20);
  REQUIRE(report->gateways[0].released.size() == 1);
  CHECK(report->gateways[0].released[0].count == 30);
  node.state = node.shares.StateOf(kGateway);
  node.shares.Attach(kGateway, node.state, 100);
  CHECK(node.Admitted() == 20);
}

TEST_CASE("a state whose slots are on their way is not dropped") {
  Node node;
  node.Start();
  node.Lend(10);
  CHECK_FALSE(node.shares.Rest(kGateway, 100));
  CHECK(node.shares.StateOf(kGateway) == node.state);
  quota::Answer rest;
  rest.gateways.push_back({.id = kGateway, .keep = 50, .rest = true});
  node.Answer(rest);
  CHECK(node.shares.Rest(kGateway, 100));
  CHECK(node.shares.StateOf(kGateway) != node.state);
}

}  // namespace
}  // namespace sluice::limit
