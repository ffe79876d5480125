// How much is tried again.

#include "data-plane/balance/retry_budget.h"

#include "tests/data-plane/balance/support.h"

using namespace sluice;
using namespace sluice::test;

namespace {

// How many retries are granted to these requests, each of which wants one.
int Granted(RetryBudget& budget, int requests, MonotonicTime now) {
  int granted = 0;
  for (int i = 0; i < requests; ++i) {
    budget.OnRequest();
    granted += budget.Take(now);
  }
  return granted;
}

}  // namespace

TEST_CASE("a burst may be retried, and then a fifth of all requests") {
  RetryBudget budget;
  const int granted = Granted(budget, 1000, kStart);
  CHECK(granted >= 200);
  CHECK(granted <= 200 + RetryBudget::kBurst);
}

TEST_CASE("the burst is so large and no larger, however quiet it was before") {
  RetryBudget budget;
  for (int i = 0; i < 1000; ++i) budget.OnRequest();
  for (int i = 0; i < RetryBudget::kBurst; ++i) CHECK(budget.Take(kStart));
  CHECK_FALSE(budget.Take(kStart));
}

TEST_CASE("time brings a retry a second, up to the burst") {
  RetryBudget budget;
  while (budget.Take(kStart)) {
  }
  CHECK_FALSE(budget.Take(kStart + std::chrono::milliseconds(999)));
  CHECK(budget.Take(kStart + std::chrono::milliseconds(1999)));
  int granted = 0;
  while (budget.Take(kStart + std::chrono::hours(1))) ++granted;
  CHECK(granted == RetryBudget::kBurst);
}
