#pragma once

// Which parts of limits are this node's own, on its disk, for the process after it. Durable when Write returns.

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/quota/lease.h"

namespace sluice::sync {

// nullopt: no process of this node has ever kept any in `folder`. A damaged file is as one of a node that owns nothing.
std::optional<quota::Bases> ReadBases(const std::string& folder);
// Makes `folder` where it is absent. Errors name the file and the cause, and leave what was there.
absl::Status WriteBases(const std::string& folder, const quota::Bases& bases);

}  // namespace sluice::sync
