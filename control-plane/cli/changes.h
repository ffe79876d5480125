#pragma once

// What a change changes, as a person reads it. Belongs to the main thread.

#include "control-plane/cli/commands.h"
#include "control-plane/cli/write_flags.h"
#include "sluice/admin/v1/admin.pb.h"

namespace sluice::cli {

// "+ route a", "~ route b", "    paths[0]: "/x" -> "/y"", "- route c". `left_out`: how many more there are.
void ShowChanges(Cli& cli, const google::protobuf::RepeatedPtrField<admin::v1::Change>& changes, uint32_t left_out);

// The answer of what made a version of `gateway`, or would have.
void ShowApplied(Cli& cli, const std::string& gateway, const WriteFlags& flags,
                 const admin::v1::ApplyConfigResponse& response);

}  // namespace sluice::cli
