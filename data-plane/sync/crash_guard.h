#pragma once

// Keeps a configuration that crashes the node from crashing it for ever. Before configurations are compiled and given
// to the workers they are marked on disk, and unmarked when every worker serves them; a mark that a new process finds
// was left by a crash. What was marked at a crash is tried again alone, so that the next crash names it; at kMaxCrashes
// it is not tried any more. One mark for all that is tried together. Belongs to the sync thread.

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "sluice/sync/v1/snapshot.pb.h"

namespace sluice::sync {

class CrashGuard {
 public:
  static constexpr int kMaxCrashes = 2;

  enum class Advice {
    kTogether,  // with others
    kAlone,     // the node crashed once while it tried this among others
    kNever,     // the node crashed kMaxCrashes times while it tried this
  };

  struct Candidate {
    std::string gateway_id;
    int64_t revision = 0;
    std::shared_ptr<const std::string> config;  // null: nothing that could crash
    std::shared_ptr<const v1::Head> head{};     // in place of `config`; null too: removed
    bool good = false;                          // under the node's own rules, says who sent it
  };

  // Reads the file "trying" in `folder`, and forgets what another build did.
  CrashGuard(const std::string& folder, std::string build);

  Advice For(const std::string& config) const;
  // The mark. Where it cannot be written (a full disk), this is said once and the node goes on without.
  void Trying(std::span<const Candidate> candidates);
  // Every worker serves what was marked, or it was refused: either way the node lives. That clears it, and what was
  // suspected of these gateways before.
  void Done();
  // The gateway is gone.
  void Forget(const std::string& gateway_id);

 private:
  void Write();

  const std::string path_;
  v1::Trials trials_;  // all but the suspects
  absl::flat_hash_map<std::string, v1::Trial> suspects_;  // by digest
  bool failed_ = false;
  bool on_disk_ = false;  // there is a file
};

}  // namespace sluice::sync
