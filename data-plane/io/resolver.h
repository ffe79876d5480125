#pragma once

// Names to addresses, asynchronously (c-ares on the loop). Names are taken as fully qualified: no search domains.
// Answers are kept for their TTL (at least kMinTtl, at most kMaxTtl); a failure of the resolver serves a stale answer for
// up to kMaxStale; "no such name" is kept for kNegativeTtl. One query at a time per name, shared by whoever asks.
// *.localhost is loopback without asking (RFC 6761). Loop's thread only.

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "data-plane/io/loop.h"

namespace sluice::io {

inline constexpr std::chrono::seconds kMinTtl{1};
inline constexpr std::chrono::seconds kMaxTtl{3600};
inline constexpr std::chrono::seconds kNegativeTtl{5};
inline constexpr std::chrono::seconds kMaxStale{3600};
inline constexpr size_t kMaxCachedNames = 10'000;
inline constexpr size_t kMaxAddresses = 32;

struct Resolved {
  enum class Outcome { kFound, kNoSuchName, kFailed, kTimeout } outcome = Outcome::kFailed;
  std::vector<std::string> addresses;  // canonical text; A before AAAA
};

class Resolver {
 public:
  // `servers`: "address[:port]" list, "" for /etc/resolv.conf.
  static std::unique_ptr<Resolver> Make(Loop& loop, const std::string& servers);
  virtual ~Resolver() = default;
  // An address literal is its own answer.
  virtual Task<Resolved> Resolve(std::string name, MonotonicTime deadline) = 0;
};

}  // namespace sluice::io
