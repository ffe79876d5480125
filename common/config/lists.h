#pragma once

// The lists of a configuration, visited alike. Stateless.

#include <string>
#include <string_view>
#include <type_traits>

#include "common/schema/shape.h"
#include "sluice/config/v1/gateway.pb.h"

namespace sluice::config {

// Calls visit(kind, list) for each list, in EntityKinds() order.
template <typename Visit>
void ForEachList(const v1::GatewayConfig& config, Visit visit) {
  visit("service", config.services());
  visit("route", config.routes());
  visit("plugin", config.plugins());
  visit("consumer", config.consumers());
  visit("key_auth", config.key_auths());
  visit("upstream", config.upstreams());
  visit("target", config.targets());
  visit("certificate", config.certificates());
  visit("sni", config.snis());
  visit("ca_certificate", config.ca_certificates());
}

template <typename Visit>
void ForEachList(v1::GatewayConfig& config, Visit visit) {
  visit("service", *config.mutable_services());
  visit("route", *config.mutable_routes());
  visit("plugin", *config.mutable_plugins());
  visit("consumer", *config.mutable_consumers());
  visit("key_auth", *config.mutable_key_auths());
  visit("upstream", *config.mutable_upstreams());
  visit("target", *config.mutable_targets());
  visit("certificate", *config.mutable_certificates());
  visit("sni", *config.mutable_snis());
  visit("ca_certificate", *config.mutable_ca_certificates());
}

// Of the list's entities.
template <typename List>
const schema::Shape& ShapeOfEach(const List&) {
  return schema::ShapeOf<typename List::value_type>();
}

// Calls visit(kind, before, after) for the two lists of each kind; `After` may be const.
template <typename After, typename Visit>
void ForEachPair(const v1::GatewayConfig& before, After& after, Visit visit) {
  ForEachList(after, [&](std::string_view kind, auto& list) {
    ForEachList(before, [&](std::string_view, const auto& old) {
      if constexpr (std::is_same_v<std::decay_t<decltype(old)>, std::decay_t<decltype(list)>>) visit(kind, old, list);
    });
  });
}

inline const std::string& NoName() {
  static const std::string& none = *new std::string;
  return none;
}

// As NameOf in entity.h. Lives as long as the entity.
inline const std::string& NameIn(const v1::Service& service) {
  return service.name();
}
inline const std::string& NameIn(const v1::Route& route) {
  return route.name();
}
inline const std::string& NameIn(const v1::Plugin& plugin) {
  return plugin.instance_name().empty() ? plugin.name() : plugin.instance_name();
}
inline const std::string& NameIn(const v1::Consumer& consumer) {
  return consumer.username().empty() ? consumer.custom_id() : consumer.username();
}
inline const std::string& NameIn(const v1::KeyAuthCredential&) {
  return NoName();
}  // never the key
inline const std::string& NameIn(const v1::Upstream& upstream) {
  return upstream.name();
}
inline const std::string& NameIn(const v1::Target& target) {
  return target.target();
}
inline const std::string& NameIn(const v1::Certificate&) {
  return NoName();
}
inline const std::string& NameIn(const v1::Sni& sni) {
  return sni.name();
}
inline const std::string& NameIn(const v1::CaCertificate&) {
  return NoName();
}

}  // namespace sluice::config
