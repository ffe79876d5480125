#include "common/quota/slots.h"

#include "catch2/catch.hpp"

namespace sluice::quota {
namespace {

using std::chrono::milliseconds;

const MonotonicTime kNow{std::chrono::hours(5)};

TEST_CASE("slots that can be used soonest are taken first") {
  Slots slots;
  slots.Add(2, kNow + milliseconds(300));
  slots.Add(1, kNow);
  slots.Add(1, kNow + milliseconds(300));
  CHECK(slots.count() == 4);
  const Slots taken = slots.TakeFirst(3);
  CHECK(taken.count() == 3);
  CHECK(taken.groups().front().ready == kNow);
  CHECK(slots.count() == 1);
  CHECK(slots.groups().front().ready == kNow + milliseconds(300));
}

TEST_CASE("more cannot be taken than there is") {
  Slots slots(2, kNow);
  CHECK(slots.TakeFirst(5).count() == 2);
  CHECK(slots.count() == 0);
  CHECK(slots.groups().empty());
}

TEST_CASE("what is dropped is what would be usable last") {
  Slots slots(2, kNow);
  slots.Add(2, kNow + milliseconds(10));
  slots.DropLast(3);
  CHECK(slots.count() == 1);
  CHECK(slots.groups().front().ready == kNow);
  slots.DropLast(9);
  CHECK(slots.count() == 0);
}

TEST_CASE("a message makes no slot usable earlier, and has few groups") {
  Slots slots;
  for (int i = 0; i < 1000; ++i) slots.Add(1, kNow + std::chrono::microseconds(i * 1000 + 1));
  const auto list = slots.Write(kNow);
  CHECK(list.size() <= 100);
  const Slots read = Slots::Read(list, kNow);
  REQUIRE(read.count() == 1000);
  CHECK(read.groups().front().ready >= kNow + std::chrono::microseconds(1));
  CHECK(read.groups().back().ready == kNow + kWindow);
}

TEST_CASE("what is usable already is one group of no wait") {
  Slots slots(3, kNow - milliseconds(500));
  slots.Add(2, kNow);
  const auto list = slots.Write(kNow);
  REQUIRE(list.size() == 1);
  CHECK(list[0].count == 5);
  CHECK(list[0].ready_in == Duration{});
}

TEST_CASE("waits that no slot can have are read as a whole window") {
  const Slots read = Slots::Read({{1, std::chrono::hours(9)}, {1, -std::chrono::hours(9)}}, kNow);
  CHECK(read.groups().front().ready == kNow);
  CHECK(read.groups().back().ready == kNow + kWindow);
}

}  // namespace
}  // namespace sluice::quota
