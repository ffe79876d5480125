#pragma once

// What stops a write that was made from an older version than the latest. Stateless; callable from every thread.

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace sluice::admin {

// The version in decimal; opaque to clients but for the command line, where people give the version's number.
std::string MakeEtag(int64_t version);

// OK for an empty one. ABORTED (ETAG_MISMATCH) where the gateway is at another version, INVALID_ARGUMENT for what no
// answer ever carried.
absl::Status CheckEtag(const std::string& etag, const std::string& gateway, int64_t version);

}  // namespace sluice::admin
