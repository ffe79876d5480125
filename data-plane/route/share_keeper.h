#pragma once

// Who decides how much of a gateway's limit this node may admit. Implemented by limit::Shares. Without one (nullptr)
// the node is alone and has all of it.

#include <cstdint>
#include <memory>
#include <string>

#include "common/base/clock.h"

namespace sluice {

class GatewayState;

class ShareKeeper {
 public:
  virtual ~ShareKeeper() = default;
  // The state of a gateway that is about to be attached, if anything is known of it; else a new one.
  virtual std::shared_ptr<GatewayState> StateOf(const std::string& gateway) = 0;
  // The gateway has this limit from now on (0: none); its state's window is made accordingly. Sync thread only.
  virtual void Attach(const std::string& gateway, const std::shared_ptr<GatewayState>& state, uint32_t limit) = 0;
  virtual void Detach(const std::string& gateway) = 0;
  // The gateway has this limit and is not served here, where it was not served for a second at least: what is this
  // node's share may be used elsewhere. False: its state cannot be dropped yet, and stays attached. Sync thread only.
  virtual bool Rest(const std::string& gateway, uint32_t limit) = 0;
  // A request found no slot. Cheap; callable from every worker.
  virtual void Want(GatewayState& state, MonotonicTime now) = 0;
  // Whether slots beyond the node's own may be used at this very moment. Callable from every worker.
  virtual bool SurplusIsValid() const = 0;
};

}  // namespace sluice
