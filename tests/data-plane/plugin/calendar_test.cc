#include "data-plane/plugin/calendar.h"

#include "catch2/catch.hpp"

namespace sluice::plugins {
namespace {

constexpr int64_t kLeapDay = 1'709'164'800;  // 2024-02-29T00:00:00Z

TEST_CASE("a minute holds its first second and not the next minute's") {
  CHECK(WindowAt(Period::kMinute, 1'700'000'000).start == 1'699'999'980);
  CHECK(WindowAt(Period::kMinute, 1'700'000'039).end == 1'700'000'040);
  CHECK(WindowAt(Period::kMinute, 1'700'000'040).start == 1'700'000'040);
}

TEST_CASE("an hour and a day begin where UTC says") {
  CHECK(WindowAt(Period::kHour, kLeapDay + 3'599).start == kLeapDay);
  CHECK(WindowAt(Period::kDay, kLeapDay + 86'399).start == kLeapDay);
  CHECK(WindowAt(Period::kDay, kLeapDay + 86'399).end == kLeapDay + 86'400);
}

TEST_CASE("February of a leap year ends behind its twenty-ninth day") {
  CHECK(WindowAt(Period::kMonth, kLeapDay).start == 1'706'745'600);
  CHECK(WindowAt(Period::kMonth, kLeapDay).end == kLeapDay + 86'400);
}

TEST_CASE("December ends with its year") {
  CHECK(WindowAt(Period::kMonth, 1'704'067'199).end == 1'704'067'200);
  CHECK(WindowAt(Period::kYear, 1'704'067'199).end == 1'704'067'200);
  CHECK(WindowAt(Period::kYear, 1'704'067'200).start == 1'704'067'200);
}

}  // namespace
}  // namespace sluice::plugins
