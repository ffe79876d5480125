#pragma once

// What a node must know of a gateway that it does not serve, taken from the configuration's bytes without reading the
// rest of them. Stateless.

#include <optional>

#include "control-plane/index/index.h"
#include "sluice/sync/v1/sync.pb.h"

namespace sluice::sync {

// Of an entry with a configuration. `part`: of its limit, that the nodes have which are told. nullopt: every node holds
// the whole of it, since it has certificates, for which a handshake does not wait.
std::optional<v1::Head> HeadOf(const index::Entry& entry, store::Part part);

}  // namespace sluice::sync
