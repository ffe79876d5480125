#pragma once

// The text of a join token: "slj_", 40 letters and digits, a dot, and the fingerprint of the authority that signs the
// control plane's certificate. Stateless.

#include <optional>
#include <string>
#include <string_view>

#include "common/base/clock.h"

namespace sluice::fleet {

inline constexpr Duration kJoinTokenTtl = std::chrono::hours(1);  // where nobody says how long
inline constexpr Duration kMaxJoinTokenTtl = std::chrono::hours(24);

std::string NewJoinToken(std::string_view authority);
// The 32 bytes that the store keeps and finds it by; nullopt: not in the form of one.
std::optional<std::string> HashJoinToken(std::string_view token);

}  // namespace sluice::fleet
