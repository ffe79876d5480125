#pragma once

// From an upstream's entity to what balances and checks it. Pure; sync thread.

#include "data-plane/balance/upstream.h"
#include "sluice/config/v1/entities.pb.h"

namespace sluice {

// Without its targets. The entity is valid and has its defaults, or was stored before it had any of these fields.
Upstream CompileUpstream(const config::v1::Upstream& entity);

}  // namespace sluice
