#pragma once

// The seven entity lists of a GatewayConfig alike, by reflection, and what is done to all of them. Stateless; callable
// from every thread.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "google/protobuf/message.h"
#include "sluice/config/v1/gateway.pb.h"

namespace sluice::admin {

using google::protobuf::Message;

// The entity-list fields of GatewayConfig: services, routes, ...
const std::vector<const google::protobuf::FieldDescriptor*>& EntityLists();
// The list that holds messages of this type.
const google::protobuf::FieldDescriptor& ListOf(const google::protobuf::Descriptor& type);

void ForEachEntity(config::v1::GatewayConfig& config,
                   const std::function<void(const google::protobuf::FieldDescriptor& list, Message& entity)>& visit);

// The ids of entities that this one refers to.
std::vector<std::string> ReferencesOf(const Message& entity);

// Gives ids to new entities, takes created_at and updated_at of known ones over from `current`, and `now` (Unix
// seconds) for new ones: what a client sent in these fields does not count. With `restored` new ones are those of an
// earlier version, and keep its times, which decide between routes that match alike.
void Stamp(const config::v1::GatewayConfig& current, config::v1::GatewayConfig& wanted, int64_t now, bool restored);
void SetUpdated(config::v1::GatewayConfig& config, const std::vector<std::string>& ids, int64_t now);

}  // namespace sluice::admin
