#include "data-plane/http/fields.h"

#include <algorithm>
#include <utility>

#include "data-plane/http/syntax.h"

namespace sluice::http {
namespace {
constexpr size_t kBlockBytes = 1024;
}  // namespace

Fields::Fields(Fields&& other) noexcept
    : list_(std::move(other.list_)),
      blocks_(std::move(other.blocks_)),
      free_(std::exchange(other.free_, nullptr)),
      left_(std::exchange(other.left_, 0)) {
  other.list_.clear();
  other.blocks_.clear();
}

Fields& Fields::operator=(Fields&& other) noexcept {
  if (this == &other) return *this;
  list_ = std::exchange(other.list_, {});
  blocks_ = std::exchange(other.blocks_, {});
  free_ = std::exchange(other.free_, nullptr);
  left_ = std::exchange(other.left_, 0);
  return *this;
}

Field Fields::Keep(std::string_view name, std::string_view value) {
  const size_t size = name.size() + value.size();
  if (size > left_) {
    left_ = std::max(kBlockBytes, size);
    free_ = blocks_.emplace_back(std::make_unique_for_overwrite<char[]>(left_)).get();
  }
  char* const kept = std::exchange(free_, free_ + size);
  left_ -= size;
  std::copy(name.begin(), name.end(), kept);
  std::copy(value.begin(), value.end(), kept + name.size());
  return {{kept, name.size()}, {kept + name.size(), value.size()}};
}

void Fields::Add(std::string_view name, std::string_view value) {
  list_.push_back(Keep(name, value));
}

void Fields::Set(std::string_view name, std::string_view value) {
  const Field kept = Keep(name, value);
  SetView(kept.name, kept.value);
}

void Fields::SetView(std::string_view name, std::string_view value) {
  const auto same = [name](const Field& field) { return EqualsIgnoreCase(field.name, name); };
  const auto first = std::find_if(list_.begin(), list_.end(), same);
  if (first == list_.end()) {
    list_.push_back({name, value});
    return;
  }
  *first = {name, value};
  list_.erase(std::remove_if(first + 1, list_.end(), same), list_.end());
}

size_t Fields::Remove(std::string_view name) {
  return RemoveIf([name](const Field& field) { return EqualsIgnoreCase(field.name, name); });
}

const std::string_view* Fields::Find(std::string_view name) const {
  for (const Field& field : list_) {
    if (EqualsIgnoreCase(field.name, name)) return &field.value;
  }
  return nullptr;
}

std::string_view Fields::Get(std::string_view name) const {
  const std::string_view* value = Find(name);
  return value != nullptr ? *value : std::string_view();
}

size_t Fields::Count(std::string_view name) const {
  size_t count = 0;
  for (const Field& field : list_) count += EqualsIgnoreCase(field.name, name) ? 1 : 0;
  return count;
}

void Fields::Clear() {
  list_.clear();
  blocks_.clear();
  free_ = nullptr;
  left_ = 0;
}

bool internal::SameButForCase(const char* a, const char* b, size_t size) {
  for (size_t i = 0; i < size; ++i) {
    if (a[i] != b[i] && syntax::Lower(a[i]) != syntax::Lower(b[i])) return false;
  }
  return true;
}

bool IsToken(std::string_view text) { return !text.empty() && syntax::AllOf(text, syntax::kToken); }

bool IsFieldValue(std::string_view text) {
  return syntax::TrimBlanks(text).size() == text.size() && !syntax::HasControl(text);
}

}  // namespace sluice::http
