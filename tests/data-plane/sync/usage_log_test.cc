#include "data-plane/sync/usage_log.h"

#include "catch2/catch.hpp"

namespace sluice::sync {
namespace {

UsageTotals Totals(std::initializer_list<std::pair<std::string, uint64_t>> requests) {
  UsageTotals totals;
  for (const auto& [id, count] : requests) {
    totals[id].set_requests(count);
    totals[id].set_response_bytes(count * 10);
  }
  return totals;
}

v1::UsageKept Kept(int64_t number, const std::string& process = "p") {
  v1::UsageKept kept;
  kept.set_process(process);
  kept.set_number(number);
  return kept;
}

// "2@60: a 3": the number, the minute, and the requests of each gateway; "" for nothing to send.
std::string Next(UsageLog& log) {
  const auto usage = log.Next();
  if (!usage) return "";
  std::string text = std::to_string(usage->number()) + "@" + std::to_string(usage->minute()) + ":";
  for (const auto& gateway : usage->gateways()) {
    text += " " + gateway.gateway_id() + " " + std::to_string(gateway.requests());
    CHECK(gateway.response_bytes() == gateway.requests() * 10);
  }
  return text;
}

TEST_CASE("each minute reports what was counted since the one before, and nothing where there was nothing") {
  UsageLog log("p");
  log.Note(60, Totals({{"a", 3}}));
  log.Note(120, Totals({{"a", 3}}));
  log.Note(180, Totals({{"a", 5}}));
  CHECK(Next(log) == "1@60: a 3");
  log.Kept(Kept(1));
  CHECK(Next(log) == "2@180: a 2");
  log.Kept(Kept(2));
  CHECK(Next(log) == "");
  CHECK(log.waiting() == 0);
}

TEST_CASE("a report is sent again, the same, until it is kept") {
  UsageLog log("p");
  log.Note(60, Totals({{"a", 3}}));
  CHECK(Next(log) == "1@60: a 3");
  CHECK(Next(log) == "");  // on its way
  log.Note(120, Totals({{"a", 4}}));
  log.Resend();
  CHECK(Next(log) == "1@60: a 3");
  log.Kept(Kept(2));           // another
  log.Kept(Kept(1, "other"));  // of another process
  CHECK(log.waiting() == 2);
  log.Kept(Kept(1));
  log.Kept(Kept(1));  // once more
  CHECK(Next(log) == "2@120: a 1");
}

TEST_CASE("reports up to the maximum are kept apart, and what comes after is added up in one") {
  UsageLog log("p");
  for (uint64_t minute = 1; minute <= UsageLog::kMaxReports + 10; ++minute) {
    log.Note(static_cast<int64_t>(minute * 60), Totals({{"a", minute}}));
  }
  CHECK(log.waiting() == UsageLog::kMaxReports + 1);
  for (size_t number = 1; number <= UsageLog::kMaxReports; ++number) {
    REQUIRE(Next(log).ends_with(": a 1"));
    log.Kept(Kept(static_cast<int64_t>(number)));
  }
  log.Note(60 * 131, Totals({{"a", UsageLog::kMaxReports + 11}}));
  CHECK(Next(log) == "121@7800: a 10");
  log.Kept(Kept(121));
  CHECK(Next(log) == "122@7860: a 1");
}

TEST_CASE("gateways beyond the maximum of a report are in the next one") {
  UsageLog log("p");
  UsageTotals totals;
  for (size_t i = 0; i <= UsageLog::kMaxGateways; ++i) totals[std::to_string(i)].set_requests(1);
  log.Note(60, totals);
  log.Note(120, totals);
  CHECK(log.Next()->gateways_size() == UsageLog::kMaxGateways);
  log.Kept(Kept(1));
  CHECK(log.Next()->gateways_size() == 1);
}

}  // namespace
}  // namespace sluice::sync
