#include "data-plane/io/resolver.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "data-plane/io/address.h"
#include "data-plane/io/ares_channel.h"

namespace sluice::io {
namespace {

constexpr size_t kMaxNameBytes = 253;
constexpr size_t kMaxEvictionProbes = 64;

// What several may wait for. Shared with them, since the resolver may go first.
struct Awaited {
  std::vector<Event*> waiters;
  void WakeAll() {
    for (Event* waiter : waiters) waiter->Set();
  }
};

// What is known of a name.
struct Entry : Awaited {
  Resolved answer;
  bool known = false;
  bool asking = false;
  MonotonicTime fresh_until{};
  MonotonicTime stale_until{};   // addresses may be served until then when asking fails
};

// The queries that one asker has under way; who would ask more waits.
struct Asker : Awaited {
  size_t asking = 0;
};

// One who waits. Leaves the list however its coroutine ends.
class Waiter {
 public:
  Waiter(Loop& loop, std::shared_ptr<Awaited> awaited) : event_(loop), awaited_(std::move(awaited)) {
    awaited_->waiters.push_back(&event_);
  }
  ~Waiter() { std::erase(awaited_->waiters, &event_); }
  Waiter(const Waiter&) = delete;
  Event& event() { return event_; }

 private:
  Event event_;
  std::shared_ptr<Awaited> awaited_;
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
  CachingResolver(Loop& loop, size_t max_queries) : loop_(loop), max_queries_(max_queries), channel_(loop) {}
  bool Open(const std::string& servers) { return channel_.Open(servers); }

  Task<Resolved> Resolve(Question question) override {
    Resolved result;
    if (AnswerWithoutAsking(question.name, result)) co_return result;
    std::shared_ptr<Entry> entry = Find(question.name);
    for (bool first = true; entry != nullptr && !entry->asking && !IsFresh(*entry); first = false) {
      const std::shared_ptr<Asker> asker = FindAsker(question.asker);
      if (asker->asking < max_queries_ || question.asker.empty()) {
        Ask(question, entry, asker);
        break;
      }
      if (first) ++delayed_;
      std::shared_ptr<Awaited> place = asker;
      const bool woken = co_await WaitFor(std::move(place), question);
      if (!woken) co_return Late(*entry);
      entry = Find(question.name);
    }
    if (entry == nullptr) co_return result;  // too many names are being asked for: kFailed
    if (entry->asking) {
      std::shared_ptr<Awaited> answer = entry;
      const bool answered = co_await WaitFor(std::move(answer), question);
      if (!answered) co_return Late(*entry);
    }
    result = entry->answer;
    co_return result;
  }

  uint64_t delayed() const override { return delayed_; }

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

  // Null where there is no room for another name.
  std::shared_ptr<Entry> Find(const std::string& name) {
    const auto found = cache_.find(name);
    if (found != cache_.end()) return found->second;
    if (cache_.size() >= kMaxCachedNames && !EvictOne()) return nullptr;
    return cache_.emplace(name, std::make_shared<Entry>()).first->second;
  }

  bool IsFresh(const Entry& entry) const { return entry.known && loop_.Now() < entry.fresh_until; }

  std::shared_ptr<Asker> FindAsker(const std::string& name) {
    std::shared_ptr<Asker>& asker = askers_[name];
    if (asker == nullptr) asker = std::make_shared<Asker>();
    return asker;
  }

  void Ask(const Question& question, const std::shared_ptr<Entry>& entry, const std::shared_ptr<Asker>& asker) {
    entry->asking = true;
    ++asker->asking;
    channel_.Query(question.name, [this, entry, asker, name = question.asker](AresChannel::Answer answer) {
      --asker->asking;
      asker->WakeAll();
      if (asker->asking == 0 && asker->waiters.empty()) askers_.erase(name);
      Learn(*entry, std::move(answer));
    });
  }

  // False where the deadline or the cancellation came first.
  Task<bool> WaitFor(std::shared_ptr<Awaited> awaited, const Question& question) {
    Waiter waiter(loop_, std::move(awaited));
    const Cancellation::Scope scope(question.cancellation, [&waiter] { waiter.event().Set(); });
    const bool woken = co_await waiter.event().Wait(question.deadline);
    co_return woken && (question.cancellation == nullptr || !question.cancellation->cancelled());
  }

  Resolved Late(const Entry& entry) const {
    if (!entry.answer.addresses.empty() && loop_.Now() < entry.stale_until) return entry.answer;
    return {Resolved::Outcome::kTimeout, {}};
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
    entry.WakeAll();
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
  const size_t max_queries_;
  absl::flat_hash_map<std::string, std::shared_ptr<Entry>> cache_;
  absl::flat_hash_map<std::string, std::shared_ptr<Asker>> askers_;
  uint64_t delayed_ = 0;
  AresChannel channel_;  // last: its end answers queries, which need the rest
};

}  // namespace

std::unique_ptr<Resolver> Resolver::Make(Loop& loop, const std::string& servers, size_t max_queries) {
  auto resolver = std::make_unique<CachingResolver>(loop, max_queries);
  if (!resolver->Open(servers)) return nullptr;
  return resolver;
}

}  // namespace sluice::io
