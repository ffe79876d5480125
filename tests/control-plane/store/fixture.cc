#include "tests/control-plane/store/fixture.h"

#include "catch2/catch.hpp"

namespace sluice::store {

Database::Database(test::Postgres& cluster) : cluster_(cluster) {
  options_.database = cluster.CreateDatabase();
  options_.keys = [text = key_](bool) { return KeyRing::Parse(text); };
  options_.rules = "r";
  auto store = Store::Open(options_, std::chrono::seconds(10));
  INFO(store.status().ToString());
  REQUIRE(store.ok());
  store_ = *std::move(store);
  config::v1::Plan plan;
  plan.set_name("serverless");
  REQUIRE(store_->PutPlan(plan, {"setup", "SetPlan"}).ok());
}

Committed Database::Create(int number) const {
  auto committed = store_->Commit(WriteOf(number, 0));
  INFO(committed.status().ToString());
  REQUIRE(committed.ok());
  return *committed;
}

Write WriteOf(int number, int64_t expected_version) {
  Write write;
  const std::string id = std::to_string(number);
  write.config.set_id(id);
  write.config.set_name("g" + id);
  write.config.set_kind(config::v1::SERVERLESS);
  write.config.add_hosts(id + ".test");
  write.config.mutable_plan()->set_name("serverless");
  write.config.set_version(expected_version + 1);
  write.expected_version = expected_version;
  write.author = "ann";
  write.message = "because";
  write.audit = {"ann", "PutEntity", id, "r1", "127.0.0.1", "{}", "OK"};
  return write;
}

EntityRow Service(const std::string& id, const std::string& name) {
  return {"service", id, name, {}};
}

EntityRow Route(const std::string& id, const std::string& service_id) {
  return {"route", id, "", {service_id}};
}

}  // namespace sluice::store
