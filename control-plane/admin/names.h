#pragma once

// Names of gateways and the host names made from them. Stateless; callable from every thread.

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace sluice::admin {

inline constexpr size_t kMaxNameBytes = 63;       // a DNS label
inline constexpr size_t kGeneratedHostDigits = 10;

// [a-z0-9-]{1,63}, and not in the form of an id, which names a gateway too.
absl::Status CheckName(std::string_view field, std::string_view name);

// ALREADY_EXISTS, of a gateway.
absl::Status NameTaken(std::string_view name);

// Whether `<name>.<base>` may be a gateway's host: a DNS label that cannot be taken for a generated one.
bool MayBeHost(std::string_view name);

std::string GeneratedHost(std::string_view base_domain);

}  // namespace sluice::admin
