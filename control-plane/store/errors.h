#pragma once

// What PostgreSQL says, as canonical codes. Stateless.

#include <string_view>

#include "absl/status/status.h"

namespace sluice::store {

// `constraint`: its name where one was violated. `message`: PostgreSQL's primary message; it is passed on only for
// classes of errors whose messages quote no values.
absl::Status StatusFromSqlState(std::string_view sql_state, std::string_view constraint, std::string_view message);

}  // namespace sluice::store
