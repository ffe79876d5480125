#pragma once

// Where something stands in a configuration, put into words only where something is wrong there: most configurations
// are right, and paths would be most of what looking at them costs. Lives on the stack, no longer than what it was made
// of.

#include <optional>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"

namespace sluice::schema {

class Place {
 public:
  explicit Place(std::string_view text) : text_(text) {}
  // `words` is asked each time.
  explicit Place(absl::FunctionRef<std::string()> words) : words_(words) {}
  Place(const Place& up, std::string_view key) : up_(&up), key_(key) {}
  Place(const Place& up, int index) : up_(&up), index_(index) {}

  std::string Text() const;  // "routes[0].paths[1]"

 private:
  std::string_view text_;
  std::optional<absl::FunctionRef<std::string()>> words_;
  const Place* up_ = nullptr;
  std::string_view key_;
  int index_ = -1;
};

}  // namespace sluice::schema
