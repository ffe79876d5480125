#pragma once

// The arguments of a query string or of a form, in order. What is not changed keeps the bytes it came with. One thread
// at a time.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::plugins {

struct Argument {
  std::string name;   // decoded
  std::string value;  // decoded
  bool has_value = false;  // "a" has none, "a=" an empty one
  std::string raw;    // as it came; "" where it was changed
};

class Arguments {
 public:
  static constexpr size_t kMaxArguments = 4096;

  // Empty where there are more than kMaxArguments.
  static std::optional<Arguments> Parse(std::string_view text);

  const std::vector<Argument>& list() const { return list_; }
  const Argument* Find(std::string_view name) const;  // the first; null where absent
  size_t Count(std::string_view name) const;

  // Each tells whether it changed anything.
  bool Remove(std::string_view name);
  bool Rename(std::string_view from, std::string_view to);        // in place of what `to` was
  bool Replace(std::string_view name, std::string_view value);    // all of them by one; nothing where absent
  bool Add(std::string_view name, std::string_view value);        // nothing where present
  bool Append(std::string_view name, std::string_view value);

  std::string ToString() const;

 private:
  std::vector<Argument> list_;
};

std::string DecodeArgument(std::string_view text);  // %xx and +; an invalid escape stays as it is
std::string EncodeArgument(std::string_view text);  // all but unreserved characters

}  // namespace sluice::plugins
