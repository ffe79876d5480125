#pragma once

// Who fetches the configuration of a gateway that a worker knows by its head alone and is asked for. Implemented by
// sync::Fetches. Without one (nullptr) nothing is fetched.

#include <string>

namespace sluice {

class GatewayLoader {
 public:
  virtual ~GatewayLoader() = default;
  // Has the gateway fetched, once for all who ask meanwhile. Whatever comes of it is published like a change. False: it
  // cannot be had for now. Never waits; callable from every worker.
  virtual bool Load(const std::string& gateway_id) = 0;
};

}  // namespace sluice
