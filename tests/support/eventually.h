#pragma once

// Waiting, with a bound, for what another thread or process does.

#include <chrono>
#include <thread>

namespace sluice::test {

// Asks until `condition` is true or the deadline passes; the last answer.
template <typename Condition>
bool Eventually(Condition condition, std::chrono::milliseconds timeout = std::chrono::seconds(20)) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return condition();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace sluice::test
