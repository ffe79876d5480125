#include "common/config/entity.h"

#include "catch2/catch.hpp"
#include "tests/common/config/support.h"

namespace sluice::config {
namespace {

v1::GatewayConfig Example() {
  return Good(R"("services":[{"name":"s","host":"a.test","plugins":[{"name":"cors"}],
      "routes":[{"name":"r","paths":["/"],"plugins":[{"name":"cors"},{"name":"key-auth","instance_name":"k"}]}]}],
      "consumers":[{"username":"c","keyauth_credentials":[{"key":"a"}],
                    "plugins":[{"name":"rate-limiting","config":{"day":1}}]}],
      "upstreams":[{"name":"u","targets":[{"target":"a.test"}]}])");
}

TEST_CASE("kind, id and name are seen alike for every kind") {
  v1::Entity entity;
  CHECK(Unwrap(std::as_const(entity)) == nullptr);
  CHECK(KindOf(entity) == "");
  entity.mutable_target()->set_target("a:1");
  entity.mutable_target()->set_id("i");
  CHECK(KindOf(entity) == "target");
  CHECK(IdOf(entity) == "i");
  CHECK(NameOf(entity) == "a:1");
}

TEST_CASE("every kind of the oneof is known, in order") {
  const auto* oneof = v1::Entity::descriptor()->oneof_decl(0);
  REQUIRE(static_cast<int>(EntityKinds().size()) == oneof->field_count());
  for (int i = 0; i < oneof->field_count(); ++i)
    CHECK(EntityKinds()[static_cast<size_t>(i)] == oneof->field(i)->name());
}

TEST_CASE("entities are found by id and by name") {
  const auto config = Example();
  CHECK(FindEntity(config, "service", "s")->service().host() == "a.test");
  CHECK(FindEntity(config, "service", config.services(0).id())->service().name() == "s");
  CHECK(FindEntity(config, "plugin", "k")->plugin().name() == "key-auth");
  CHECK_FALSE(FindEntity(config, "route", "s").has_value());
  CHECK_FALSE(FindEntity(config, "service", "").has_value());
}

TEST_CASE("a name that several have finds none") {
  CHECK_FALSE(FindEntity(Example(), "plugin", "cors").has_value());
}

TEST_CASE("putting replaces the entity with the same id, or adds one") {
  auto config = Example();
  auto entity = *FindEntity(config, "service", "s");
  entity.mutable_service()->set_port(81);
  PutEntity(config, entity);
  CHECK(config.services_size() == 1);
  CHECK(config.services(0).port() == 81);
  entity.mutable_service()->clear_id();
  PutEntity(config, entity);
  CHECK(config.services_size() == 2);
}

TEST_CASE("removing takes along what belongs to it") {
  auto config = Example();
  CHECK(RemoveEntity(config, "route", FindEntity(config, "route", "r")->route().id()));
  CHECK(config.plugins_size() == 2);
  CHECK(RemoveEntity(config, "consumer", config.consumers(0).id()));
  CHECK(config.key_auths_size() == 0);
  CHECK(config.plugins_size() == 1);
  CHECK(RemoveEntity(config, "upstream", config.upstreams(0).id()));
  CHECK(config.targets_size() == 0);
  CHECK_FALSE(RemoveEntity(config, "upstream", "gone"));
}

TEST_CASE("removing a service that has routes leaves a dangling reference") {
  auto config = Example();
  const std::string id = config.services(0).id();
  CHECK(RemoveEntity(config, "service", id));
  schema::Violations violations;
  Validate(config, {}, violations);
  CHECK(Text(violations) == "routes[r].service: there is no service '" + id + "'");
}

TEST_CASE("all entities are listed kind by kind") {
  std::string kinds;
  for (const auto& entity : EntitiesOf(Example())) kinds += std::string(KindOf(entity)) + " ";
  CHECK(kinds == "service route plugin plugin plugin plugin consumer key_auth upstream target ");
}

}  // namespace
}  // namespace sluice::config
