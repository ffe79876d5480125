#pragma once

// Names to addresses, asynchronously (c-ares on the loop). Names are taken as fully qualified: no search domains.
// Answers are kept for their TTL (at least kMinTtl, at most kMaxTtl); a failure of the resolver serves a stale answer
// for up to kMaxStale; "no such name" is kept for kNegativeTtl. One query at a time per name, shared by whoever asks.
// *.localhost is loopback without asking (RFC 6761); /etc/hosts comes before the servers, so that container names work.
// Loop's thread only. Must not be destroyed while the loop still runs what awaits it.

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "data-plane/io/cancellation.h"
#include "data-plane/io/loop.h"

namespace sluice::io {

inline constexpr std::chrono::seconds kMinTtl{1};
inline constexpr std::chrono::seconds kMaxTtl{3600};
inline constexpr std::chrono::seconds kNegativeTtl{5};
inline constexpr std::chrono::seconds kMaxStale{3600};
inline constexpr size_t kMaxCachedNames = 10'000;
inline constexpr size_t kMaxAddresses = 32;
inline constexpr std::chrono::milliseconds kQueryTimeout{1000};  // of one try; later tries wait longer
inline constexpr int kQueryTries = 2;                            // of each server
inline constexpr size_t kMaxQueriesPerAsker = 16;                // under way at a time; more wait

struct Question {
  std::string name;
  MonotonicTime deadline;
  std::string asker;  // whose queries are counted together; "": nobody's
  Cancellation* cancellation = nullptr;
};

struct Resolved {
  enum class Outcome { kFound, kNoSuchName, kFailed, kTimeout } outcome = Outcome::kFailed;
  std::vector<std::string> addresses;  // canonical text; A before AAAA
};

class Resolver {
 public:
  // `servers`: "address[:port],..." (IPv6 in brackets before a port), "" for /etc/resolv.conf. Null where it is not
  // that. `max_queries`: of one asker, at least one.
  static std::unique_ptr<Resolver> Make(Loop& loop, const std::string& servers,
                                        size_t max_queries = kMaxQueriesPerAsker);
  virtual ~Resolver() = default;
  // An address literal is its own answer. kTimeout: the deadline or the cancellation came first; the query goes on for
  // the next who asks.
  virtual Task<Resolved> Resolve(Question question) = 0;
  // How many questions had to wait for others of their asker.
  virtual uint64_t delayed() const = 0;
};

}  // namespace sluice::io
