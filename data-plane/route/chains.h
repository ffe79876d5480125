#pragma once

// Which plugin instances may run for a route, in which order: one step per plugin name by descending priority, its
// instances by descending precedence (Kong's: route+service+consumer, route+consumer, service+consumer, route+service,
// consumer, route, service, global). Used while a gateway is compiled; one thread.

#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "data-plane/route/gateway.h"

namespace sluice {

struct PluginInstance {
  std::string_view name;  // static
  int priority = 0;
  std::string service_id;  // its scope; "" : any
  std::string route_id;
  const Consumer* consumer = nullptr;  // null: any
  const Plugin* plugin = nullptr;
  Protocols protocols;
};

class ChainBuilder {
 public:
  void Add(PluginInstance instance);

  // Whether any is for this route alone.
  bool HasOwn(const std::string& route_id) const { return by_route_.contains(route_id); }
  // Of a route and its service ("" where it has none).
  Chain For(const std::string& route_id, const std::string& service_id) const;
  // Of requests without a route: instances without any scope.
  Chain Global() const;

 private:
  using Instances = std::vector<PluginInstance>;
  absl::flat_hash_map<std::string, Instances> by_route_;
  absl::flat_hash_map<std::string, Instances> by_service_;  // without a route
  Instances others_;
};

}  // namespace sluice
