#pragma once

// A page of a configuration's entities. It goes on after an entity that was deleted meanwhile, too: the cursor is a
// place in the order (kind, created_at, id), not an entity. Stateless; callable from every thread.

#include <string>
#include <vector>

#include "sluice/config/v1/gateway.pb.h"

namespace sluice::admin {

struct EntityPage {
  std::vector<config::v1::Entity> entities;
  std::string next;  // cursor; "" at the end
};

// `kind` "": every kind. `cursor` "": from the start.
EntityPage EntitiesAfter(const config::v1::GatewayConfig& config, const std::string& kind, const std::string& cursor,
                         int size);

}  // namespace sluice::admin
