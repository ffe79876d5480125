// Which target a key belongs to, and that it stays there.

#include <map>

#include "tests/data-plane/balance/support.h"

using namespace sluice;
using namespace sluice::test;

namespace {

constexpr int kKeys = 10'000;

// Of every key, the host it goes to.
std::vector<std::string> Owners(const Upstream& upstream) {
  Balancer balancer;
  std::vector<std::string> owners;
  for (int i = 0; i < kKeys; ++i) {
    const Balancer::Query query{.tried = {}, .hash = HashOf("key" + std::to_string(i)), .now = kStart};
    owners.push_back(balancer.Pick("g", upstream, query).target->host);
  }
  return owners;
}

Upstream Hashing(const std::vector<uint32_t>& weights) {
  Upstream upstream = WithWeights(weights, Algorithm::kConsistentHashing);
  upstream.slots = 10'000;
  return upstream;
}

}  // namespace

TEST_CASE("a hash is the same on every node and in every release") {
  CHECK(HashOf("") == 0xf52a15e9a9b5e89b);
  CHECK(HashOf("ann") == HashOf("ann"));
  CHECK(HashOf("ann") != HashOf("anN"));
}

TEST_CASE("a target that goes takes its own keys along and no others") {
  for (const size_t targets : {2, 3, 10, 50}) {
    INFO(targets);
    Upstream upstream = Hashing(std::vector<uint32_t>(targets, 100));
    const std::vector<std::string> before = Owners(upstream);
    const std::string gone = upstream.targets[1].host;
    upstream.targets.erase(upstream.targets.begin() + 1);
    const std::vector<std::string> after = Owners(upstream);
    int moved = 0;
    int moved_needlessly = 0;
    for (int i = 0; i < kKeys; ++i) {
      moved += before[i] != after[i];
      moved_needlessly += before[i] != after[i] && before[i] != gone;
    }
    CHECK(moved_needlessly == 0);
    CHECK(moved <= 1.3 * kKeys / static_cast<double>(targets));
  }
}

TEST_CASE("the same holds where weights differ, and for a target that only fails") {
  Upstream upstream = Hashing({100, 1000, 7, 50});
  const std::vector<std::string> before = Owners(upstream);
  upstream.health.passive_rule.limits.tcp_failures = 1;
  Break(upstream.targets[0]);
  const std::vector<std::string> after = Owners(upstream);
  for (int i = 0; i < kKeys; ++i) {
    if (before[i] != "a") CHECK(before[i] == after[i]);
    if (after[i] == "a") FAIL("an unhealthy target was chosen");
  }
}

TEST_CASE("keys spread by weight") {
  std::map<std::string, int> count;
  for (const std::string& owner : Owners(Hashing({100, 100, 200}))) ++count[owner];
  CHECK(count["a"] > 0.20 * kKeys);
  CHECK(count["a"] < 0.30 * kKeys);
  CHECK(count["c"] > 0.45 * kKeys);
  CHECK(count["c"] < 0.55 * kKeys);
}
