#pragma once

// How many connections a node's clients hold: in all, each address for itself, and each gateway. Shared by all workers;
// locked at the beginning and the end of a connection, never for a request. ConnectionLimits is callable from every
// thread; an Admission belongs to its connection.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "data-plane/limit/keyed_count.h"
#include "data-plane/limit/slot.h"
#include "data-plane/route/gateway.h"

namespace sluice::proxy {

class ConnectionLimits {
 public:
  struct Max {
    size_t total;
    size_t per_address;
    size_t per_gateway;
  };
  explicit ConnectionLimits(Max max) : max_(max) {}

  // Half of the descriptors that this process may have.
  static size_t HalfTheDescriptors();

 private:
  friend class Admission;
  bool Enter();

  const Max max_;
  std::atomic<size_t> total_{0};
  limit::KeyedCount<std::string> of_addresses_;
};

// The places that one connection takes; given back with the object. Each Enter is false, and nothing is counted, where
// there is no room.
class Admission {
 public:
  explicit Admission(ConnectionLimits& limits) : limits_(&limits) {}
  Admission(Admission&& other) noexcept;
  Admission& operator=(Admission&&) = delete;
  ~Admission();

  bool Enter();                               // among all; once
  bool EnterAddress(std::string address);     // once
  bool EnterGateway(const Gateway& gateway);  // leaves the one before; counts once while it is the same

 private:
  ConnectionLimits* limits_;
  bool entered_ = false;
  std::string address_;  // "" : not counted
  const GatewayState* state_ = nullptr;
  limit::Slot gateway_;
};

}  // namespace sluice::proxy
