#include "control-plane/admin/names.h"

#include <algorithm>

#include "common/base/random.h"
#include "common/schema/text.h"
#include "control-plane/admin/errors.h"

namespace sluice::admin {

namespace {

using schema::Cat;

bool IsHex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

bool LooksLikeId(std::string_view name) {
  if (name.size() != 36) return false;
  for (size_t i = 0; i < name.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? name[i] != '-' : !IsHex(name[i])) return false;
  }
  return true;
}

}  // namespace

absl::Status CheckName(std::string_view field, std::string_view name) {
  const auto fine = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  if (name.empty()) return InvalidField(std::string(field), "a name is needed", "REQUIRED");
  if (name.size() > kMaxNameBytes || !std::all_of(name.begin(), name.end(), fine)) {
    return InvalidField(std::string(field), Cat("1 to ", kMaxNameBytes, " of a-z, 0-9 and -"), "NAME");
  }
  if (LooksLikeId(name)) return InvalidField(std::string(field), "a name may not have the form of an id", "NAME");
  return absl::OkStatus();
}

absl::Status NameTaken(std::string_view name) {
  return WithReason(absl::StatusCode::kAlreadyExists, Cat("a gateway named '", name, "' exists already"), "NAME_TAKEN");
}

bool MayBeHost(std::string_view name) {
  if (name.empty() || name.front() == '-' || name.back() == '-') return false;
  return name.size() != kGeneratedHostDigits || !std::all_of(name.begin(), name.end(), IsHex);
}

std::string GeneratedHost(std::string_view base_domain) {
  return Cat(RandomHex(kGeneratedHostDigits), ".", base_domain);
}

}  // namespace sluice::admin
