#include "control-plane/provision/driver.h"

#include <charconv>

#include "common/base/text.h"

namespace sluice::provision {

std::string NameOf(std::string_view prefix, int slot) { return Cat(prefix, "-", slot); }

std::optional<int> SlotOf(std::string_view prefix, std::string_view name) {
  if (!name.starts_with(prefix) || name.size() < prefix.size() + 2 || name[prefix.size()] != '-') return std::nullopt;
  const std::string_view digits = name.substr(prefix.size() + 1);
  int slot = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), slot);
  if (error != std::errc() || end != digits.data() + digits.size() || slot < 1 || digits[0] == '0') return std::nullopt;
  return slot;
}

}  // namespace sluice::provision
