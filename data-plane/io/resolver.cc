#include "data-plane/io/resolver.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "data-plane/io/address.h"
#include "data-plane/io/ares_channel.h"

namespace sluice::io {
namespace {

constexpr size_t kMaxNameBytes = 253;
constexpr size_t kMaxEvictionProbes = 64;

// What is known of a name. Shared with those who wait, since the resolver may go first.
struct Entry {
  Resolved answer;
  bool known = false;
  bool asking = false;
  MonotonicTime fresh_until{};
  MonotonicTime stale_until{};   // addresses may be served until then when asking fails
  std::vector<Event*> waiters;
};

// One who waits for an entry. Leaves the entry's list however its coroutine ends.
class Waiter {
 public:
  Waiter(Loop& loop, std::shared_ptr<Entry> entry) : event_(loop), entry_(std::move(entry)) {
    entry_->waiters.push_back(&event_);
  }
  ~Waiter() { std::erase(entry_->waiters, &event_); }
  Waiter(const Waiter&) = delete;
  Event& event() { return event_; }

 private:
  Event event_;
  std::shared_ptr<Entry> entry_;
};

// Lower case without the trailing dot; "" where it cannot be a name.
std::string Canonical(std::string name) {
  if (name.ends_with('.')) name.pop_back();
  if (name.empty() || name.size() > kMaxNameBytes) return "";
  size_t label = 0;
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
    const bool fits = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    if (c == '.' ? label == 0 : !fits) return "";
    label = c == '.' ? 0 : label + 1;
    if (label > 63) return "";
  }
  return label > 0 ? name : "";
}

bool IsLocalhost(std::string_view name) { return name == "localhost" || name.ends_with(".localhost"); }

Resolved::Outcome OutcomeOf(int status) {
  switch (status) {
    case ARES_SUCCESS:
      return Resolved::Outcome::kFound;
    case ARES_ENOTFOUND:
    case ARES_ENODATA:
      return Resolved::Outcome::kNoSuchName;
    default:
      return Resolved::Outcome::kFailed;
  }
}

class CachingResolver final : public Resolver {
 public:
  explicit CachingResolver(Loop& loop) : loop_(loop), channel_(loop) {}
  bool Open(const std::string& servers) { return channel_.Open(servers); }

  Task<Resolved> Resolve(std::string name, MonotonicTime deadline) override {
    Resolved result;
    if (AnswerWithoutAsking(name, result)) co_return result;
    const std::shared_ptr<Entry> entry = FindOrAsk(name);
    if (entry == nullptr) co_return result;  // too many names are being asked for: kFailed
    if (entry->asking) {
      Waiter waiter(loop_, entry);
      const bool answered = co_await waiter.event().Wait(deadline);
      if (!answered) {
        result.outcome = Resolved::Outcome::kTimeout;
        if (!entry->answer.addresses.empty() && loop_.Now() < entry->stale_until) result = entry->answer;
        co_return result;
      }
    }
    result = entry->answer;
    co_return result;
  }

 private:
  static bool AnswerWithoutAsking(std::string& name, Resolved& result) {
    if (std::string address = CanonicalAddress(name); !address.empty()) {
      result = {Resolved::Outcome::kFound, {std::move(address)}};
      return true;
    }
    name = Canonical(std::move(name));
    if (name.empty()) {
      result.outcome = Resolved::Outcome::kNoSuchName;
      return true;
    }
    if (!IsLocalhost(name)) return false;
    result = {Resolved::Outcome::kFound, {"127.0.0.1", "::1"}};
    return true;
  }

  std::shared_ptr<Entry> FindOrAsk(const std::string& name) {
    const auto found = cache_.find(name);
    std::shared_ptr<Entry> entry;
    if (found != cache_.end()) {
      entry = found->second;
    } else {
      if (cache_.size() >= kMaxCachedNames && !EvictOne()) return nullptr;
      entry = cache_.emplace(name, std::make_shared<Entry>()).first->second;
    }
    if (entry->asking || (entry->known && loop_.Now() < entry->fresh_until)) return entry;
    entry->asking = true;
    channel_.Query(name, [this, entry](AresChannel::Answer answer) { Learn(*entry, std::move(answer)); });
    return entry;
  }

  void Learn(Entry& entry, AresChannel::Answer answer) {
    entry.asking = false;
    entry.known = true;
    const MonotonicTime now = loop_.Now();
    const Resolved::Outcome outcome = OutcomeOf(answer.status);
    if (outcome == Resolved::Outcome::kFound) {
      const auto ttl = std::clamp(answer.ttl, kMinTtl, kMaxTtl);
      entry.answer = {outcome, std::move(answer.addresses)};
      entry.fresh_until = now + ttl;
      entry.stale_until = entry.fresh_until + kMaxStale;
    } else if (outcome == Resolved::Outcome::kNoSuchName) {
      entry.answer = {outcome, {}};
      entry.fresh_until = now + kNegativeTtl;
      entry.stale_until = {};
    } else {
      if (now >= entry.stale_until) entry.answer = {outcome, {}};
      entry.fresh_until = now + kMinTtl;  // before asking again
    }
    for (Event* waiter : entry.waiters) waiter->Set();
  }

  // Makes room by dropping a name that nobody asks for now, one past its time if a few looks find one.
  bool EvictOne() {
    auto victim = cache_.end();
    size_t probes = 0;
    for (auto it = cache_.begin(); it != cache_.end() && probes < kMaxEvictionProbes; ++it, ++probes) {
      if (it->second->asking) continue;
      victim = it;
      if (it->second->fresh_until <= loop_.Now()) break;
    }
    if (victim == cache_.end()) return false;
    cache_.erase(victim);
    return true;
  }

  Loop& loop_;
  absl::flat_hash_map<std::string, std::shared_ptr<Entry>> cache_;
  AresChannel channel_;  // last: its end answers queries, which need the rest
};

}  // namespace

std::unique_ptr<Resolver> Resolver::Make(Loop& loop, const std::string& servers) {
  auto resolver = std::make_unique<CachingResolver>(loop);
  if (!resolver->Open(servers)) return nullptr;
  return resolver;
}

}  // namespace sluice::io
