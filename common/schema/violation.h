#pragma once

// What is wrong with an input, field by field. Collected whole, so that an author sees every mistake at once.

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::schema {

struct Violation {
  std::string field;    // "services[0].routes[1].paths[0]"
  std::string message;  // what is wrong and how to put it right; never holds the value of a secret field
  std::string reason;   // UPPER_SNAKE where the rule has a name (LOCAL_AGENT, DUPLICATE, ...), else "INVALID"
};

// Not for several threads at once.
class Violations {
 public:
  static constexpr size_t kMaxViolations = 100;  // more are counted and dropped

  // The same sentence about the same field is kept once: completing and validating may both find it.
  void Add(std::string field, std::string message, std::string reason = "INVALID") {
    for (const Violation& violation : list_) {
      if (violation.field == field && violation.message == message) return;
    }
    ++total_;
    if (list_.size() < kMaxViolations) list_.push_back({std::move(field), std::move(message), std::move(reason)});
  }
  // True where something is said about exactly this field.
  bool Names(std::string_view field) const {
    for (const Violation& violation : list_) {
      if (violation.field == field) return true;
    }
    return false;
  }
  bool empty() const { return total_ == 0; }
  size_t total() const { return total_; }
  const std::vector<Violation>& list() const { return list_; }

 private:
  std::vector<Violation> list_;
  size_t total_ = 0;
};

}  // namespace sluice::schema
