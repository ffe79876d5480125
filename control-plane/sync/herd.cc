#include "control-plane/sync/herd.h"

#include <algorithm>

namespace sluice::sync {

Herd::Herd(const Clock& clock, const HerdLimits& limits)
    : clock_(clock), limits_(limits), tokens_(limits.burst), filled_(clock.Now()) {}

bool Herd::AdmitStream() {
  std::lock_guard lock(mutex_);
  const MonotonicTime now = clock_.Now();
  const double passed = std::chrono::duration<double>(now - filled_).count();
  tokens_ = std::min<double>(limits_.burst, tokens_ + passed * limits_.streams_per_second);
  filled_ = now;
  if (tokens_ < 1) return false;
  tokens_ -= 1;
  return true;
}

bool Herd::BeginFull(const void* stream) {
  std::lock_guard lock(mutex_);
  const MonotonicTime now = clock_.Now();
  std::erase_if(full_, [&](const auto& entry) { return now - entry.second >= kFullSyncTime; });
  if (full_.size() >= limits_.full_syncs) return false;
  full_[stream] = now;
  return true;
}

void Herd::EndFull(const void* stream) {
  std::lock_guard lock(mutex_);
  full_.erase(stream);
}

}  // namespace sluice::sync
