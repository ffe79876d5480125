#include "control-plane/store/replicas.h"

#include <poll.h>

#include "catch2/catch.hpp"
#include "tests/control-plane/store/fixture.h"

namespace sluice::store {
namespace {

using std::chrono::seconds;

const ReplicaRecord kOne{"one", "one:7002", 5};
const ReplicaRecord kTwo{"two", "two:7002", 7};

ConnectedNode Node(const std::string& name, int64_t applied = 3) {
  return {"", name, "0.1.0", "127.0.0.1:8100", applied, WallTime(seconds(100)), WallTime(seconds(200)), "\x0a\x00x"};
}

std::string NamesSeenBy(Replicas& replicas, const std::string& self) {
  const auto others = replicas.Others(self, seconds(60));
  REQUIRE(others.ok());
  std::string names;
  for (const ConnectedNode& node : others->nodes) names += node.name + "@" + node.replica + " ";
  return names;
}

TEST_CASE("a replica sees the others and their nodes, not itself") {
  Database database;
  const auto replicas = Replicas::Make(database.options());
  CHECK(*replicas->Report(kOne, {Node("a", 4)}, {}));
  CHECK(*replicas->Report(kTwo, {}, {}));
  const auto seen = replicas->Others("two", seconds(60));
  REQUIRE(seen.ok());
  REQUIRE(seen->replicas.size() == 1);
  CHECK(seen->replicas[0].address == "one:7002");
  CHECK(seen->replicas[0].head == 5);
  REQUIRE(seen->nodes.size() == 1);
  CHECK(seen->nodes[0].applied == 4);
  CHECK(seen->nodes[0].connected == WallTime(seconds(100)));
  CHECK(seen->nodes[0].last_seen == WallTime(seconds(200)));
  CHECK(seen->nodes[0].rejected == Node("a").rejected);
  CHECK(NamesSeenBy(*replicas, "one") == "");
}

TEST_CASE("nodes come and go, and one that moves is its new replica's alone once the old one has said so") {
  Database database;
  const auto replicas = Replicas::Make(database.options());
  CHECK(*replicas->Report(kOne, {Node("a"), Node("b")}, {}));
  CHECK(*replicas->Report(kTwo, {Node("b")}, {}));
  CHECK(NamesSeenBy(*replicas, "three") == "a@one b@one b@two ");
  CHECK_FALSE(*replicas->Report(kOne, {}, {"b"}));
  CHECK(NamesSeenBy(*replicas, "three") == "a@one b@two ");
}

TEST_CASE("a replica that has not been heard of counts no more, and is forgotten with its nodes") {
  Database database;
  const auto replicas = Replicas::Make(database.options());
  CHECK(*replicas->Report(kOne, {Node("a")}, {}));
  CHECK(*replicas->Report(kTwo, {Node("b")}, {}));
  database.Query("update replicas set seen_at = now() - interval '10 seconds' where id = 'one'");
  CHECK(replicas->Others("two", seconds(5))->replicas.empty());
  CHECK(NamesSeenBy(*replicas, "two") == "a@one ");
  REQUIRE(replicas->Forget("two", seconds(5)).ok());
  CHECK(NamesSeenBy(*replicas, "two") == "");
  CHECK(NamesSeenBy(*replicas, "three") == "b@two ");
  CHECK(*replicas->Report(kOne, {}, {}));  // and is told so
}

TEST_CASE("a replica that leaves takes its nodes along and nobody else's") {
  Database database;
  const auto replicas = Replicas::Make(database.options());
  CHECK(*replicas->Report(kOne, {Node("a")}, {}));
  CHECK(*replicas->Report(kTwo, {Node("b")}, {}));
  REQUIRE(replicas->Forget("one", seconds(0)).ok());
  CHECK(NamesSeenBy(*replicas, "three") == "b@two ");
}

TEST_CASE("a report rings the other replicas") {
  Database database;
  const auto one = Replicas::Make(database.options()), two = Replicas::Make(database.options());
  CHECK(one->descriptor() == -1);
  REQUIRE(one->Others("one", seconds(60)).ok());
  REQUIRE(two->Report(kTwo, {}, {}).ok());
  pollfd event{one->descriptor(), POLLIN, 0};
  CHECK(poll(&event, 1, 10'000) == 1);
  CHECK(one->Rung());
  CHECK_FALSE(one->Rung());
}

TEST_CASE("a database that cannot be reached is UNAVAILABLE") {
  const auto replicas = Replicas::Make({"host=/nonexistent"});
  CHECK(absl::IsUnavailable(replicas->Report(kOne, {}, {}).status()));
  CHECK(absl::IsUnavailable(replicas->Others("one", seconds(5)).status()));
  CHECK(replicas->descriptor() == -1);
}

}  // namespace
}  // namespace sluice::store
