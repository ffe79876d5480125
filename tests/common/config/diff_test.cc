#include "common/config/diff.h"

#include "catch2/catch.hpp"
#include "tests/common/config/support.h"

namespace sluice::config {
namespace {

TEST_CASE("a change names the field, before and after") {
  const auto config = Good(R"("routes":[{"name":"r","paths":["/a","/b"]}])");
  CHECK(Text(Changes(config, Document(R"("routes":[{"name":"r","paths":["/a","/c"]}])"))) ==
        R"(update route r paths[1] "/b" -> "/c")");
  CHECK(Text(Changes(config, Document(R"("routes":[{"name":"r","paths":["/a"],"regex_priority":2}])"))) ==
        R"(update route r paths[1] "/b" ->  regex_priority 0 -> 2)");
}

TEST_CASE("what a document does not name is deleted, what is new is created") {
  const auto config = Good(R"("services":[{"name":"s","host":"a.test"}])");
  CHECK(Text(Changes(config, Document(R"("consumers":[{"username":"c"}])"))) == "create consumer c\ndelete service s");
}

TEST_CASE("a plugin's configuration is compared field by field") {
  const auto config = Good(R"("plugins":[{"name":"rate-limiting","config":{"second":1,"hour":9}}])");
  CHECK(Text(Changes(config, Document(R"("plugins":[{"name":"rate-limiting","config":{"second":2}}])"))) ==
        "update plugin rate-limiting config.hour 9 ->  config.second 1 -> 2");
}

TEST_CASE("secrets read as stars, in a plugin's configuration too") {
  const auto config = Good(R"("plugins":[{"name":"http-log","config":{"http_endpoint":"http://u:one@a.test",
      "headers":{"authorization-two":"hush"}}}])");
  const std::string text = Text(
      Changes(config, Document(R"("plugins":[{"name":"http-log","config":{"http_endpoint":"http://u:two@a.test"}}])")));
  CHECK(text == R"(update plugin http-log config.headers {"authorization-two":"***"} ->  )"
                R"(config.http_endpoint "***" -> "***")");
}

TEST_CASE("a credential is never called by its key") {
  const auto config = Good(R"("consumers":[{"username":"c","keyauth_credentials":[{"key":"one"}]}])");
  const auto changes = Changes(config, Document(R"("consumers":[{"username":"c"}])"));
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].name == config.key_auths(0).id());
}

TEST_CASE("identities are found by name through references of either form") {
  const auto config = Good(R"("services":[{"name":"s","host":"a.test","plugins":[{"name":"cors"}]}])");
  const std::string reference = R"({"id":")" + config.services(0).id() + R"("})";
  for (const std::string& service : {std::string(R"("s")"), std::string(R"({"name":"s"})"), reference}) {
    INFO(service);
    CHECK(Text(Changes(config, Document(R"("services":[{"name":"s","host":"a.test"}],
        "plugins":[{"name":"cors","service":)" +
                                        service + "}]"))) == "");
  }
}

TEST_CASE("created_at and updated_at come along with the identity") {
  auto current = Good(R"("consumers":[{"username":"c"}])");
  current.mutable_consumers(0)->set_created_at(11);
  current.mutable_consumers(0)->set_updated_at(12);
  v1::GatewayConfig wanted;
  wanted.add_consumers()->set_username("c");
  AdoptIdentities(current, wanted);
  CHECK(wanted.consumers(0).id() == current.consumers(0).id());
  CHECK(wanted.consumers(0).created_at() == 11);
  CHECK(wanted.consumers(0).updated_at() == 12);
}

TEST_CASE("one identity goes to one entity") {
  const auto current = Good(R"("services":[{"name":"s","host":"a.test"}])");
  v1::GatewayConfig wanted;
  wanted.add_services()->set_name("s");
  wanted.add_services()->set_name("s");
  AdoptIdentities(current, wanted);
  CHECK(wanted.services(0).id() == current.services(0).id());
  CHECK(wanted.services(1).id() == "");
}

TEST_CASE("a credential is known by consumer and key, hashed or not") {
  const auto current = Good(R"("consumers":[{"username":"c","keyauth_credentials":[{"key":"foo"}]}])");
  for (const std::string& key : {std::string("foo"), HashKey("foo")}) {
    const auto document =
        Document(R"("consumers":[{"username":"c","keyauth_credentials":[{"key":")" + key + R"("}]}])");
    CHECK(Text(Changes(current, document)) == "");
  }
}

}  // namespace
}  // namespace sluice::config
