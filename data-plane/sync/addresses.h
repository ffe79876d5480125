#pragma once

// The control planes that a node knows, in the order in which it asks them: beginning anywhere, so that a fleet spreads
// over them, and then one after the other. Belongs to one thread.

#include <string>
#include <vector>

#include "common/base/check.h"
#include "common/base/random.h"

namespace sluice::sync {

class Addresses {
 public:
  explicit Addresses(std::vector<std::string> all) : all_(std::move(all)) {
    SLUICE_CHECK(!all_.empty());
    at_ = Random64() % all_.size();
  }
  const std::string& current() const { return all_[at_]; }
  // To be called after every attempt, also after one that went well: what ended it may well be that the peer is gone.
  void Next() { at_ = (at_ + 1) % all_.size(); }
  // How often all of them failed, of so many attempts that failed in a row.
  int Rounds(int failures) const { return failures / static_cast<int>(all_.size()); }

 private:
  const std::vector<std::string> all_;
  size_t at_ = 0;
};

}  // namespace sluice::sync
