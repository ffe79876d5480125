#include "common/quota/sliding_window.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "common/base/check.h"

// Admissions are numbered: position p is kept in slot p % L until position p + L replaces it. A slot is one word, the
// generation of its position (p / L) above the admission's stamp in microseconds, so that a single compare-and-swap
// both claims position p and forgets position p - L. Positions are claimed in order: p can only be claimed by someone
// who saw head_ == p, and head_ leaves p - 1 only after p - 1 has been claimed. Whoever finds the slot of head_ claimed
// already moves head_ on for the thread that is late, hence nobody waits for anybody.
//
// Why at most L stamps lie in any half-open second:
//   (1) stamps never decrease along positions: a stamp is the later of the clock and the stamp before it;
//   (2) stamp(p) >= stamp(p - L) + 1 s: the claim is only tried where the clock says so, and is only successful where
//   the
//       slot still holds exactly the stamp that was compared.
// If a second held L + 1 stamps, it would by (1) hold those of L + 1 neighbouring positions, the first and the last of
// which are by (2) at least a second apart: they do not fit into a half-open one.
//
// The same holds for the times that callers passed, which may be behind the stamps: where b >= a + L,
// now(b) >= stamp(b - L) + 1 s >= stamp(a) + 1 s >= now(a) + 1 s.
//
// A thread that sleeps between reading and swapping cannot be fooled by a slot that came round to the same word: the
// stamps of one slot strictly increase. Generations only tell "not yet", "claimed" and "replaced" apart, and wrap after
// 65,536 seconds at the earliest.

namespace sluice::quota {
namespace {

constexpr int kStampBits = 48;
constexpr uint64_t kStampMask = (uint64_t{1} << kStampBits) - 1;
constexpr uint64_t kClosed = ~uint64_t{0};  // no stamp reaches its lower bits
constexpr uint64_t kNever = kStampMask - 1;  // a stamp of the future

uint64_t GenerationOf(uint64_t word) {
  return word >> kStampBits;
}
int64_t StampOf(uint64_t word) {
  return static_cast<int64_t>(word & kStampMask);
}

// Shifted by a window, so that the zero of an unused slot is long ago at any time.
int64_t Stamp(MonotonicTime now) {
  return std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count() + kWindowMicros;
}

int64_t StampFor(MonotonicTime ready) { return Stamp(ready) - kWindowMicros; }

// A stamp lies up to a microsecond before its admission.
MonotonicTime ReadyAt(int64_t stamp) { return MonotonicTime(std::chrono::microseconds(stamp + 1)); }

}  // namespace

// Unused slots count as the positions 0 to L - 1, admitted long ago.
SlidingWindow::SlidingWindow(uint32_t limit)
    : limit_(limit), size_(std::max(limit, 1u)), head_(std::max(limit, 1u)) {
  if (limit == 0) Ring()[0].store(kNever, std::memory_order_relaxed);
}

SlidingWindow::~SlidingWindow() { delete[] slots_.load(std::memory_order_relaxed); }

SlidingWindow::Slot* SlidingWindow::Ring() {
  Slot* slots = slots_.load(std::memory_order_acquire);
  if (slots != nullptr) return slots;
  auto fresh = std::make_unique<Slot[]>(size_);
  if (slots_.compare_exchange_strong(slots, fresh.get(), std::memory_order_acq_rel)) return fresh.release();
  return slots;
}

Admission SlidingWindow::Admit(MonotonicTime now) {
  const int64_t stamp = Stamp(now);
  Slot* slots = Ring();
  while (true) {
    uint64_t head = head_.load(std::memory_order_acquire);
    Slot& slot = slots[head % size_];
    uint64_t word = slot.load(std::memory_order_acquire);
    if (word == kClosed) {
      has_next_.wait(false, std::memory_order_acquire);
      return next_->Admit(now);
    }
    if (GenerationOf(word) == Generation(head)) {
      head_.compare_exchange_strong(head, head + 1, std::memory_order_acq_rel);
      continue;
    }
    if (GenerationOf(word) != Generation(head - size_)) continue;  // a full turn since head was read
    const int64_t age = stamp - StampOf(word);
    if (age < kWindowMicros) return {false, limit_, std::min(kWindowMicros - age, kWindowMicros)};

    const uint64_t before = slots[(head - 1) % size_].load(std::memory_order_acquire);
    if (GenerationOf(before) != Generation(head - 1)) continue;
    const uint64_t later = static_cast<uint64_t>(std::max(stamp, StampOf(before)));
    const uint64_t claim = (Generation(head) << kStampBits) | later;
    if (!slot.compare_exchange_strong(word, claim, std::memory_order_acq_rel)) continue;
    head_.compare_exchange_strong(head, head + 1, std::memory_order_acq_rel);
    return {true, limit_, 0};
  }
}

// Takes the slot of the next admission, so that there is none.
SlidingWindow::Closed SlidingWindow::Close(Slot* slots) {
  while (true) {
    uint64_t head = head_.load(std::memory_order_acquire);
    Slot& slot = slots[head % size_];
    uint64_t word = slot.load(std::memory_order_acquire);
    SLUICE_CHECK(word != kClosed);
    if (GenerationOf(word) == Generation(head)) {
      head_.compare_exchange_strong(head, head + 1, std::memory_order_acq_rel);
      continue;
    }
    if (GenerationOf(word) != Generation(head - size_)) continue;
    if (slot.compare_exchange_strong(word, kClosed, std::memory_order_acq_rel)) return {head, word};
  }
}

std::vector<int64_t> SlidingWindow::CloseAndList() {
  Slot* slots = Ring();
  const Closed closed = Close(slots);
  if (limit_ == 0) return {};
  std::vector<int64_t> stamps = {StampOf(closed.overwritten)};
  for (uint64_t position = closed.head + 1 - size_; position < closed.head; ++position) {
    stamps.push_back(StampOf(slots[position % size_].load(std::memory_order_relaxed)));
  }
  return stamps;
}

void SlidingWindow::Fill(const std::vector<int64_t>& stamps) {
  if (stamps.empty()) return;
  Slot* slots = Ring();
  for (size_t i = 0; i < stamps.size(); ++i) {
    slots[size_ - stamps.size() + i].store(static_cast<uint64_t>(stamps[i]), std::memory_order_relaxed);
  }
}

// What does not fit into a smaller ring and is handed to nobody goes along beside it, while it is of the last seconds:
// growing again must find it. Two windows of time, because callers' clocks may be behind the newest stamp.
std::shared_ptr<SlidingWindow> SlidingWindow::Moved(uint32_t limit, const Slots& more, Slots* released) {
  next_ = std::make_shared<SlidingWindow>(limit);
  std::vector<int64_t> stamps = CloseAndList();
  for (const Slots::Group& group : more.groups()) stamps.insert(stamps.end(), group.count, StampFor(group.ready));
  std::sort(stamps.begin(), stamps.end());
  if (stamps.size() > limit) {
    const auto kept = stamps.end() - limit;
    if (released != nullptr) {
      for (auto stamp = stamps.begin(); stamp != kept; ++stamp) released->Add(1, ReadyAt(*stamp));
    } else {
      older_.insert(older_.end(), stamps.begin(), kept);
      std::sort(older_.begin(), older_.end());
    }
    stamps.erase(stamps.begin(), kept);
  } else {
    const size_t lacking = std::min<size_t>(limit - stamps.size(), older_.size());
    stamps.insert(stamps.end(), older_.end() - lacking, older_.end());
    older_.erase(older_.end() - lacking, older_.end());
    std::sort(stamps.begin(), stamps.end());
  }
  const int64_t newest = std::max(stamps.empty() ? 0 : stamps.back(), older_.empty() ? 0 : older_.back());
  std::erase_if(older_, [&](int64_t stamp) { return stamp <= newest - 2 * kWindowMicros; });
  next_->older_ = std::move(older_);
  next_->Fill(stamps);
  has_next_.store(true, std::memory_order_release);
  has_next_.notify_all();
  return next_;
}

}  // namespace sluice::quota
