#pragma once

// Where the node's configuration stands, for metrics and health. Written by the sync thread, the
// snapshot's writer and the membership's thread, read from every thread.

#include <atomic>
#include <cstdint>

namespace sluice::sync {

struct Status {
  enum class Source : int { kNone, kDisk, kStream };  // of what is served

  std::atomic<bool> connected{false};
  std::atomic<int64_t> revision{0};    // every worker serves it
  std::atomic<int64_t> applied_at{0};  // Unix seconds of the last change that went live; 0: none
  std::atomic<int64_t> in_step_at{0};  // Unix seconds when the node last knew that it had everything; 0: never
  std::atomic<int64_t> gateways{0};  // served
  std::atomic<int64_t> known{0};     // those included that are known by their heads alone
  std::atomic<uint64_t> fetches{0};    // configurations asked for because a request needed them
  std::atomic<uint64_t> evictions{0};  // configurations let go of
  std::atomic<uint64_t> wakes{0};      // gateways compiled because a request needed them
  std::atomic<int64_t> rejected{0};  // gateways whose latest update could not be served
  std::atomic<uint64_t> updates{0};
  std::atomic<uint64_t> rejections{0};
  std::atomic<uint64_t> reconnects{0};
  std::atomic<uint64_t> snapshot_failures{0};
  std::atomic<int64_t> snapshot_at{0};  // Unix seconds of the last snapshot written; 0: none
  std::atomic<bool> of_gateway{false};  // it serves one self-managed gateway, and no cell
  std::atomic<bool> refused{false};  // the control plane does not take this node's certificate any more
  std::atomic<int64_t> certificate_expires_at{0};  // Unix seconds; 0: it has none
  std::atomic<uint64_t> certificate_renewals{0};
  std::atomic<uint64_t> certificate_failures{0};  // to join or to renew
  std::atomic<Source> source{Source::kNone};
};

}  // namespace sluice::sync
