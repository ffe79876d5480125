#pragma once

// A store on a database of its own, and changes in few words.

#include <memory>
#include <string>

#include "control-plane/store/store.h"
#include "tests/support/postgres.h"

namespace sluice::store {

class Database {
 public:
  explicit Database(test::Postgres& cluster = test::SharedPostgres());
  Store* operator->() const { return store_.get(); }
  Store& store() const { return *store_; }
  const Options& options() const { return options_; }
  const std::string& key() const { return key_; }  // that seals it
  std::string Query(const std::string& sql) const { return cluster_.Query(options_.database, sql); }
  // Makes the gateway "g1" with id "1", or with that number.
  Committed Create(int number = 1) const;

 private:
  test::Postgres& cluster_;
  const std::string key_ = KeyRing::NewKey();
  Options options_;
  std::unique_ptr<Store> store_;
};

// Of gateway id "<number>", name "g<number>", host "<number>.test", on the plan "serverless".
Write WriteOf(int number, int64_t expected_version);
EntityRow Service(const std::string& id, const std::string& name);
EntityRow Route(const std::string& id, const std::string& service_id);

}  // namespace sluice::store
