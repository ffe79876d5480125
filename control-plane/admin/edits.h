#pragma once

// The edits of the generic verbs: what PutEntity, DeleteEntity and ApplyConfig do to a configuration in memory.
// Stateless; callable from every thread.

#include <memory>
#include <string>

#include "control-plane/admin/change.h"

namespace sluice::admin {

// INVALID_ARGUMENT lists the kinds.
absl::Status CheckKind(const std::string& kind);

// Replaces the entity with its id, or with its natural key, or adds it. `id` is set to the id it has.
Edit PutEdit(const config::v1::Entity& entity, std::shared_ptr<std::string> id);
// The fields of that entity read `entity.route.paths[0]`.
Rename PutRename(const config::v1::Entity& entity, std::shared_ptr<std::string> id);

// NOT_FOUND; FAILED_PRECONDITION where others refer to it.
Edit DeleteEdit(const std::string& kind, const std::string& id_or_name);

// Makes the configuration what the document says. `paths` is set to where its entities were written; both must outlive
// it.
Edit ApplyEdit(const google::protobuf::Struct& document, config::DocumentPaths& paths);

// Makes its entities those of an earlier version, which is read when the edit runs. NOT_FOUND: it is not kept.
Edit RollbackEdit(const AdminDeps& deps, int64_t version);

}  // namespace sluice::admin
