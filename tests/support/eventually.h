#pragma once

// Waiting, with a bound, for what another thread or process does.

#include <chrono>
#include <thread>

namespace sluice::test {

// Long enough for processes to start on a machine that is busy with much else; who succeeds does not wait for it.
inline constexpr std::chrono::seconds kPatience{60};

// Asks until `condition` is true or the deadline passes; the last answer.
template <typename Condition>
bool Eventually(Condition condition, std::chrono::milliseconds timeout = kPatience) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return condition();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace sluice::test
