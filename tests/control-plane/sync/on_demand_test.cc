// What a node is sent that holds the configurations of some gateways alone.

#include "catch2/catch.hpp"
#include "control-plane/sync/feed.h"
#include "tests/support/fake_store.h"

namespace sluice::sync {
namespace {

class Line {
 public:
  void Commit(const std::string& id, int64_t expected_version = 0, const std::string& certificate = "") {
    store::Write write;
    write.config.set_id(id);
    write.config.set_name(id);
    write.config.set_kind(config::v1::SERVERLESS);
    write.config.add_hosts(id + ".test");
    write.config.mutable_plan()->set_requests_per_second(100);
    write.config.add_services()->set_name("s");
    if (!certificate.empty()) write.config.add_certificates()->set_cert(certificate);
    write.expected_version = expected_version;
    write.cell = store::kDefaultCell;
    REQUIRE(store_.Commit(write).ok());
    REQUIRE(index_.Refresh().ok());
  }
  void Delete(const std::string& id) {
    REQUIRE(store_.DeleteGateway({id}).ok());
    REQUIRE(index_.Refresh().ok());
  }
  void Move(const std::string& id, const store::Placement& to) {
    REQUIRE(store_.Place({{id, store_.GetGateway(id)->placement, to}}).value() == 1);
    REQUIRE(index_.Refresh().ok());
  }
  void Resume(std::initializer_list<std::string> held, int64_t revision = 0) {
    v1::Resume resume;
    resume.set_node("n");
    resume.set_epoch("e");
    resume.set_revision(revision);
    resume.set_mode(v1::ON_DEMAND);
    for (const std::string& id : held) resume.add_held(id);
    REQUIRE(feed.Resume(resume, "n").ok());
  }
  absl::Status Want(std::initializer_list<std::string> ids) {
    v1::Want want;
    for (const std::string& id : ids) want.add_gateway_ids(id);
    return feed.Want(want);
  }
  void Release(const std::string& id) {
    v1::Release release;
    release.add_gateway_ids(id);
    feed.Release(release);
  }
  // All that comes: "welcome on demand; head a@1 a.test 100; a@2; fetched a@1; -a@3; caught up 3; ".
  std::string All() {
    std::string text;
    while (auto outgoing = feed.Next()) {
      v1::ControlMessage message;
      REQUIRE(message.ParseFromString(outgoing->Joined()));
      text += Text(message) + "; ";
    }
    return text;
  }

 private:
  static std::string Text(const v1::ControlMessage& message) {
    if (message.has_welcome()) return message.welcome().mode() == v1::ON_DEMAND ? "welcome on demand" : "welcome";
    if (message.has_caught_up()) return "caught up " + std::to_string(message.caught_up().revision());
    const v1::GatewayUpdate& update = message.update();
    const std::string name = update.gateway_id() + "@" + std::to_string(update.revision());
    if (update.removed()) return "-" + name;
    if (!update.has_head()) {
      config::v1::GatewayConfig config;
      REQUIRE(config.ParseFromString(update.config()));
      CHECK(config.services_size() == 1);
      return (update.fetched() ? "fetched " : "") + name;
    }
    CHECK(update.config().empty());
    std::string text = "head " + name;
    for (const std::string& host : update.head().hosts()) text += " " + host;
    return text + " " + std::to_string(update.head().requests_per_second());
  }

  test::FakeStore store_;
  index::Index index_{store_};
  FeedSettings settings_{"e", {}};

 public:
  Feed feed{index_, settings_, store::Scope::OfCell(store::kDefaultCell)};
};

TEST_CASE("a node on demand is sent what it holds, and the heads of the others") {
  Line line;
  line.Commit("a");
  line.Commit("b");
  line.Resume({"b"});
  CHECK(line.All() == "welcome on demand; head a@1 a.test 100; b@2; caught up 2; ");
  line.Commit("b", 1);
  line.Commit("a", 1);
  CHECK(line.All() == "b@3; head a@4 a.test 100; caught up 4; ");
}

TEST_CASE("what a node wants is sent at once, and from then on") {
  Line line;
  line.Commit("a");
  line.Resume({});
  line.All();
  REQUIRE(line.Want({"a"}).ok());
  CHECK(line.All() == "fetched a@1; ");
  line.Commit("a", 1);
  CHECK(line.All() == "a@2; caught up 2; ");
  line.Release("a");
  line.Commit("a", 2);
  CHECK(line.All() == "head a@3 a.test 100; caught up 3; ");
}

TEST_CASE("what is wanted comes before what is behind it in the order of revisions") {
  Line line;
  for (const char* id : {"a", "b", "c"}) line.Commit(id);
  line.Resume({});
  REQUIRE(line.Want({"c"}).ok());
  CHECK(line.All() == "welcome on demand; fetched c@3; head a@1 a.test 100; head b@2 b.test 100; c@3; caught up 3; ");
}

TEST_CASE("of a gateway that has gone, whoever wants it hears so") {
  Line line;
  line.Commit("a");
  line.Resume({});
  line.All();
  line.Delete("a");
  REQUIRE(line.Want({"a", "nobody"}).ok());
  CHECK(line.All() == "-a@2; -a@2; caught up 2; ");
}

TEST_CASE("a gateway that moves is fetched and told of with the part of its limit that is the cell's") {
  Line line;
  line.Commit("a");
  line.Resume({});
  line.All();
  line.Move("a", {"default", "west", store::Move::kNarrow});
  CHECK(line.All() == "head a@2 a.test 50; caught up 2; ");
}

TEST_CASE("a gateway with certificates is sent whole, as a handshake does not wait") {
  Line line;
  line.Commit("a", 0, "PEM");
  line.Resume({});
  CHECK(line.All() == "welcome on demand; a@1; caught up 1; ");
}

TEST_CASE("a node may want so many gateways and no more") {
  Line line;
  line.Resume({});
  v1::Want want;
  for (size_t i = 0; i < Feed::kMaxWanted; ++i) want.add_gateway_ids(std::to_string(i));
  CHECK(line.feed.Want(want).ok());
  CHECK(absl::IsResourceExhausted(line.Want({"one more"})));
}

}  // namespace
}  // namespace sluice::sync
