// The Configs service: the generic verbs over a gateway's entities, whole documents, and versions.

#include <charconv>
#include <tuple>

#include "common/base/random.h"
#include "common/config/entity.h"
#include "common/config/redact.h"
#include "common/schema/text.h"
#include "control-plane/admin/change.h"
#include "control-plane/admin/edits.h"
#include "control-plane/admin/entity_page.h"
#include "control-plane/admin/etag.h"
#include "control-plane/admin/page.h"
#include "control-plane/admin/serve.h"
#include "control-plane/admin/service_list.h"
#include "control-plane/admin/view.h"
#include "control-plane/admin/wait.h"
#include "sluice/admin/v1/admin.grpc.pb.h"

namespace sluice::admin {

namespace {

using schema::Cat;

constexpr size_t kGeneratedKeyCharacters = 32;
constexpr std::string_view kService = "/sluice.admin.v1.Configs/";

class Configs final : public v1::Configs::Service {
 public:
  explicit Configs(const AdminDeps& deps) : deps_(deps) {}

  grpc::Status PutEntity(grpc::ServerContext* context, const v1::PutEntityRequest* request,
                         v1::PutEntityResponse* response) override {
    return Serve(deps_, *context, Cat(kService, "PutEntity"), *request,
                 [&](Call& call) { return Put(call, *request, *response); });
  }
  grpc::Status GetEntity(grpc::ServerContext* context, const v1::GetEntityRequest* request,
                         v1::GetEntityResponse* response) override {
    return Serve(deps_, *context, Cat(kService, "GetEntity"), *request,
                 [&](Call& call) { return Get(call, *request, *response); });
  }
  grpc::Status ListEntities(grpc::ServerContext* context, const v1::ListEntitiesRequest* request,
                            v1::ListEntitiesResponse* response) override {
    return Serve(deps_, *context, Cat(kService, "ListEntities"), *request,
                 [&](Call& call) { return List(call, *request, *response); });
  }
  grpc::Status DeleteEntity(grpc::ServerContext* context, const v1::DeleteEntityRequest* request,
                            v1::DeleteEntityResponse* response) override {
    return Serve(deps_, *context, Cat(kService, "DeleteEntity"), *request,
                 [&](Call& call) { return Delete(call, *request, *response); });
  }
  grpc::Status ApplyConfig(grpc::ServerContext* context, const v1::ApplyConfigRequest* request,
                           v1::ApplyConfigResponse* response) override {
    return Serve(deps_, *context, Cat(kService, "ApplyConfig"), *request,
                 [&](Call& call) { return Apply(call, *request, *response); });
  }
  grpc::Status GetConfig(grpc::ServerContext* context, const v1::GetConfigRequest* request,
                         v1::GetConfigResponse* response) override {
    return Serve(deps_, *context, Cat(kService, "GetConfig"), *request,
                 [&](Call& call) { return Dump(call, *request, *response); });
  }
  grpc::Status ListVersions(grpc::ServerContext* context, const v1::ListVersionsRequest* request,
                            v1::ListVersionsResponse* response) override {
    return Serve(deps_, *context, Cat(kService, "ListVersions"), *request,
                 [&](Call& call) { return Versions(call, *request, *response); });
  }
  grpc::Status DiffVersions(grpc::ServerContext* context, const v1::DiffVersionsRequest* request,
                            v1::DiffVersionsResponse* response) override {
    return Serve(deps_, *context, Cat(kService, "DiffVersions"), *request,
                 [&](Call& call) { return Diff(call, *request, *response); });
  }
  grpc::Status Rollback(grpc::ServerContext* context, const v1::RollbackRequest* request,
                        v1::ApplyConfigResponse* response) override {
    return Serve(deps_, *context, Cat(kService, "Rollback"), *request,
                 [&](Call& call) { return RollBack(call, *request, *response); });
  }

 private:
  absl::StatusOr<config::v1::GatewayConfig> Load(Call& call, const std::string& gateway, int64_t version) {
    const absl::StatusOr<store::GatewayRecord> record = FindGateway(deps_, call, gateway);
    if (!record.ok()) return record.status();
    return LoadConfig(deps_, record->id, version);
  }

  // What every answer to a change has. Waits where it was asked for and there is something to wait for: also for an
  // earlier change that is still on its way.
  template <typename Request, typename Response>
  absl::Status Answer(Call& call, const Request& request, bool trial, const Changed& changed, Response& response) {
    response.set_version(changed.version);
    response.set_etag(MakeEtag(changed.version));
    if (trial || !request.has_wait() || changed.config.kind() == config::v1::SELF_MANAGED) return absl::OkStatus();
    int64_t revision = changed.revision;
    if (revision == 0) {
      const absl::StatusOr<store::GatewayRecord> record = FindGateway(deps_, call, changed.config.id());
      if (!record.ok()) return record.status();
      revision = record->revision;
    }
    const absl::StatusOr<v1::Rollout> live =
        WaitUntilLive(deps_, call, request.wait(), changed.config.id(), revision);
    if (live.ok()) *response.mutable_rollout() = *live;
    return live.status();
  }

  absl::Status Put(Call& call, const v1::PutEntityRequest& request, v1::PutEntityResponse& response) {
    if (absl::Status wait = CheckWait(request.wait()); !wait.ok()) return wait;
    config::v1::Entity entity = request.entity();
    entity.DiscardUnknownFields();
    if (config::Unwrap(entity) == nullptr) return InvalidField("entity", "set one of its kinds", "REQUIRED");
    std::string generated;
    if (entity.has_key_auth() && entity.key_auth().key().empty() && entity.key_auth().id().empty()) {
      generated = RandomAlphanumeric(kGeneratedKeyCharacters);
      entity.mutable_key_auth()->set_key(generated);
    }
    const auto id = std::make_shared<std::string>();
    ChangeRequest change{request.gateway(), request.message(), request.validate_only(), PutRename(entity, id)};
    change.etag = request.etag();
    change.entity_id = id;
    const absl::StatusOr<Changed> changed = ChangeConfig(deps_, call, change, PutEdit(entity, id));
    if (!changed.ok()) return changed.status();
    const std::optional<config::v1::Entity> stored = config::FindEntity(changed->config, config::KindOf(entity), *id);
    if (stored) *response.mutable_entity() = *stored;
    config::HideKeys(*response.mutable_entity());
    if (!generated.empty() && !request.validate_only() && !call.repeated)
      response.mutable_entity()->mutable_key_auth()->set_key(generated);
    return Answer(call, request, request.validate_only(), *changed, response);
  }

  absl::Status Get(Call& call, const v1::GetEntityRequest& request, v1::GetEntityResponse& response) {
    if (absl::Status kind = CheckKind(request.kind()); !kind.ok()) return kind;
    const absl::StatusOr<config::v1::GatewayConfig> config = Load(call, request.gateway(), 0);
    if (!config.ok()) return config.status();
    const std::optional<config::v1::Entity> entity = config::FindEntity(*config, request.kind(), request.id());
    if (!entity) return NotFound(request.kind(), request.id());
    *response.mutable_entity() = *entity;
    config::HideKeys(*response.mutable_entity());
    response.set_etag(MakeEtag(config->version()));
    return absl::OkStatus();
  }

  absl::Status List(Call& call, const v1::ListEntitiesRequest& request, v1::ListEntitiesResponse& response) {
    if (!request.kind().empty()) {
      if (absl::Status kind = CheckKind(request.kind()); !kind.ok()) return kind;
    }
    const absl::StatusOr<config::v1::GatewayConfig> config = Load(call, request.gateway(), 0);
    if (!config.ok()) return config.status();
    const std::string query = Cat("entities/", config->id(), "/", request.kind());
    const absl::StatusOr<Page> page = ReadPage(query, request.page_size(), request.page_token());
    if (!page.ok()) return page.status();
    const EntityPage entities = EntitiesAfter(*config, request.kind(), page->cursor, page->size);
    for (const config::v1::Entity& entity : entities.entities) {
      *response.add_entities() = entity;
      config::HideKeys(*response.mutable_entities(response.entities_size() - 1));
    }
    if (!entities.next.empty()) response.set_next_page_token(MakePageToken(query, entities.next));
    return absl::OkStatus();
  }

  absl::Status Delete(Call& call, const v1::DeleteEntityRequest& request, v1::DeleteEntityResponse& response) {
    if (absl::Status kind = CheckKind(request.kind()); !kind.ok()) return kind;
    if (absl::Status wait = CheckWait(request.wait()); !wait.ok()) return wait;
    ChangeRequest change{request.gateway(), request.message(), request.validate_only()};
    change.etag = request.etag();
    const absl::StatusOr<Changed> changed = ChangeConfig(deps_, call, change, DeleteEdit(request.kind(), request.id()));
    if (!changed.ok()) return changed.status();
    return Answer(call, request, request.validate_only(), *changed, response);
  }

  absl::Status Apply(Call& call, const v1::ApplyConfigRequest& request, v1::ApplyConfigResponse& response) {
    if (absl::Status wait = CheckWait(request.wait()); !wait.ok()) return wait;
    if (!request.has_document()) return InvalidField("document", "a decK document is needed", "REQUIRED");
    config::DocumentPaths paths;
    ChangeRequest change{request.gateway(), request.message(), request.dry_run(), nullptr, &paths};
    change.etag = request.etag();
    const absl::StatusOr<Changed> changed = ChangeConfig(deps_, call, change, ApplyEdit(request.document(), paths));
    if (!changed.ok()) return changed.status();
    response.set_changes_left_out(AddChanges(changed->changes, *response.mutable_changes()));
    return Answer(call, request, request.dry_run(), *changed, response);
  }

  absl::Status RollBack(Call& call, const v1::RollbackRequest& request, v1::ApplyConfigResponse& response) {
    if (absl::Status wait = CheckWait(request.wait()); !wait.ok()) return wait;
    if (request.version() < 1) return InvalidField("version", "say which, from 1 on", "REQUIRED");
    ChangeRequest change{request.gateway(), request.message(), request.validate_only()};
    if (change.message.empty()) change.message = Cat("rollback to version ", request.version());
    change.etag = request.etag();
    change.restores = true;
    const absl::StatusOr<Changed> changed = ChangeConfig(deps_, call, change, RollbackEdit(deps_, request.version()));
    if (!changed.ok()) return changed.status();
    response.set_changes_left_out(AddChanges(changed->changes, *response.mutable_changes()));
    return Answer(call, request, request.validate_only(), *changed, response);
  }

  absl::Status Diff(Call& call, const v1::DiffVersionsRequest& request, v1::DiffVersionsResponse& response) {
    for (const auto& [field, version] : {std::pair("from", request.from()), std::pair("to", request.to())}) {
      if (version < 0) return InvalidField(field, "a version's number, or 0 for the latest");
    }
    const absl::StatusOr<config::v1::GatewayConfig> from = Load(call, request.gateway(), request.from());
    if (!from.ok()) return from.status();
    const absl::StatusOr<config::v1::GatewayConfig> to = LoadConfig(deps_, from->id(), request.to());
    if (!to.ok()) return to.status();
    response.set_from(from->version());
    response.set_to(to->version());
    response.set_changes_left_out(AddChanges(config::Diff(*from, *to), *response.mutable_changes()));
    return absl::OkStatus();
  }

  absl::Status Dump(Call& call, const v1::GetConfigRequest& request, v1::GetConfigResponse& response) {
    if (request.version() < 0) return InvalidField("version", "a version's number, or 0 for the latest");
    const absl::StatusOr<config::v1::GatewayConfig> config = Load(call, request.gateway(), request.version());
    if (!config.ok()) return config.status();
    response.set_version(config->version());
    response.set_etag(MakeEtag(config->version()));
    *response.mutable_document() = config::WriteDocument(*config);
    return absl::OkStatus();
  }

  absl::Status Versions(Call& call, const v1::ListVersionsRequest& request, v1::ListVersionsResponse& response) {
    const absl::StatusOr<store::GatewayRecord> record = FindGateway(deps_, call, request.gateway());
    if (!record.ok()) return record.status();
    const std::string query = Cat("versions/", record->id);
    const absl::StatusOr<Page> page = ReadPage(query, request.page_size(), request.page_token());
    if (!page.ok()) return page.status();
    int64_t before = 0;
    std::from_chars(page->cursor.data(), page->cursor.data() + page->cursor.size(), before);
    const auto versions = deps_.store.ListVersions(record->id, before, page->size + 1);
    if (!versions.ok()) return FromStore(versions.status());
    for (const store::VersionRecord& version : *versions) {
      if (response.versions_size() == page->size) {
        response.set_next_page_token(MakePageToken(query, std::to_string(response.versions(page->size - 1).version())));
        break;
      }
      *response.add_versions() = ToVersion(version);
    }
    return absl::OkStatus();
  }

  const AdminDeps deps_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeConfigsService(const AdminDeps& deps) {
  return std::make_unique<Configs>(deps);
}

}  // namespace sluice::admin
