#include "data-plane/route/counters.h"

#include <algorithm>
#include <memory>

#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"
#include "common/base/check.h"

namespace sluice {
namespace {

constexpr size_t kMaxKeysPerStripe = Counters::kMaxKeys / Counters::kStripes;

}  // namespace

Counters::Stripes& Counters::All() {
  Stripes* stripes = stripes_.load(std::memory_order_acquire);
  if (stripes != nullptr) return *stripes;
  auto made = std::make_unique<Stripes>();
  if (stripes_.compare_exchange_strong(stripes, made.get(), std::memory_order_acq_rel)) return *made.release();
  return *stripes;  // another worker's was first
}

std::optional<Counters::Outcome> Counters::CountIfBelow(std::string_view key, const Window* windows, size_t count) {
  SLUICE_CHECK(count <= kMaxWindows);
  const absl::string_view name(key.data(), key.size());
  Stripe& stripe = All()[absl::HashOf(name) % kStripes];
  std::lock_guard lock(stripe.mutex);
  auto found = stripe.entries.find(name);
  if (found == stripe.entries.end()) {
    if (!stripe.MakeRoom(windows, count)) return std::nullopt;
    found = stripe.entries.try_emplace(name).first;
  }
  Entry& entry = found->second;
  entry.Turn(windows, count);
  Outcome outcome;
  for (size_t i = 0; i < count; ++i) {
    if (static_cast<double>(entry.used[i]) >= windows[i].limit) outcome.admitted = false;
  }
  for (size_t i = 0; i < count; ++i) {
    if (outcome.admitted) ++entry.used[i];
    outcome.used[i] = entry.used[i];
  }
  return outcome;
}

bool Counters::AnyAfter(int64_t unix_seconds) {
  Stripes* const stripes = stripes_.load(std::memory_order_acquire);
  if (stripes == nullptr) return false;
  for (Stripe& stripe : *stripes) {
    std::lock_guard lock(stripe.mutex);
    for (const auto& [key, entry] : stripe.entries) {
      for (size_t i = 0; i < entry.count; ++i) {
        if (entry.windows[i].end > unix_seconds) return true;
      }
    }
  }
  return false;
}

// Carries over what was used of the windows that go on; windows that are not asked for any more are forgotten.
void Counters::Entry::Turn(const Window* wanted, size_t wanted_count) {
  std::array<int64_t, kMaxWindows> carried{};
  for (size_t i = 0; i < wanted_count; ++i) {
    for (size_t old = 0; old < count; ++old) {
      if (windows[old].start == wanted[i].start && windows[old].end == wanted[i].end) carried[i] = used[old];
    }
  }
  std::copy(wanted, wanted + wanted_count, windows.begin());
  used = carried;
  count = wanted_count;
}

// No clock is asked: it is at least as late as the start of each window that is being counted in. Looking through a
// full stripe is worth it once for each such instant.
bool Counters::Stripe::MakeRoom(const Window* wanted, size_t wanted_count) {
  if (entries.size() < kMaxKeysPerStripe) return true;
  int64_t now = 0;
  for (size_t i = 0; i < wanted_count; ++i) now = std::max(now, wanted[i].start);
  if (now == swept_at) return false;
  swept_at = now;
  absl::erase_if(entries, [now](const auto& item) {
    const Entry& entry = item.second;
    return std::all_of(entry.windows.begin(), entry.windows.begin() + static_cast<std::ptrdiff_t>(entry.count),
                       [now](const Window& window) { return window.end <= now; });
  });
  return entries.size() < kMaxKeysPerStripe;
}

}  // namespace sluice
