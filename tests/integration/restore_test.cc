// A database that is restored to the past: nodes are told everything anew, and operators that it happened.

#include "catch2/catch.hpp"
#include "tests/integration/platform.h"

namespace sluice::test {
namespace {

constexpr char kHost[] = "shop.gw.localhost";

// The files of the database as they are now, and put back later: the same revision line, at an earlier point.
class Copy {
 public:
  explicit Copy(Postgres& database) : database_(database) {
    data_ = database.Query("show data_directory");
    data_.erase(data_.find_last_not_of('\n') + 1);
    database_.Stop();
    REQUIRE(Run({"cp", "-a", data_, data_ + ".copy"}).exit_code == 0);
    database_.Start();
  }
  void PutBack() {
    database_.Stop();
    REQUIRE(Run({"rm", "-rf", data_}).exit_code == 0);
    REQUIRE(Run({"mv", data_ + ".copy", data_}).exit_code == 0);
    database_.Start();
  }

 private:
  Postgres& database_;
  std::string data_;
};

std::string Without(std::string document) {
  return document.replace(document.find("/anything\""), 10, "/elsewhere\"");
}

bool LogSays(Platform& platform, const std::string& text) {
  return ReadFile(platform.state() + "/control-plane.log").find(text) != std::string::npos;
}

TEST_CASE("a database put back to an earlier state rolls nothing back while the control plane runs, and says so") {
  Platform platform;
  platform.Serve("shop", Without(kEcho));
  Copy copy(platform.database());
  REQUIRE(Eventually([&] { return platform.Sluice({"gateway", "list"}).exit_code == 0; }));
  platform.Apply("shop", kEcho);
  copy.PutBack();
  REQUIRE(Eventually([&] { return LogSays(platform, "it was restored"); }));
  CHECK(platform.ControlPlaneMetric("sluice_store_up") == 0);
  CHECK(platform.Connect().Get(kHost, "/anything").status == 200);
}

TEST_CASE("nodes that are ahead of the database raise an alarm, and are sent its state whole") {
  Platform platform;
  platform.Serve("shop", Without(kEcho));
  platform.StopControlPlane();
  Copy copy(platform.database());
  platform.StartControlPlane();
  platform.Apply("shop", kEcho);
  platform.Serve("late", kEcho);
  platform.StopControlPlane();
  copy.PutBack();
  platform.StartControlPlane();
  REQUIRE(Eventually([&] { return platform.ControlPlaneMetric("sluice_sync_nodes_ahead_total") == 1; }));
  CHECK(LogSays(platform, "a node is ahead of the database"));
  REQUIRE(Eventually([&] { return platform.Connect().Get(kHost, "/anything").status == 404; }));
  CHECK(platform.Connect().Get("late.gw.localhost", "/anything").status == 404);
  platform.Apply("shop", kEcho);
  CHECK(platform.Connect().Get(kHost, "/anything").status == 200);
}

TEST_CASE("a dump in another database is another line of revisions: nodes take all of it, and drop the rest") {
  Platform platform;
  platform.Serve("shop", kEcho);
  const std::string dump = platform.state() + "/dump.sql";
  REQUIRE(Run({"pg_dump", "-d", platform.database().conninfo(), "-f", dump}).exit_code == 0);
  platform.Serve("late", kEcho);
  platform.StopControlPlane();
  const std::string restored = platform.database().CreateDatabase();
  REQUIRE(Run({"psql", "-v", "ON_ERROR_STOP=1", "-q", "-d", restored, "-f", dump}).exit_code == 0);
  platform.UseDatabase(restored);
  platform.StartControlPlane();
  REQUIRE(Eventually([&] { return platform.Connect().Get("late.gw.localhost", "/anything").status == 404; }));
  CHECK(platform.Connect().Get(kHost, "/anything").status == 200);
  CHECK(platform.ControlPlaneMetric("sluice_sync_full_total") == 1);
  CHECK(platform.ControlPlaneMetric("sluice_sync_nodes_ahead_total") == 0);
}

}  // namespace
}  // namespace sluice::test
