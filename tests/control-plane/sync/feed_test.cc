#include "control-plane/sync/feed.h"

#include "catch2/catch.hpp"
#include "tests/support/fake_store.h"

namespace sluice::sync {
namespace {

v1::Resume Resume(const std::string& epoch = "", int64_t revision = 0) {
  v1::Resume resume;
  resume.set_node("n");
  resume.set_epoch(epoch);
  resume.set_revision(revision);
  return resume;
}

// A feed over an index that is changed gateway by gateway.
class Line {
 public:
  explicit Line(const std::string& scope = "cell/default") : scope_(*store::Scope::Parse(scope)) {
    settings_.fleet.add_protect("192.0.2.1");
  }
  void Commit(int number, int64_t expected_version = 0, config::v1::GatewayKind kind = config::v1::SERVERLESS,
              const std::string& cell = store::kDefaultCell) {
    store::Write write;
    write.config.set_id(std::to_string(number));
    write.config.set_name("g" + std::to_string(number));
    write.config.set_kind(kind);
    write.expected_version = expected_version;
    write.config.mutable_plan()->set_requests_per_second(limit);
    write.cell = cell;
    REQUIRE(store_.Commit(write).ok());
    REQUIRE(index_.Refresh().ok());
  }
  void Delete(int number) {
    REQUIRE(store_.DeleteGateway({std::to_string(number)}).ok());
    REQUIRE(index_.Refresh().ok());
  }
  void Purge(int64_t keep) {
    REQUIRE(store_.PurgeTombstones({}, keep).ok());
    REQUIRE(index_.Refresh().ok());
  }
  void CommitOwned(int number) { Commit(number, 0, config::v1::SELF_MANAGED); }
  // Whatever the step before.
  void Move(int number, const store::Placement& to) {
    const std::string id = std::to_string(number);
    REQUIRE(store_.Place({{id, store_.GetGateway(id)->placement, to}}).value() == 1);
    REQUIRE(index_.Refresh().ok());
  }
  Feed& feed() { return feed_; }
  // What comes out, in short: "welcome", "welcome full", "1@5", "-1@6" (removed), "caught up 6"; "" for nothing.
  std::string Next() {
    auto outgoing = feed_.Next();
    if (!outgoing.has_value()) return "";
    v1::ControlMessage message;
    REQUIRE(message.ParseFromString(outgoing->Joined()));
    if (message.has_welcome()) return message.welcome().full() ? "welcome full" : "welcome";
    if (message.has_caught_up()) return "caught up " + std::to_string(message.caught_up().revision());
    const v1::GatewayUpdate& update = message.update();
    config::v1::GatewayConfig config;
    REQUIRE(config.ParseFromString(update.config()));
    if (!update.removed()) CHECK(config.name() == "g" + update.gateway_id());
    const std::string part = config.plan().requests_per_second() == limit || update.removed()
                                 ? ""
                                 : " with " + std::to_string(config.plan().requests_per_second());
    return (update.removed() ? "-" : "") + update.gateway_id() + "@" + std::to_string(update.revision()) + part;
  }
  uint32_t limit = 0;  // of those that are committed

 private:
  test::FakeStore store_;
  index::Index index_{store_};
  FeedSettings settings_{"e1", {}, "r1"};
  const store::Scope scope_;
  Feed feed_{index_, settings_, scope_};
};

TEST_CASE("a node learns what was found good, and by which rules") {
  Line line;
  line.Commit(1);
  REQUIRE(line.feed().Resume(Resume(), "n").ok());
  v1::ControlMessage welcome, update;
  REQUIRE(welcome.ParseFromString(line.feed().Next()->Joined()));
  CHECK(welcome.welcome().rules() == "r1");
  REQUIRE(update.ParseFromString(line.feed().Next()->Joined()));
  CHECK(update.update().good());
}

TEST_CASE("an update may wait to be sent with what follows, but nothing that may be the last") {
  Line line;
  line.Commit(1);
  v1::Resume resume = Resume();
  resume.set_mode(v1::ON_DEMAND);
  REQUIRE(line.feed().Resume(resume, "n").ok());
  for (const bool is_followed : {false, true, false}) CHECK(line.feed().Next()->is_followed == is_followed);
  v1::Want want;
  want.add_gateway_ids("1");
  REQUIRE(line.feed().Want(want).ok());
  CHECK_FALSE(line.feed().Next()->is_followed);
  CHECK(line.Next().empty());
}

TEST_CASE("a cell's node hears of the cell's gateways, and of no other's") {
  Line line;
  line.Commit(1);
  line.CommitOwned(2);
  line.Commit(3, 0, config::v1::SERVERLESS, "west");
  REQUIRE(line.feed().Resume(Resume(), "n").ok());
  CHECK(line.Next() == "welcome full");
  CHECK(line.Next() == "1@1");
  CHECK(line.Next() == "caught up 3");
  line.CommitOwned(4);
  CHECK(line.Next() == "caught up 4");
}

TEST_CASE("a gateway that moves to another cell is gone for the nodes of the one before") {
  Line line;
  line.Commit(1);
  REQUIRE(line.feed().Resume(Resume(), "n").ok());
  for (const char* message : {"welcome full", "1@1", "caught up 1"}) CHECK(line.Next() == message);
  line.Move(1, {"west"});
  CHECK(line.Next() == "-1@2");
  CHECK(line.Next() == "caught up 2");
}

TEST_CASE("each step of a move gives the nodes of a cell the part that is theirs") {
  using store::Move;
  Line here, west("cell/west");
  for (Line* line : {&here, &west}) {
    line->limit = 101;
    line->Commit(1);
    REQUIRE(line->feed().Resume(Resume(), "n").ok());
    while (line->Next() != "caught up 1") {
    }
    line->Move(1, {"default", "west", Move::kNarrow});
  }
  const auto take = [](Line& line) {
    std::string update = line.Next();
    while (!line.Next().empty()) {
    }
    return update;
  };
  CHECK(take(here) == "1@2 with 51");
  CHECK(take(west) == "-1@2");
  const std::pair<store::Placement, std::pair<std::string, std::string>> steps[] = {
      {{"default", "west", Move::kJoin}, {"1@3 with 51", "1@3 with 50"}},
      {{"west", "default", Move::kOverlap}, {"1@4 with 51", "1@4 with 50"}},
      {{"west", "default", Move::kLeave}, {"-1@5", "1@5 with 50"}},
      {{"west", "default", Move::kNone}, {"-1@6", "1@6"}},
  };
  for (const auto& [placement, expected] : steps) {
    here.Move(1, placement);
    west.Move(1, placement);
    CHECK(take(here) == expected.first);
    CHECK(take(west) == expected.second);
  }
}

TEST_CASE("a limit of one has no parts: nobody serves the gateway until the cell before has let go of it") {
  Line west("cell/west");
  west.limit = 1;
  west.Commit(1);
  REQUIRE(west.feed().Resume(Resume(), "n").ok());
  while (west.Next() != "caught up 1") {
  }
  west.Move(1, {"west", "default", store::Move::kLeave});
  CHECK(west.Next() == "-1@2");
  west.Move(1, {"west", "default", store::Move::kNone});
  CHECK(west.Next() == "1@3");
}

TEST_CASE("the node of a self-managed gateway hears of that one alone, and of its end") {
  Line line("gateway/2");
  line.Commit(1);
  line.CommitOwned(2);
  line.CommitOwned(3);
  REQUIRE(line.feed().Resume(Resume(), "n").ok());
  for (const char* message : {"welcome full", "2@2", "caught up 3"}) CHECK(line.Next() == message);
  line.Commit(1, 1);
  line.Delete(3);
  CHECK(line.Next() == "caught up 5");
  line.Delete(2);
  CHECK(line.Next() == "-2@6");
}

TEST_CASE("nothing is sent before the node said where it is") {
  Line line;
  line.Commit(1);
  CHECK(line.Next() == "");
}

TEST_CASE("a node without anything is sent everything, in order, and told when it has caught up") {
  Line line;
  line.Commit(1);
  line.Commit(2);
  REQUIRE(line.feed().Resume(Resume(), "n").ok());
  CHECK(line.Next() == "welcome full");
  CHECK(line.Next() == "1@1");
  CHECK(line.Next() == "2@2");
  CHECK(line.Next() == "caught up 2");
  CHECK(line.Next() == "");
}

TEST_CASE("a node that resumes is sent what came after its revision") {
  Line line;
  line.Commit(1);
  line.Commit(2);
  REQUIRE(line.feed().Resume(Resume("e1", 1), "n").ok());
  CHECK(line.Next() == "welcome");
  CHECK(line.Next() == "2@2");
  CHECK(line.Next() == "caught up 2");
}

TEST_CASE("a node of another epoch is sent everything anew") {
  Line line;
  line.Commit(1);
  REQUIRE(line.feed().Resume(Resume("e0", 1), "n").ok());
  CHECK(line.Next() == "welcome full");
  CHECK(line.Next() == "1@1");
  CHECK_FALSE(line.feed().ahead());
}

TEST_CASE("a node at the head is not ahead, and one past it is sent everything anew") {
  Line at, past;
  at.Commit(1);
  past.Commit(1);
  REQUIRE(at.feed().Resume(Resume("e1", 1), "n").ok());
  CHECK(at.Next() == "welcome");
  REQUIRE(past.feed().Resume(Resume("e1", 2), "n").ok());
  CHECK(past.Next() == "welcome full");
  CHECK(past.feed().ahead());
}

TEST_CASE("a removed gateway is named to who may have it and not in a full synchronisation") {
  Line resumed, full;
  for (Line* line : {&resumed, &full}) {
    line->Commit(1);
    line->Delete(1);
  }
  REQUIRE(resumed.feed().Resume(Resume("e1", 1), "n").ok());
  CHECK(resumed.Next() == "welcome");
  CHECK(resumed.Next() == "-1@2");
  REQUIRE(full.feed().Resume(Resume(), "n").ok());
  CHECK(full.Next() == "welcome full");
  CHECK(full.Next() == "caught up 2");
}

TEST_CASE("a gateway that is removed after a full synchronisation is named") {
  Line line;
  line.Commit(1);
  REQUIRE(line.feed().Resume(Resume(), "n").ok());
  for (const char* expected : {"welcome full", "1@1", "caught up 1", ""}) CHECK(line.Next() == expected);
  line.Delete(1);
  CHECK(line.Next() == "-1@2");
  CHECK(line.Next() == "caught up 2");
}

TEST_CASE("what a slow node did not take is sent once, at its latest") {
  Line line;
  line.Commit(1);
  REQUIRE(line.feed().Resume(Resume(), "n").ok());
  CHECK(line.Next() == "welcome full");
  for (int64_t version : {1, 2, 3}) line.Commit(1, version);
  CHECK(line.Next() == "1@4");
  CHECK(line.Next() == "caught up 4");
}

TEST_CASE("the name in the certificate decides") {
  Line line;
  CHECK(line.feed().Resume(Resume(), "other") ==
        absl::PermissionDeniedError("the certificate is of node \"other\", not of \"n\""));
  CHECK(line.Next() == "");
}

TEST_CASE("a stream is resumed once, by a node with a name, at a revision that can be") {
  Line line;
  v1::Resume nameless;
  CHECK(absl::IsInvalidArgument(line.feed().Resume(nameless, "")));
  CHECK(absl::IsInvalidArgument(line.feed().Resume(Resume("e1", -1), "n")));
  REQUIRE(line.feed().Resume(Resume(), "n").ok());
  CHECK(absl::IsInvalidArgument(line.feed().Resume(Resume(), "n")));
}

TEST_CASE("two streams are sent the very same bytes of a configuration") {
  test::FakeStore store;
  index::Index index(store);
  store::Write write;
  write.config.set_id("1");
  REQUIRE(store.Commit(write).ok());
  REQUIRE(index.Refresh().ok());
  const FeedSettings settings{"e1", {}};
  const store::Scope scope = store::Scope::OfCell("default");
  Feed first(index, settings, scope), second(index, settings, scope);
  for (Feed* feed : {&first, &second}) {
    REQUIRE(feed->Resume(Resume(), "n").ok());
    REQUIRE(feed->Next().has_value());  // Welcome
  }
  CHECK(first.Next()->config.get() == second.Next()->config.get());
}

TEST_CASE("a node that was away for longer than removals are kept is sent everything") {
  Line line;
  for (int number : {1, 2, 3}) line.Commit(number);
  line.Delete(1);  // at 4
  line.Delete(2);
  line.Purge(1);
  REQUIRE(line.feed().Resume(Resume("e1", 3), "n").ok());
  CHECK(line.Next() == "welcome full");
  CHECK(line.Next() == "3@3");
}

TEST_CASE("a node that knows of every removal that was purged is sent what came since") {
  Line line;
  for (int number : {1, 2, 3}) line.Commit(number);
  line.Delete(1);
  line.Delete(2);
  line.Purge(1);
  REQUIRE(line.feed().Resume(Resume("e1", 4), "n").ok());
  CHECK(line.Next() == "welcome");
  CHECK(line.Next() == "-2@5");
}

}  // namespace
}  // namespace sluice::sync
