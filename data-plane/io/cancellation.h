#pragma once

// A way to end another coroutine's wait. Whoever waits says how, in a Scope, for as long as that may take; Cancel
// stays, so that waits which begin later end at once. One scope at a time; the loop's thread only; outlives its scopes.

#include <functional>
#include <utility>

#include "common/base/check.h"

namespace sluice::io {

class Cancellation {
 public:
  Cancellation() = default;
  Cancellation(const Cancellation&) = delete;
  void Cancel() {
    cancelled_ = true;
    if (end_) end_();
  }
  bool cancelled() const { return cancelled_; }

  class Scope {
   public:
    // `end` wakes whoever waits, as Stream::Cancel or Event::Set do, and resumes nobody itself. Null: nobody cancels.
    Scope(Cancellation* cancellation, std::function<void()> end) : cancellation_(cancellation) {
      if (cancellation_ == nullptr) return;
      SLUICE_CHECK(!cancellation_->end_);
      if (cancellation_->cancelled_) end();
      cancellation_->end_ = std::move(end);
    }
    Scope(const Scope&) = delete;
    ~Scope() {
      if (cancellation_ != nullptr) cancellation_->end_ = nullptr;
    }

   private:
    Cancellation* const cancellation_;
  };

 private:
  std::function<void()> end_;
  bool cancelled_ = false;
};

}  // namespace sluice::io
