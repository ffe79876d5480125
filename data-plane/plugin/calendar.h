#pragma once

// Windows of the UTC calendar: the second, minute, hour, day, month and year that hold an instant. Pure.

#include <cstdint>
#include <string_view>

namespace sluice::plugins {

enum class Period { kSecond, kMinute, kHour, kDay, kMonth, kYear };

std::string_view PeriodName(Period period);  // "Second"

struct CalendarWindow {
  int64_t start;  // Unix seconds
  int64_t end;
};
CalendarWindow WindowAt(Period period, int64_t unix_seconds);

}  // namespace sluice::plugins
