#include "data-plane/sync/served.h"

#include "catch2/catch.hpp"

namespace sluice::sync {
namespace {

std::shared_ptr<const std::string> Bytes(const std::string& text) { return std::make_shared<const std::string>(text); }

// "a@1=one b@2 (b.test) ..." and the cursors.
std::string Written(Served& served) {
  v1::Snapshot snapshot;
  REQUIRE(snapshot.ParseFromString(served.Serialise()));
  std::map<std::string, std::string> lines;
  for (const auto* list : {&snapshot.gateways(), &snapshot.heads()}) {
    for (const v1::GatewayUpdate& one : *list) {
      std::string& line = lines[one.gateway_id()];
      line += one.gateway_id() + "@" + std::to_string(one.revision());
      line += one.has_head() ? " (" + one.head().hosts(0) + ")" : "=" + one.config();
    }
  }
  std::string text = snapshot.epoch();
  text += " " + std::to_string(snapshot.revision()) + "/" + std::to_string(snapshot.heads_revision());
  for (const auto& [id, line] : lines) text += " " + line;
  return text;
}

TEST_CASE("what was told is written with all that was told before") {
  Served served;
  served.Tell({{"a", {.revision = 1, .config = Bytes("one")}}}, {.epoch = "e", .cursor = 1});
  CHECK(Written(served) == "e 1/0 a@1=one");
  served.Tell({{"b", {.revision = 2, .config = Bytes("two")}}}, {.epoch = "e", .cursor = 2});
  CHECK(Written(served) == "e 2/0 a@1=one b@2=two");
  CHECK(Written(served) == "e 2/0 a@1=one b@2=two");
}

TEST_CASE("of what was told between two writes the latest counts, and what is gone is not written") {
  Served served;
  served.Tell({{"a", {.revision = 1, .config = Bytes("one")}}, {"b", {.revision = 1, .config = Bytes("b")}}},
              {.epoch = "e", .cursor = 1});
  CHECK(Written(served) == "e 1/0 a@1=one b@1=b");
  served.Tell({{"a", {.revision = 2, .config = Bytes("two")}}}, {.epoch = "e", .cursor = 2});
  served.Tell({{"a", {.revision = 3, .config = Bytes("three")}}, {"b", {}}}, {.epoch = "f", .cursor = 3});
  CHECK(Written(served) == "f 3/0 a@3=three");
}

TEST_CASE("no gateway is written with a revision beyond the cursor") {
  Served served;
  served.Tell({{"a", {.revision = 7, .config = Bytes("one")}}}, {.epoch = "e", .cursor = 4});
  CHECK(Written(served) == "e 4/0 a@4=one");
}

TEST_CASE("where heads are known, a node that wants everything resumes from nothing") {
  Served served;
  const auto head = std::make_shared<const GatewayHead>("b", std::vector<std::string>{"b.test"});
  served.Tell({{"a", {.revision = 1, .config = Bytes("one")}}, {"b", {.revision = 2, .head = head, .limit = 5}}},
              {.epoch = "e", .cursor = 2});
  CHECK(Written(served) == "e 0/2 a@1=one b@2 (b.test)");
}

}  // namespace
}  // namespace sluice::sync
