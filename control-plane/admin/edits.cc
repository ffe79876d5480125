#include "control-plane/admin/edits.h"

#include <algorithm>

#include "common/base/random.h"
#include "common/config/config.h"
#include "common/config/diff.h"
#include "common/config/entity.h"
#include "common/schema/text.h"
#include "control-plane/admin/lists.h"

namespace sluice::admin {

namespace {

using config::v1::Entity;
using config::v1::GatewayConfig;
using google::protobuf::FieldDescriptor;
using schema::Cat;

std::string IdIn(const Message& entity) {
  return entity.GetReflection()->GetString(entity, entity.GetDescriptor()->FindFieldByName("id"));
}

// The list's entity with this id but the last one, which is the new one; its place, or -1.
int OlderWithId(const GatewayConfig& config, const FieldDescriptor& list, const std::string& id) {
  const int size = config.GetReflection()->FieldSize(config, &list);
  for (int i = 0; i + 1 < size; ++i) {
    if (IdIn(config.GetReflection()->GetRepeatedMessage(config, &list, i)) == id) return i;
  }
  return -1;
}

std::string Place(const GatewayConfig& current, GatewayConfig& wanted, const Entity& entity) {
  const Message& inside = *config::Unwrap(entity);
  const FieldDescriptor& list = ListOf(*inside.GetDescriptor());
  const google::protobuf::Reflection& reflection = *wanted.GetReflection();
  reflection.AddMessage(&wanted, &list)->CopyFrom(inside);
  config::AdoptIdentities(current, wanted);
  const int last = reflection.FieldSize(wanted, &list) - 1;
  Message& placed = *reflection.MutableRepeatedMessage(&wanted, &list, last);
  if (IdIn(placed).empty()) {
    placed.GetReflection()->SetString(&placed, placed.GetDescriptor()->FindFieldByName("id"), RandomUuid());
  }
  const std::string id = IdIn(placed);
  if (const int older = OlderWithId(wanted, list, id); older >= 0) {
    reflection.SwapElements(&wanted, &list, older, last);
    reflection.RemoveLast(&wanted, &list);
  }
  return id;
}

// "route 'a'", for the first entity that refers to this id.
std::string WhoRefersTo(GatewayConfig& config, const std::string& id) {
  for (const Entity& entity : config::EntitiesOf(config)) {
    const std::vector<std::string> references = ReferencesOf(*config::Unwrap(entity));
    if (std::count(references.begin(), references.end(), id) == 0) continue;
    const std::string name = config::NameOf(entity);
    return Cat(config::KindOf(entity), " '", name.empty() ? config::IdOf(entity) : name, "'");
  }
  return "";
}

}  // namespace

absl::Status CheckKind(const std::string& kind) {
  const auto& kinds = config::EntityKinds();
  if (std::find(kinds.begin(), kinds.end(), kind) != kinds.end()) return absl::OkStatus();
  std::string known;
  for (const std::string_view one : kinds) known += Cat(known.empty() ? "" : ", ", one);
  return InvalidField("kind", Cat("one of ", known), "KIND");
}

Edit PutEdit(const Entity& entity, std::shared_ptr<std::string> id) {
  return [entity, id](const GatewayConfig& current, GatewayConfig& wanted, schema::Violations&) {
    *id = Place(current, wanted, entity);
    return absl::OkStatus();
  };
}

Rename PutRename(const Entity& entity, std::shared_ptr<std::string> id) {
  const std::string list = ListOf(*config::Unwrap(entity)->GetDescriptor()).name();
  const std::string shown = Cat("entity.", config::KindOf(entity));
  const std::string name = config::NameOf(entity);
  return [list, shown, name, id](const std::string& field) {
    for (const std::string& key : {*id, name}) {
      const std::string head = Cat(list, "[", key, "]");
      if (!key.empty() && field.compare(0, head.size(), head) == 0) return shown + field.substr(head.size());
    }
    return field;
  };
}

Edit DeleteEdit(const std::string& kind, const std::string& id_or_name) {
  return [kind, id_or_name](const GatewayConfig& current, GatewayConfig& wanted, schema::Violations&) -> absl::Status {
    const std::optional<Entity> entity = config::FindEntity(current, kind, id_or_name);
    if (!entity) return NotFound(kind, id_or_name);
    const std::string id = config::IdOf(*entity);
    config::RemoveEntity(wanted, kind, id);
    const std::string user = WhoRefersTo(wanted, id);
    if (user.empty()) return absl::OkStatus();
    return WithReason(absl::StatusCode::kFailedPrecondition,
                      Cat(kind, " '", id_or_name, "' is in use by ", user, "; delete or change that first"),
                      "REFERENCED");
  };
}

Edit ApplyEdit(const google::protobuf::Struct& document, config::DocumentPaths& paths) {
  return [&document, &paths](const GatewayConfig& current, GatewayConfig& wanted, schema::Violations& violations) {
    for (const FieldDescriptor* list : EntityLists()) wanted.GetReflection()->ClearField(&wanted, list);
    paths = config::DocumentPaths();
    config::ParseDocument(document, wanted, violations, &paths);
    config::AdoptIdentities(current, wanted);
    return absl::OkStatus();
  };
}

Edit RollbackEdit(const AdminDeps& deps, int64_t version) {
  return [&deps, version](const GatewayConfig& current, GatewayConfig& wanted, schema::Violations&) {
    const absl::StatusOr<GatewayConfig> then = LoadConfig(deps, current.id(), version);
    if (!then.ok()) return then.status();
    const google::protobuf::Reflection& reflection = *wanted.GetReflection();
    for (const FieldDescriptor* list : EntityLists()) {
      reflection.ClearField(&wanted, list);
      for (int i = 0; i < reflection.FieldSize(*then, list); ++i) {
        reflection.AddMessage(&wanted, list)->CopyFrom(reflection.GetRepeatedMessage(*then, list, i));
      }
    }
    return absl::OkStatus();
  };
}

}  // namespace sluice::admin
