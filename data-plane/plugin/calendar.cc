#include "data-plane/plugin/calendar.h"

#include <chrono>

namespace sluice::plugins {
namespace {

int64_t Seconds(std::chrono::year_month_day date) {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::sys_days(date).time_since_epoch()).count();
}

CalendarWindow Fixed(int64_t length, int64_t now) {
  const int64_t start = now - ((now % length) + length) % length;
  return {start, start + length};
}

}  // namespace

std::string_view PeriodName(Period period) {
  static constexpr std::string_view kNames[] = {"Second", "Minute", "Hour", "Day", "Month", "Year"};
  return kNames[static_cast<int>(period)];
}

CalendarWindow WindowAt(Period period, int64_t unix_seconds) {
  using namespace std::chrono;  // NOLINT: the calendar's own words
  switch (period) {
    case Period::kSecond:
      return Fixed(1, unix_seconds);
    case Period::kMinute:
      return Fixed(60, unix_seconds);
    case Period::kHour:
      return Fixed(3600, unix_seconds);
    case Period::kDay:
      return Fixed(86400, unix_seconds);
    case Period::kMonth:
    case Period::kYear:
      break;
  }
  const year_month_day today(floor<days>(sys_seconds(seconds(unix_seconds))));
  if (period == Period::kYear) {
    return {Seconds(today.year() / January / 1), Seconds((today.year() + years(1)) / January / 1)};
  }
  const year_month month = today.year() / today.month();
  return {Seconds(month / 1), Seconds((month + months(1)) / 1)};
}

}  // namespace sluice::plugins
