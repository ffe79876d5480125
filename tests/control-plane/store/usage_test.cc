#include "catch2/catch.hpp"
#include "tests/control-plane/store/fixture.h"

namespace sluice::store {
namespace {

using std::chrono::hours;

const int64_t kNow = UnixSeconds(SystemClock().WallNow());
const int64_t kHour = kNow - kNow % 3600 - 3600;  // the last whole hour

UsageReport Report(int64_t number, int64_t minute, int64_t requests) {
  return {"n", "p", number, minute, {{"1", {requests, 5, 4, 1, 2, 100, 1000}}}};
}

// "requests@seconds after kHour " of each row.
std::string Rows(const Database& database, UsageStep step, int limit = 100) {
  const auto rows = database->GetUsage("1", step, WallTime(std::chrono::seconds(kHour)) - hours(48), limit);
  REQUIRE(rows.ok());
  std::string text;
  for (const UsageRow& row : *rows) {
    text += std::to_string(row.counts.requests) + "@" + std::to_string(UnixSeconds(row.at) - kHour) + " ";
  }
  return text;
}

TEST_CASE("usage of all nodes is summed by minute, hour and day") {
  Database database;
  database.Create(1);
  REQUIRE(database->AddUsage(Report(1, kHour, 7)).ok());
  REQUIRE(database->AddUsage(Report(2, kHour + 60, 1)).ok());
  UsageReport other = Report(1, kHour + 60, 2);
  other.node = "m";
  REQUIRE(database->AddUsage(other).ok());
  CHECK(Rows(database, UsageStep::kMinute) == "7@0 3@60 ");
  CHECK(Rows(database, UsageStep::kHour) == "10@0 ");
  CHECK(Rows(database, UsageStep::kDay) == "10@-" + std::to_string(kHour % 86'400) + " ");
  CHECK(Rows(database, UsageStep::kMinute, 1) == "7@0 ");
  const UsageCounts counts = (*database->GetUsage("1", UsageStep::kHour, {}, 9))[0].counts;
  CHECK(counts.refused == 15);
  CHECK(counts.limited == 12);
  CHECK(counts.too_large == 3);
  CHECK(counts.failed == 6);
  CHECK(counts.request_bytes == 300);
  CHECK(counts.response_bytes == 3000);
}

TEST_CASE("a report that comes again counts once, and a process that begins anew counts from one") {
  Database database;
  database.Create(1);
  for (int64_t number : {1, 2, 2, 1}) REQUIRE(database->AddUsage(Report(number, kHour, 1)).ok());
  CHECK(Rows(database, UsageStep::kMinute) == "2@0 ");
  UsageReport restarted = Report(1, kHour, 1);
  restarted.process = "q";
  for (int i = 0; i < 2; ++i) REQUIRE(database->AddUsage(restarted).ok());
  CHECK(Rows(database, UsageStep::kMinute) == "3@0 ");
}

TEST_CASE("usage of a gateway that is not there is left out, and the rest is kept") {
  Database database;
  database.Create(1);
  UsageReport report = Report(1, kHour, 1);
  report.gateways.push_back({"nobody", {9, 0, 0, 0, 0, 0, 0}});
  REQUIRE(database->AddUsage(report).ok());
  CHECK(Rows(database, UsageStep::kMinute) == "1@0 ");
  CHECK(database->GetUsage("nobody", UsageStep::kHour, {}, 9)->empty());
}

TEST_CASE("a node whose clock is wrong reports neither in the future nor before what is kept") {
  Database database;
  database.Create(1);
  REQUIRE(database->AddUsage(Report(1, kNow + 1'000'000, 1)).ok());
  REQUIRE(database->AddUsage(Report(2, 0, 1)).ok());
  const auto rows = *database->GetUsage("1", UsageStep::kHour, {}, 9);
  REQUIRE(rows.size() == 2);
  CHECK(UnixSeconds(rows[0].at) >= kNow - 36 * 86'400);
  CHECK(UnixSeconds(rows[1].at) <= kNow + 3600);
}

TEST_CASE("the load of a cell is that of the busiest of the last minutes, over all nodes") {
  const int64_t now = UnixSeconds(SystemClock().WallNow());  // the tests before this one may have taken minutes
  Database database;
  database.Create(1);
  CHECK(*database->RequestsPerSecond("default") == 0);
  REQUIRE(database->AddUsage(Report(1, now - 600, 60'000)).ok());  // long ago
  REQUIRE(database->AddUsage(Report(2, now - 120, 600)).ok());
  UsageReport other = Report(1, now - 120, 1200);
  other.node = "m";
  REQUIRE(database->AddUsage(other).ok());
  REQUIRE(database->AddUsage(Report(3, now - 60, 300)).ok());
  CHECK(*database->RequestsPerSecond("default") == 30);
  CHECK(*database->RequestsPerSecond("elsewhere") == 0);
}

TEST_CASE("minutes are kept for three days and hours for 35") {
  Database database;
  database.Create(1);
  REQUIRE(database->AddUsage(Report(1, kNow - 4 * 86'400, 1)).ok());
  REQUIRE(database->AddUsage(Report(2, kNow - 2 * 86'400, 1)).ok());
  REQUIRE(database->PruneUsage().ok());
  CHECK(database->GetUsage("1", UsageStep::kMinute, {}, 9)->size() == 1);
  CHECK(database->GetUsage("1", UsageStep::kHour, {}, 9)->size() == 2);
  database.Query("update usage_hours set at = at - interval '34 days'");
  REQUIRE(database->PruneUsage().ok());
  CHECK(database->GetUsage("1", UsageStep::kHour, {}, 9)->empty());
}

}  // namespace
}  // namespace sluice::store
