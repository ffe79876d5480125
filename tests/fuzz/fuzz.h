#pragma once

// What a fuzz target is: one function over bytes that comes back, or fails a SLUICE_CHECK. Any bytes are fine, nothing
// outlives the call, and the same bytes do the same each time.

#include <string_view>

#include "common/base/check.h"

namespace sluice::fuzz {

void Run(std::string_view input);

}  // namespace sluice::fuzz
