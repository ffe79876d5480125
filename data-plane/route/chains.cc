#include "data-plane/route/chains.h"

#include <algorithm>
#include <utility>

namespace sluice {
namespace {

// The greater goes first.
int Precedence(const PluginInstance& instance) {
  const bool route = !instance.route_id.empty();
  const bool service = !instance.service_id.empty();
  if (instance.consumer != nullptr) {
    if (route) return service ? 7 : 6;
    return service ? 5 : 3;
  }
  if (route) return service ? 4 : 2;
  return service ? 1 : 0;
}

bool RunsBefore(const PluginInstance* a, const PluginInstance* b) {
  if (a->priority != b->priority) return a->priority > b->priority;
  if (a->name != b->name) return a->name > b->name;
  return Precedence(*a) > Precedence(*b);
}

Chain MakeChain(std::vector<const PluginInstance*> instances) {
  std::stable_sort(instances.begin(), instances.end(), RunsBefore);
  Chain chain;
  for (const PluginInstance* instance : instances) {
    if (chain.empty() || chain.back().name != instance->name) chain.push_back({.name = instance->name});
    ChainStep& step = chain.back();
    step.moments |= instance->plugin->moments();
    step.candidates.push_back(
        {.plugin = instance->plugin, .consumer = instance->consumer, .protocols = instance->protocols});
  }
  return chain;
}

}  // namespace

void ChainBuilder::Add(PluginInstance instance) {
  Instances& list = !instance.route_id.empty()     ? by_route_[instance.route_id]
                    : !instance.service_id.empty() ? by_service_[instance.service_id]
                                                   : others_;
  list.push_back(std::move(instance));
}

Chain ChainBuilder::For(const std::string& route_id, const std::string& service_id) const {
  std::vector<const PluginInstance*> instances;
  if (const auto found = by_route_.find(route_id); found != by_route_.end()) {
    for (const PluginInstance& instance : found->second) {
      const bool fits = instance.service_id.empty() || instance.service_id == service_id;
      if (fits) instances.push_back(&instance);
    }
  }
  const auto of_service = service_id.empty() ? by_service_.end() : by_service_.find(service_id);
  if (of_service != by_service_.end()) {
    for (const PluginInstance& instance : of_service->second) instances.push_back(&instance);
  }
  for (const PluginInstance& instance : others_) instances.push_back(&instance);
  return MakeChain(std::move(instances));
}

Chain ChainBuilder::Global() const {
  std::vector<const PluginInstance*> instances;
  for (const PluginInstance& instance : others_) {
    if (instance.consumer == nullptr) instances.push_back(&instance);
  }
  return MakeChain(std::move(instances));
}

}  // namespace sluice
