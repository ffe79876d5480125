#include "common/config/entity.h"

#include "absl/container/flat_hash_set.h"
#include "common/config/lists.h"
#include "common/schema/text.h"

namespace sluice::config {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

const FieldDescriptor* FieldOf(const v1::Entity& entity) {
  return entity.GetReflection()->GetOneofFieldDescriptor(entity, v1::Entity::descriptor()->oneof_decl(0));
}

// Calls visit with the message inside, in its own type.
template <typename Visit>
void VisitEntity(const v1::Entity& entity, Visit visit) {
  switch (entity.kind_case()) {
    case v1::Entity::kService:
      return visit(entity.service());
    case v1::Entity::kRoute:
      return visit(entity.route());
    case v1::Entity::kPlugin:
      return visit(entity.plugin());
    case v1::Entity::kConsumer:
      return visit(entity.consumer());
    case v1::Entity::kKeyAuth:
      return visit(entity.key_auth());
    case v1::Entity::kUpstream:
      return visit(entity.upstream());
    case v1::Entity::kTarget:
      return visit(entity.target());
    case v1::Entity::kCertificate:
      return visit(entity.certificate());
    case v1::Entity::kSni:
      return visit(entity.sni());
    case v1::Entity::kCaCertificate:
      return visit(entity.ca_certificate());
    default:
      return;
  }
}

template <typename List, typename Matches>
void Erase(List& list, Matches matches) {
  for (int i = list.size() - 1; i >= 0; --i) {
    if (matches(list[i])) list.DeleteSubrange(i, 1);
  }
}

}  // namespace

const std::vector<std::string_view>& EntityKinds() {
  static const auto* kinds =
      new std::vector<std::string_view>{"service",  "route",  "plugin",      "consumer", "key_auth",
                                        "upstream", "target", "certificate", "sni",      "ca_certificate"};
  return *kinds;
}

v1::Entity Wrap(const v1::Service& service) {
  v1::Entity entity;
  *entity.mutable_service() = service;
  return entity;
}
v1::Entity Wrap(const v1::Route& route) {
  v1::Entity entity;
  *entity.mutable_route() = route;
  return entity;
}
v1::Entity Wrap(const v1::Plugin& plugin) {
  v1::Entity entity;
  *entity.mutable_plugin() = plugin;
  return entity;
}
v1::Entity Wrap(const v1::Consumer& consumer) {
  v1::Entity entity;
  *entity.mutable_consumer() = consumer;
  return entity;
}
v1::Entity Wrap(const v1::KeyAuthCredential& credential) {
  v1::Entity entity;
  *entity.mutable_key_auth() = credential;
  return entity;
}
v1::Entity Wrap(const v1::Upstream& upstream) {
  v1::Entity entity;
  *entity.mutable_upstream() = upstream;
  return entity;
}
v1::Entity Wrap(const v1::Target& target) {
  v1::Entity entity;
  *entity.mutable_target() = target;
  return entity;
}
v1::Entity Wrap(const v1::Certificate& certificate) {
  v1::Entity entity;
  *entity.mutable_certificate() = certificate;
  return entity;
}
v1::Entity Wrap(const v1::Sni& sni) {
  v1::Entity entity;
  *entity.mutable_sni() = sni;
  return entity;
}
v1::Entity Wrap(const v1::CaCertificate& authority) {
  v1::Entity entity;
  *entity.mutable_ca_certificate() = authority;
  return entity;
}

const Message* Unwrap(const v1::Entity& entity) {
  const FieldDescriptor* field = FieldOf(entity);
  return field == nullptr ? nullptr : &entity.GetReflection()->GetMessage(entity, field);
}

Message* Unwrap(v1::Entity& entity) {
  const FieldDescriptor* field = FieldOf(entity);
  return field == nullptr ? nullptr : entity.GetReflection()->MutableMessage(&entity, field);
}

std::string_view KindOf(const v1::Entity& entity) {
  const FieldDescriptor* field = FieldOf(entity);
  return field == nullptr ? std::string_view() : std::string_view(field->name());
}

std::string IdOf(const v1::Entity& entity) {
  std::string id;
  VisitEntity(entity, [&id](const auto& message) { id = message.id(); });
  return id;
}

std::string NameOf(const v1::Entity& entity) {
  std::string name;
  VisitEntity(entity, [&name](const auto& message) { name = NameIn(message); });
  return name;
}

std::vector<v1::Entity> EntitiesOf(const v1::GatewayConfig& config) {
  std::vector<v1::Entity> out;
  ForEachList(config, [&out](std::string_view, const auto& list) {
    for (const auto& message : list) out.push_back(Wrap(message));
  });
  return out;
}

std::optional<v1::Entity> FindEntity(const v1::GatewayConfig& config, std::string_view kind,
                                     std::string_view id_or_name) {
  std::optional<v1::Entity> found;
  if (id_or_name.empty()) return found;
  const std::string id = schema::Lower(id_or_name);
  ForEachList(config, [&](std::string_view of, const auto& list) {
    if (of != kind) return;
    int named = 0;
    for (const auto& message : list) {
      if (message.id() == id) {
        found = Wrap(message);
        return;
      }
    }
    for (const auto& message : list) {
      if (NameIn(message) != id_or_name) continue;
      found = Wrap(message);
      ++named;
    }
    if (named > 1) found.reset();
  });
  return found;
}

void PutEntity(v1::GatewayConfig& config, const v1::Entity& entity) {
  VisitEntity(entity, [&config](const auto& wanted) {
    ForEachList(config, [&wanted](std::string_view, auto& list) {
      if constexpr (std::is_same_v<std::decay_t<decltype(list)>,
                                   google::protobuf::RepeatedPtrField<std::decay_t<decltype(wanted)>>>) {
        for (auto& message : list) {
          if (message.id() != wanted.id() || wanted.id().empty()) continue;
          message = wanted;
          return;
        }
        *list.Add() = wanted;
      }
    });
  });
}

bool RemoveEntity(v1::GatewayConfig& config, std::string_view kind, std::string_view gone) {
  const std::string id(gone);  // it may be a view of what is removed
  bool removed = false;
  ForEachList(config, [&](std::string_view of, auto& list) {
    if (of != kind) return;
    const int before = list.size();
    Erase(list, [&id](const auto& message) { return message.id() == id; });
    removed = list.size() != before;
  });
  if (!removed) return false;
  Erase(*config.mutable_plugins(), [&](const v1::Plugin& plugin) {
    return (kind == "service" && plugin.service() == id) || (kind == "route" && plugin.route() == id) ||
           (kind == "consumer" && plugin.consumer() == id);
  });
  if (kind == "consumer") {
    Erase(*config.mutable_key_auths(), [&id](const v1::KeyAuthCredential& key) { return key.consumer() == id; });
  } else if (kind == "upstream") {
    Erase(*config.mutable_targets(), [&id](const v1::Target& target) { return target.upstream() == id; });
  } else if (kind == "certificate") {
    Erase(*config.mutable_snis(), [&id](const v1::Sni& sni) { return sni.certificate() == id; });
  }
  return true;
}

}  // namespace sluice::config
