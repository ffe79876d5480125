#pragma once

// One view of the kinds of entity, for code that treats them alike (store, diff, generic verbs). Stateless.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/config/v1/gateway.pb.h"

namespace sluice::config {

// "service", "route", "key_auth", "ca_certificate", ...: the names of Entity's oneof fields.
const std::vector<std::string_view>& EntityKinds();

// The message inside; null where the oneof is empty.
const google::protobuf::Message* Unwrap(const v1::Entity& entity);
google::protobuf::Message* Unwrap(v1::Entity& entity);
v1::Entity Wrap(const v1::Service& service);
v1::Entity Wrap(const v1::Route& route);
v1::Entity Wrap(const v1::Plugin& plugin);
v1::Entity Wrap(const v1::Consumer& consumer);
v1::Entity Wrap(const v1::KeyAuthCredential& credential);
v1::Entity Wrap(const v1::Upstream& upstream);
v1::Entity Wrap(const v1::Target& target);
v1::Entity Wrap(const v1::Certificate& certificate);
v1::Entity Wrap(const v1::Sni& sni);
v1::Entity Wrap(const v1::CaCertificate& authority);
std::string_view KindOf(const v1::Entity& entity);

std::string IdOf(const v1::Entity& entity);
// What a person calls it: name, username, custom_id, target, instance name, plugin name; "" where it has none.
std::string NameOf(const v1::Entity& entity);

// Every entity of a configuration, kind by kind in EntityKinds() order.
std::vector<v1::Entity> EntitiesOf(const v1::GatewayConfig& config);

// Finds by id, else by name. Empty where absent, and for a name that several have (plugins, targets): then only ids
// tell.
std::optional<v1::Entity> FindEntity(const v1::GatewayConfig& config, std::string_view kind,
                                     std::string_view id_or_name);

// Replaces the entity of the same kind and id, or adds it.
void PutEntity(v1::GatewayConfig& config, const v1::Entity& entity);

// Removes it with what Kong cascades to (a route's plugins, a consumer's credentials, an upstream's targets,
// a certificate's SNIs). False
// where absent. What restricts deletion (a service with routes) shows as a dangling reference in Validate.
bool RemoveEntity(v1::GatewayConfig& config, std::string_view kind, std::string_view id);

}  // namespace sluice::config
