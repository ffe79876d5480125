#pragma once

// Header fields in the order they came. Names compare without case. Views point into the message's own bytes or into
// the arena of this object, and live as long as it. One thread at a time.

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace sluice::http {

struct Field {
  std::string_view name;
  std::string_view value;
};

class Fields {
 public:
  Fields() = default;
  Fields(Fields&& other) noexcept;
  Fields& operator=(Fields&& other) noexcept;
  Fields(const Fields&) = delete;

  void Reserve(size_t count) { list_.reserve(count); }
  // The bytes must outlive this object (they are the message's own).
  void AppendView(std::string_view name, std::string_view value) { list_.push_back({name, value}); }
  // Copies both. The caller guarantees the syntax: `IsToken(name)`, `IsFieldValue(value)`.
  void Add(std::string_view name, std::string_view value);
  // Replaces every field of that name by one, in the place of the first; adds it where absent.
  void Set(std::string_view name, std::string_view value);
  // The same with bytes that outlive this object.
  void SetView(std::string_view name, std::string_view value);
  // How many were removed.
  size_t Remove(std::string_view name);
  template <typename Predicate>
  size_t RemoveIf(Predicate predicate) {
    return std::erase_if(list_, predicate);
  }

  // The first value; null where absent.
  const std::string_view* Find(std::string_view name) const;
  std::string_view Get(std::string_view name) const;  // "" where absent
  bool Has(std::string_view name) const { return Find(name) != nullptr; }
  size_t Count(std::string_view name) const;

  auto begin() const { return list_.begin(); }
  auto end() const { return list_.end(); }
  size_t size() const { return list_.size(); }
  void Clear();

 private:
  Field Keep(std::string_view name, std::string_view value);
  std::vector<Field> list_;
  std::vector<std::unique_ptr<char[]>> blocks_;  // what they hold never moves
  char* free_ = nullptr;                         // in the newest block
  size_t left_ = 0;
};

namespace internal {
bool SameButForCase(const char* a, const char* b, size_t size);
}
// ASCII letters only, as everything in HTTP.
inline bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && internal::SameButForCase(a.data(), b.data(), a.size());
}
bool IsToken(std::string_view text);       // RFC 9110 section 5.6.2
bool IsFieldValue(std::string_view text);  // RFC 9110 section 5.5, no leading or trailing blanks; obs-text is allowed

}  // namespace sluice::http
