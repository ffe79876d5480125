#include "control-plane/store/address.h"

#include "catch2/catch.hpp"
#include "control-plane/store/store.h"

namespace sluice::store {
namespace {

using Addresses = std::vector<std::string>;

TEST_CASE("a server is found in a connection string and in a URL") {
  CHECK(ServerAddresses("host=db.test port=6000 password=x") == Addresses{"db.test:6000"});
  CHECK(ServerAddresses("postgresql://u:p@db.test/sluice") == Addresses{"db.test:5432"});
}

TEST_CASE("an address goes before a name, and IPv6 is in brackets") {
  CHECK(ServerAddresses("host=db.test hostaddr=::1") == Addresses{"[::1]:5432"});
}

TEST_CASE("several servers have their own ports or share one") {
  CHECK(ServerAddresses("host=a,b port=1,2") == Addresses{"a:1", "b:2"});
  CHECK(ServerAddresses("host=a,b port=1") == Addresses{"a:1", "b:1"});
}

TEST_CASE("a Unix socket is no address, and neither is nonsense") {
  CHECK(ServerAddresses("host=/run/postgresql").empty());
  CHECK(ServerAddresses("dbname=a").empty());
  CHECK(ServerAddresses("nonsense").empty());
}

TEST_CASE("a connection string that cannot be read is refused at once, without a word of it") {
  for (const char* text : {"host=/nowhere password=my s3cret", "host=/nowhere password=my s3cret=x",
                           "postgres://u:s3cret%zz@127.0.0.1/x"}) {
    const absl::Status status = Store::Open({text}, std::chrono::hours(1)).status();
    CHECK(absl::IsInvalidArgument(status));
    CHECK(status.ToString().find("s3cret") == std::string::npos);
  }
  CHECK(CheckConnectionString("postgresql://u:p@db.test/sluice").ok());
  CHECK(CheckConnectionString("sluice").ok());
}

}  // namespace
}  // namespace sluice::store
