// PostgreSQL dies, comes back, or is replaced by the server that followed it.

#include <csignal>

#include "tests/faults/fixture.h"

namespace sluice::test {
namespace {

TEST_CASE("traffic does not notice that the database is killed, and writes work again when it is back") {
  Busy busy;
  busy.platform.database().Kill();
  const Finished refused = busy.platform.Sluice({"gateway", "create", "late"});
  CHECK(refused.exit_code == 1);
  CHECK(refused.err.find("database") != std::string::npos);
  busy.AwaitRequests(120);
  busy.platform.database().Start();
  REQUIRE(Eventually([&] { return busy.platform.Sluice({"gateway", "create", "late"}).exit_code == 0; }));
  busy.Change(1);
  busy.CheckTraffic();
}

TEST_CASE("a database that hangs and keeps its connections is a database that is away") {
  Busy busy;
  Postgres& database = busy.platform.database();
  database.Freeze();
  const Finished refused = busy.platform.Sluice({"gateway", "create", "late"});
  CHECK(refused.exit_code == 1);
  CHECK(refused.err.find("database") != std::string::npos);
  busy.platform.Ok({"nodes"});  // what is in memory is answered
  busy.AwaitRequests(120);
  database.Thaw();
  REQUIRE(Eventually([&] { return busy.platform.Sluice({"gateway", "create", "later"}).exit_code == 0; }));
  busy.Change(1);
  busy.CheckTraffic();
}

TEST_CASE("what was acknowledged before the database was killed is there afterwards") {
  Busy busy({.nodes = 1});
  std::vector<std::string> acknowledged;
  for (int i = 0; i < 10; ++i) {
    for (int k = 0; k < 5; ++k) {
      const std::string name = "g" + std::to_string(i) + "-" + std::to_string(k);
      if (busy.platform.Sluice({"gateway", "create", name}).exit_code == 0) acknowledged.push_back(name);
    }
    busy.platform.database().Kill();
    busy.platform.database().Start();
  }
  CHECK(acknowledged.size() >= 10);
  REQUIRE(Eventually([&] { return busy.platform.Sluice({"gateway", "list"}).exit_code == 0; }));
  for (const std::string& name : acknowledged) {
    CHECK(Eventually([&] { return busy.platform.Sluice({"gateway", "get", name}).exit_code == 0; }));
  }
  busy.CheckTraffic();
}

TEST_CASE("a synchronous replica takes over: nothing acknowledged is lost, and nodes resume where they were") {
  Busy busy;
  Postgres& primary = busy.platform.database();
  const auto standby = Postgres::SynchronousStandbyOf(primary);
  busy.platform.UseDatabase("host=" + primary.host() + "," + standby->host() +
                            " user=postgres dbname=postgres target_session_attrs=read-write connect_timeout=2");
  busy.platform.StopControlPlane();
  busy.platform.StartControlPlane();
  busy.platform.Ok({"gateway", "create", "last"});
  primary.Kill();
  CHECK(busy.platform.Sluice({"gateway", "create", "meanwhile"}).exit_code == 1);
  standby->Promote();
  REQUIRE(Eventually([&] { return busy.platform.Sluice({"gateway", "create", "after"}).exit_code == 0; }));
  busy.platform.Ok({"gateway", "get", "last"});
  busy.Change(1);
  CHECK(ReadFile(busy.platform.state() + "/control-plane.log").find("\"full\":\"yes\",\"node\":\"node-1\"") ==
        std::string::npos);
  busy.CheckTraffic();
}

}  // namespace
}  // namespace sluice::test
