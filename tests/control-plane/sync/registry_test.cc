#include "control-plane/sync/registry.h"

#include <thread>

#include "catch2/catch.hpp"

namespace sluice::sync {
namespace {

constexpr WallTime kNow{};
constexpr MonotonicTime kPast{};

NodeStatus Node(const std::string& name, int64_t applied = 0) {
  NodeStatus node;
  node.name = name;
  node.applied = applied;
  return node;
}

TEST_CASE("a node is pending until it applied the revision") {
  Registry registry;
  registry.Connected(Node("n", 4));
  CHECK(registry.Rollout("g", 5).pending == std::vector<std::string>{"n"});
  registry.Applied("n", 5, kNow);
  CHECK(registry.Rollout("g", 5).applied == std::vector<std::string>{"n"});
}

TEST_CASE("only the nodes that serve a gateway are waited for") {
  Registry registry([](const std::string& gateway, const store::Scope& scope) {
    return gateway == "own" ? scope == store::Scope::OfGateway(gateway) : scope.is_cell();
  });
  NodeStatus own = Node("own-1");
  own.scope = store::Scope::OfGateway("own");
  registry.Connected(own);
  registry.Connected(Node("n"));
  CHECK(registry.Rollout("own", 5).pending == std::vector<std::string>{"own-1"});
  CHECK(registry.Rollout("g", 5).pending == std::vector<std::string>{"n"});
}

TEST_CASE("a rejection of the revision or of a later one counts, of an earlier one it does not") {
  Registry registry;
  registry.Connected(Node("n"));
  registry.Rejected("n", {"g", 5, "BAD_REGEX", "routes[a]"}, kNow);
  registry.Applied("n", 9, kNow);
  CHECK(registry.Rollout("g", 4).rejected.size() == 1);
  CHECK(registry.Rollout("g", 5).rejected.at(0).second.reason == "BAD_REGEX");
  CHECK(registry.Rollout("g", 6).applied.size() == 1);
  CHECK(registry.Rollout("other", 5).applied.size() == 1);
}

TEST_CASE("a rejection is history once a newer update was applied") {
  Registry registry;
  registry.Connected(Node("n"));
  registry.Rejected("n", {"g", 5, "R", ""}, kNow);
  registry.Sent("n", "g", 7);
  registry.Applied("n", 6, kNow);
  CHECK(registry.Nodes().at(0).rejected.size() == 1);
  registry.Applied("n", 7, kNow);
  CHECK(registry.Nodes().at(0).rejected.empty());
}

TEST_CASE("a newer update that is rejected too replaces the rejection") {
  Registry registry;
  registry.Connected(Node("n"));
  registry.Rejected("n", {"g", 5, "R", ""}, kNow);
  registry.Sent("n", "g", 7);
  registry.Rejected("n", {"g", 7, "S", ""}, kNow);
  registry.Applied("n", 7, kNow);
  CHECK(registry.Nodes().at(0).rejected.at("g").reason == "S");
}

TEST_CASE("a node that left is not waited for") {
  Registry registry;
  registry.Connected(Node("n"));
  registry.Disconnected("n");
  const RolloutStatus rollout = registry.WaitRollout("g", 5, kPast);
  CHECK(rollout.pending.empty());
  CHECK(registry.Nodes().empty());
}

TEST_CASE("a wait that ends names who is missing") {
  Registry registry;
  registry.Connected(Node("n"));
  CHECK(registry.WaitRollout("g", 5, kPast).pending == std::vector<std::string>{"n"});
}

TEST_CASE("a wait returns when the last node applied") {
  Registry registry;
  registry.Connected(Node("n"));
  std::thread node([&] { registry.Applied("n", 5, kNow); });
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  CHECK(registry.WaitRollout("g", 5, deadline).applied.size() == 1);
  node.join();
}

TEST_CASE("every change moves the counter, and no change leaves it") {
  Registry registry;
  CHECK(registry.WaitChange(0, kPast) == 0);
  registry.Connected(Node("n"));
  CHECK(registry.WaitChange(0, kPast) == 1);
  registry.Applied("other", 1, kNow);
  CHECK(registry.WaitChange(1, kPast) == 1);
}

TEST_CASE("a thousand rejections of a node are kept and one more is not") {
  Registry registry;
  registry.Connected(Node("n"));
  for (int i = 0; i < 1001; ++i) registry.Rejected("n", {std::to_string(i), 1, "R", ""}, kNow);
  const auto rejected = registry.Nodes().at(0).rejected;
  CHECK(rejected.size() == 1000);
  CHECK_FALSE(rejected.contains("1000"));
}

TEST_CASE("a message of 1024 bytes is kept whole and one byte more is cut off") {
  Registry registry;
  registry.Connected(Node("n"));
  registry.Rejected("n", {"g", 1, "R", std::string(1024, 'x')}, kNow);
  CHECK(registry.Nodes().at(0).rejected.at("g").message == std::string(1024, 'x'));
  registry.Rejected("n", {"g", 1, "R", std::string(1025, 'x')}, kNow);
  CHECK(registry.Nodes().at(0).rejected.at("g").message == std::string(1024, 'x'));
}

TEST_CASE("what is cut off of a rejection leaves whole characters") {
  Registry registry;
  registry.Connected(Node("n"));
  const std::string cut(kMaxMessageBytes - 1, 'm');
  registry.Rejected("n", {"g", 5, std::string(kMaxReasonBytes, 'R'), cut + "\xc3\xa9"}, kNow);
  CHECK(registry.Nodes().at(0).rejected.at("g").reason.size() == kMaxReasonBytes);
  CHECK(registry.Nodes().at(0).rejected.at("g").message == cut);
}

// With a node connected here that has applied 9, and whatever another replica reports.
struct Two {
  Two() {
    registry.Connected(Node("here", 9));
    registry.Follow([this] { ++asked; }, [] {});
  }
  void Report(int64_t head, std::vector<NodeStatus> nodes) {
    registry.SetOthers({{"other:7002", head, std::move(nodes)}}, registry.question());
  }
  Registry registry;
  int asked = 0;
};

TEST_CASE("a node that is connected to another replica counts as that one reports") {
  Two two;
  two.Report(9, {Node("there", 4)});
  CHECK(two.registry.Rollout("g", 9).pending == std::vector<std::string>{"there"});
  two.Report(9, {Node("there", 9)});
  CHECK(two.registry.Rollout("g", 9).applied == std::vector<std::string>{"here", "there"});
  NodeStatus refusing = Node("there", 9);
  refusing.rejected["g"] = {"g", 9, "R", ""};
  two.Report(9, {refusing});
  CHECK(two.registry.Rollout("g", 9).rejected.at(0).first == "there");
}

TEST_CASE("a replica that has not listed its nodes since it had the change is pending") {
  Two two;
  two.Report(8, {});
  CHECK(two.registry.Rollout("g", 9).pending == std::vector<std::string>{"control plane other:7002"});
  CHECK(two.registry.Rollout("g", 8).pending.empty());
}

TEST_CASE("a node that two replicas list is as far as it is on both, and is named once") {
  Two two;
  two.Report(9, {Node("here", 4)});
  CHECK(two.registry.Rollout("g", 9).pending == std::vector<std::string>{"here"});
  CHECK(two.registry.Rollout("g", 9).applied.empty());
  CHECK(two.registry.Nodes().size() == 1);
  CHECK(two.registry.LocalNodes().size() == 1);
}

TEST_CASE("who waits is not told before the others have been asked after the question") {
  Two two;
  const RolloutStatus early = two.registry.WaitRollout("g", 9, kPast);
  CHECK(two.asked == 1);
  CHECK(early.pending.size() == 1);
  two.Report(9, {});
  CHECK(two.registry.Rollout("g", 9).pending.empty());
  std::thread answers([&] {
    while (two.registry.question() < 2) std::this_thread::yield();
    two.Report(9, {Node("there", 9)});
  });
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  CHECK(two.registry.WaitRollout("g", 9, deadline).applied.size() == 2);
  answers.join();
}

TEST_CASE("an answer to an earlier question does not end a wait") {
  Two two;
  const uint64_t earlier = two.registry.question();
  std::thread answers([&] {
    while (two.registry.question() == earlier) std::this_thread::yield();
    two.registry.SetOthers({}, earlier);
  });
  CHECK(two.registry.WaitRollout("g", 9, std::chrono::steady_clock::now() + std::chrono::milliseconds(50))
            .pending.size() == 1);
  answers.join();
}

}  // namespace
}  // namespace sluice::sync
