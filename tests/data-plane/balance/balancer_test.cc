// Who comes next.

#include <algorithm>
#include <map>

#include "tests/data-plane/balance/support.h"

using namespace sluice;
using namespace sluice::test;

TEST_CASE("turns go by weight, and no target has them in a row") {
  Balancer balancer;
  const std::string order = Order(balancer, WithWeights({5, 1, 1, 0}), 7);
  CHECK(std::count(order.begin(), order.end(), 'a') == 5);
  CHECK(std::count(order.begin(), order.end(), 'b') == 1);
  CHECK(std::count(order.begin(), order.end(), 'd') == 0);
  CHECK(order.find("aaaa") == std::string::npos);
}

TEST_CASE("workers begin with different targets") {
  Balancer first(0), second(1);
  CHECK(Order(first, WithWeights({1, 1, 1}), 3) == "abc");
  CHECK(Order(second, WithWeights({1, 1, 1}), 1) == "b");
}

TEST_CASE("a target that was tried is not chosen again, and none is left in the end") {
  const Upstream upstream = WithWeights({1, 1, 0});
  Balancer balancer;
  const Target* first = balancer.Pick("g", upstream, {.tried = {}, .hash = {}, .now = kStart}).target;
  const Target* second = balancer.Pick("g", upstream, {.tried = {first}, .hash = {}, .now = kStart}).target;
  CHECK(second != first);
  CHECK(balancer.Pick("g", upstream, {.tried = {first, second}, .hash = {}, .now = kStart}).target == nullptr);
}

TEST_CASE("an unhealthy target has no turn, where health is asked for") {
  Balancer balancer;
  Upstream upstream = WithChecks({1, 1, 1});
  Break(upstream.targets[1]);
  CHECK(Order(balancer, upstream, 4).find('b') == std::string::npos);
  upstream.health = {};
  CHECK(Order(balancer, upstream, 4).find('b') != std::string::npos);
}

TEST_CASE("with no healthy target there is none") {
  Balancer balancer;
  const Upstream upstream = WithChecks({1, 1});
  for (const Target& target : upstream.targets) Break(target);
  CHECK(Order(balancer, upstream, 2) == "--");
}

TEST_CASE("healthy weight must be over the threshold") {
  Balancer balancer;
  Upstream upstream = WithChecks({50, 50});
  Break(upstream.targets[0]);
  upstream.health.threshold = 49;
  CHECK(Order(balancer, upstream, 2) == "bb");
  upstream.health.threshold = 50;
  CHECK(Order(balancer, upstream, 2) == "--");
}

TEST_CASE("after its break one request tries an unhealthy target, also under the threshold") {
  Balancer balancer;
  Upstream upstream = WithChecks({1});
  Break(upstream.targets[0]);
  const MonotonicTime later = kStart + TargetState::kFirstBreak;
  CHECK(Order(balancer, upstream, 1, later - std::chrono::nanoseconds(1)) == "-");
  CHECK(balancer.Pick("g", upstream, {.tried = {}, .hash = {}, .now = later}).trial);
  CHECK(Order(balancer, upstream, 1, later) == "-");
}

TEST_CASE("no request tries a target that active checks bring back") {
  Balancer balancer;
  Upstream upstream = WithChecks({1});
  upstream.health.active.unhealthy_interval = 1;
  upstream.health.active_rule.limits.successes = 1;
  Break(upstream.targets[0]);
  CHECK(Order(balancer, upstream, 1, kStart + std::chrono::hours(1)) == "-");
}

TEST_CASE("a target just found unreachable comes last, for a second") {
  Balancer balancer;
  const Upstream upstream = WithWeights({1, 1});
  upstream.targets[0].state->Avoid(kStart);
  CHECK(Order(balancer, upstream, 3) == "bbb");
  CHECK(Order(balancer, upstream, 2, kStart + TargetState::kAvoidFor).find('a') != std::string::npos);
  upstream.targets[1].state->Avoid(kStart);
  CHECK(Order(balancer, upstream, 2).find('-') == std::string::npos);
}

TEST_CASE("least-connections takes the target with the fewest for its weight, in turn among equals") {
  Balancer balancer;
  const Upstream upstream = WithWeights({2, 1}, Algorithm::kLeastConnections);
  upstream.targets[0].state->Enter();
  CHECK(Order(balancer, upstream, 3).find('a') != std::string::npos);  // 2/2 as 1/1
  upstream.targets[0].state->Enter();
  CHECK(Order(balancer, upstream, 2) == "bb");  // 3/2 against 1/1
  upstream.targets[1].state->Enter();
  CHECK(Order(balancer, upstream, 2) == "aa");  // 3/2 against 2/1
}

TEST_CASE("requests in flight are counted for all workers") {
  Balancer one, other;
  const Upstream upstream = WithWeights({1, 1}, Algorithm::kLeastConnections);
  const Target* first = one.Pick("g", upstream, {.tried = {}, .hash = {}, .now = kStart}).target;
  const InFlight in_flight(first->state);
  CHECK(other.Pick("g", upstream, {.tried = {}, .hash = {}, .now = kStart}).target != first);
}

TEST_CASE("latency keeps away from the slower of two, until that is long ago") {
  Balancer balancer;
  const Upstream upstream = WithWeights({1, 1}, Algorithm::kLatency);
  upstream.targets[0].state->ObserveLatency(std::chrono::milliseconds(100), kStart);
  upstream.targets[1].state->ObserveLatency(std::chrono::milliseconds(10), kStart);
  CHECK(Order(balancer, upstream, 4) == "bbbb");
  const MonotonicTime later = kStart + std::chrono::minutes(1);
  upstream.targets[1].state->ObserveLatency(std::chrono::milliseconds(10), later);
  CHECK(Order(balancer, upstream, 1, later) == "a");
}

TEST_CASE("a key goes to one target, whatever the worker") {
  Upstream upstream = WithWeights({1, 1, 1, 1}, Algorithm::kConsistentHashing);
  Balancer one(0), other(3);
  for (const char* key : {"ann", "bob", "carol"}) {
    const Balancer::Query query{.tried = {}, .hash = HashOf(key), .now = kStart};
    const Target* target = one.Pick("g", upstream, query).target;
    CHECK(one.Pick("g", upstream, query).target == target);
    CHECK(other.Pick("g", upstream, query).target == target);
  }
}

TEST_CASE("without a key, requests take turns") {
  Balancer balancer;
  CHECK(Order(balancer, WithWeights({1, 1, 1}, Algorithm::kConsistentHashing), 3) == "abc");
}
