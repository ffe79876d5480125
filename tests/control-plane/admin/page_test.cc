#include "control-plane/admin/page.h"

#include "catch2/catch.hpp"
#include "control-plane/admin/entity_page.h"

using namespace sluice;
using admin::MakePageToken;
using admin::ReadPage;

namespace {

config::v1::GatewayConfig ThreeServices() {
  config::v1::GatewayConfig config;
  for (const char* id : {"a", "b", "c"}) {
    config.add_services()->set_id(id);
    config.mutable_services(config.services_size() - 1)->set_created_at(5);
  }
  config.add_routes()->set_id("r");
  return config;
}

}  // namespace

TEST_CASE("a page without size has 50, and 1000 at most") {
  CHECK(ReadPage("q", 0, "")->size == 50);
  CHECK(ReadPage("q", 1000, "")->size == 1000);
  CHECK(ReadPage("q", 1001, "")->size == 1000);
}

TEST_CASE("a token gives its cursor back") { CHECK(ReadPage("q", 0, MakePageToken("q", "shop"))->cursor == "shop"); }

TEST_CASE("a token of another query is refused") {
  CHECK(absl::IsInvalidArgument(ReadPage("q2", 0, MakePageToken("q1", "shop")).status()));
}

TEST_CASE("a token of 1024 bytes is read and a longer one refused") {
  const std::string longest = MakePageToken("q", std::string(760, 'x'));
  CHECK(longest.size() == 1024);
  CHECK(ReadPage("q", 0, longest).ok());
  CHECK_FALSE(ReadPage("q", 0, MakePageToken("q", std::string(763, 'x'))).ok());
}

TEST_CASE("what is no token at all is refused") {
  CHECK_FALSE(ReadPage("q", 0, "%%%").ok());
  CHECK_FALSE(ReadPage("q", 0, "YQ").ok());
}

TEST_CASE("entities come kind by kind, and the last page has no cursor") {
  const admin::EntityPage first = admin::EntitiesAfter(ThreeServices(), "", "", 3);
  CHECK(first.entities.back().service().id() == "c");
  const admin::EntityPage second = admin::EntitiesAfter(ThreeServices(), "", first.next, 3);
  REQUIRE(second.entities.size() == 1);
  CHECK(second.entities[0].route().id() == "r");
  CHECK(second.next.empty());
}

TEST_CASE("a listing goes on after an entity that was deleted meanwhile") {
  config::v1::GatewayConfig config = ThreeServices();
  const admin::EntityPage first = admin::EntitiesAfter(config, "service", "", 2);
  config.mutable_services()->DeleteSubrange(1, 1);
  const admin::EntityPage second = admin::EntitiesAfter(config, "service", first.next, 2);
  REQUIRE(second.entities.size() == 1);
  CHECK(second.entities[0].service().id() == "c");
}
