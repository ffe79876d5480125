#include <utility>

#include "absl/strings/string_view.h"
#include "data-plane/route/gateway.h"

namespace sluice {

std::shared_ptr<const Gateway> HostTable::Put(std::shared_ptr<const GatewayHead> gateway) {
  std::shared_ptr<const Gateway> before = Remove(gateway->id());
  for (const std::string& host : gateway->hosts()) by_host_[host] = gateway;
  loaded_ += gateway->loaded() ? 1 : 0;
  by_id_[gateway->id()] = std::move(gateway);
  return before;
}

std::shared_ptr<const Gateway> HostTable::Remove(const std::string& gateway_id) {
  const auto found = by_id_.find(gateway_id);
  if (found == by_id_.end()) return nullptr;
  std::shared_ptr<const GatewayHead> gone = std::move(found->second);
  for (const std::string& host : gone->hosts()) {
    // A host that has moved to another gateway meanwhile stays there.
    const auto entry = by_host_.find(host);
    if (entry != by_host_.end() && entry->second->id() == gateway_id) by_host_.erase(entry);
  }
  by_id_.erase(found);
  loaded_ -= gone->loaded() ? 1 : 0;
  return AsGateway(std::move(gone));
}

std::shared_ptr<const GatewayHead> HostTable::FindHead(std::string_view host) const {
  const auto found = by_host_.find(absl::string_view(host.data(), host.size()));
  return found == by_host_.end() ? nullptr : found->second;
}

std::shared_ptr<const Gateway> HostTable::Find(std::string_view host) const {
  return AsGateway(FindHead(host));
}

io::ServerIdentity HostTable::Identify(std::string_view server_name) const {
  const auto found = by_host_.find(absl::string_view(server_name.data(), server_name.size()));
  if (found == by_host_.end()) return {};
  const GatewayHead& head = *found->second;
  if (!head.loaded()) return {.owner = head.id(), .certificates = {}};
  return {.owner = head.id(), .certificates = static_cast<const Gateway&>(head).certificates().Find(server_name)};
}

}  // namespace sluice
