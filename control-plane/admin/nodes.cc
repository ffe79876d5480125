// The Nodes service: who is connected to this replica, who was known before, and who may join.

#include <algorithm>

#include "common/base/random.h"
#include "common/schema/text.h"
#include "control-plane/admin/change.h"
#include "control-plane/admin/errors.h"
#include "control-plane/admin/serve.h"
#include "control-plane/admin/service_list.h"
#include "control-plane/admin/view.h"
#include "control-plane/fleet/join_token.h"
#include "sluice/admin/v1/nodes.grpc.pb.h"

namespace sluice::admin {

namespace {

using schema::Cat;

constexpr std::string_view kService = "/sluice.admin.v1.Nodes/";

void Fill(const sync::NodeStatus& status, v1::Node& out) {
  out.set_name(status.name);
  out.set_connected(true);
  out.set_build(status.build);
  out.set_address(status.address);
  out.set_applied_revision(status.applied);
  *out.mutable_connect_time() = ToTimestamp(status.connected);
  *out.mutable_last_seen_time() = ToTimestamp(status.last_seen);
  for (const auto& [gateway, update] : status.rejected) *out.add_rejections() = ToRejection(status.name, update);
}

class Nodes final : public v1::Nodes::Service {
 public:
  explicit Nodes(const AdminDeps& deps) : deps_(deps) {}

  grpc::Status ListNodes(grpc::ServerContext* context, const v1::ListNodesRequest* request,
                         v1::ListNodesResponse* response) override {
    return Serve(deps_, *context, Cat(kService, "ListNodes"), *request, [&](Call&) {
      List(*response);
      return absl::OkStatus();
    });
  }

  grpc::Status RemoveNode(grpc::ServerContext* context, const v1::RemoveNodeRequest* request,
                          v1::RemoveNodeResponse*) override {
    return Serve(deps_, *context, Cat(kService, "RemoveNode"), *request,
                 [&](Call& call) { return Remove(call, request->name()); });
  }

  grpc::Status CreateJoinToken(grpc::ServerContext* context, const v1::CreateJoinTokenRequest* request,
                               v1::CreateJoinTokenResponse* response) override {
    return Serve(deps_, *context, Cat(kService, "CreateJoinToken"), *request,
                 [&](Call& call) { return CreateToken(call, *request, *response); });
  }
  grpc::Status ListJoinTokens(grpc::ServerContext* context, const v1::ListJoinTokensRequest* request,
                              v1::ListJoinTokensResponse* response) override {
    return Serve(deps_, *context, Cat(kService, "ListJoinTokens"), *request,
                 [&](Call&) { return ListTokens(*response); });
  }
  grpc::Status RevokeJoinToken(grpc::ServerContext* context, const v1::RevokeJoinTokenRequest* request,
                               v1::RevokeJoinTokenResponse*) override {
    return Serve(deps_, *context, Cat(kService, "RevokeJoinToken"), *request, [&](Call& call) {
      const absl::Status gone = deps_.store.identities().DeleteJoinToken(request->id(), call.Audit());
      if (absl::IsNotFound(gone)) return NotFound("join token", request->id(), "see `sluice node token list`");
      call.audited = gone.ok();
      return FromStore(gone);
    });
  }
  grpc::Status RevokeNode(grpc::ServerContext* context, const v1::RevokeNodeRequest* request,
                          v1::RevokeNodeResponse*) override {
    return Serve(deps_, *context, Cat(kService, "RevokeNode"), *request, [&](Call& call) {
      const absl::Status revoked = deps_.store.identities().RevokeNode(request->name(), call.Audit());
      if (absl::IsNotFound(revoked)) return NotFound("node that joined", request->name(), "see `sluice nodes`");
      call.audited = revoked.ok();
      if (revoked.ok()) deps_.trust.Refresh().IgnoreError();  // else within a second, as on the other replicas
      return FromStore(revoked);
    });
  }

 private:
  // Where a node with the token would belong.
  absl::StatusOr<store::Scope> ScopeOf(Call& call, const v1::CreateJoinTokenRequest& request) {
    if (request.gateway().empty()) {
      const std::string cell = request.cell().empty() ? store::kDefaultCell : request.cell();
      if (!deps_.cells.Has(cell)) return NotFound("cell", cell, "`sluice cell list` shows those there are");
      return store::Scope::OfCell(cell);
    }
    if (!request.cell().empty()) return InvalidField("cell", "a node is of a cell or of a gateway, not of both");
    const absl::StatusOr<store::GatewayRecord> gateway = FindGateway(deps_, call, request.gateway());
    if (!gateway.ok()) return gateway.status();
    if (gateway->kind == config::v1::SELF_MANAGED) return store::Scope::OfGateway(gateway->id);
    return WithReason(absl::StatusCode::kFailedPrecondition,
                      Cat("gateway '", gateway->name,
                          "' is serverless: the platform's nodes serve it, and no other may join it. Nodes of your own "
                          "serve a gateway of the kind SELF_MANAGED"),
                      "SERVERLESS_GATEWAY");
  }

  absl::Status CreateToken(Call& call, const v1::CreateJoinTokenRequest& request,
                           v1::CreateJoinTokenResponse& response) {
    const Duration ttl =
        request.ttl_seconds() == 0 ? fleet::kJoinTokenTtl : Duration(std::chrono::seconds(request.ttl_seconds()));
    if (ttl > fleet::kMaxJoinTokenTtl) return InvalidField("ttl_seconds", "at most 86400, a day", "TOO_LARGE");
    const absl::StatusOr<store::Scope> scope = ScopeOf(call, request);
    if (!scope.ok()) return scope.status();
    const std::string text = fleet::NewJoinToken(deps_.trust.oldest()->id());
    store::JoinTokenRecord record;
    record.id = RandomHex(12);
    record.scope = *scope;
    record.author = call.caller.name;
    record.created = deps_.clock.WallNow();
    record.expires = record.created + std::chrono::duration_cast<WallTime::duration>(ttl);
    const absl::Status put = deps_.store.identities().PutJoinToken(record, *fleet::HashJoinToken(text), call.Audit());
    call.audited = put.ok();
    if (absl::IsResourceExhausted(put)) {
      return WithReason(put.code(), std::string(put.message()), "JOIN_TOKENS");
    }
    if (!put.ok()) return FromStore(put);
    response.set_token(text);
    response.set_id(record.id);
    *response.mutable_expire_time() = ToTimestamp(record.expires);
    return absl::OkStatus();
  }

  absl::Status ListTokens(v1::ListJoinTokensResponse& response) {
    const absl::StatusOr<std::vector<store::JoinTokenRecord>> tokens = deps_.store.identities().JoinTokens();
    if (!tokens.ok()) return FromStore(tokens.status());
    for (const store::JoinTokenRecord& token : *tokens) {
      v1::JoinToken& out = *response.add_tokens();
      out.set_id(token.id);
      out.set_scope(token.scope.text());
      out.set_author(token.author);
      *out.mutable_create_time() = ToTimestamp(token.created);
      *out.mutable_expire_time() = ToTimestamp(token.expires);
      out.set_node(token.node);
    }
    return absl::OkStatus();
  }

  absl::Status Remove(Call& call, const std::string& name) {
    const std::vector<sync::NodeStatus> connected = deps_.registry.Nodes();
    if (std::any_of(connected.begin(), connected.end(), [&](const auto& status) { return status.name == name; })) {
      return absl::FailedPreconditionError(
          Cat("node \"", name, "\" is connected: stop it, and it is taken off by itself"));
    }
    const absl::Status removed = deps_.store.RemoveNode(name, call.Audit());
    if (absl::IsNotFound(removed)) {
      return absl::NotFoundError(Cat("there is no node \"", name, "\": see `sluice nodes`"));
    }
    call.audited = removed.ok();
    if (removed.ok()) deps_.trust.Refresh().IgnoreError();
    return FromStore(removed);
  }

  // Connected nodes are shown while the database is away, too.
  void List(v1::ListNodesResponse& response) {
    const std::vector<sync::NodeStatus> connected = deps_.registry.Nodes();
    for (const sync::NodeStatus& status : connected) Fill(status, *response.add_nodes());
    const absl::StatusOr<std::vector<store::NodeRecord>> known = deps_.store.ListNodes();
    const auto is_listed = [&](const std::string& name) {
      return std::any_of(response.nodes().begin(), response.nodes().end(),
                         [&](const v1::Node& node) { return node.name() == name; });
    };
    for (size_t i = 0; known.ok() && i < known->size(); ++i) {
      const store::NodeRecord& record = (*known)[i];
      if (is_listed(record.name)) continue;
      v1::Node& out = *response.add_nodes();
      out.set_name(record.name);
      out.set_build(record.build);
      out.set_address(record.address);
      *out.mutable_last_seen_time() = ToTimestamp(record.last_seen);
    }
    AddIdentities(response);
    const auto by_name = [](const v1::Node& a, const v1::Node& b) { return a.name() < b.name(); };
    std::sort(response.mutable_nodes()->begin(), response.mutable_nodes()->end(), by_name);
    response.set_head_revision(deps_.index.head());
  }

  // What each may read, and until when.
  void AddIdentities(v1::ListNodesResponse& response) {
    const absl::StatusOr<std::vector<store::IdentityRecord>> identities = deps_.store.identities().ListIdentities();
    for (size_t i = 0; identities.ok() && i < identities->size(); ++i) {
      const store::IdentityRecord& identity = (*identities)[i];
      for (v1::Node& node : *response.mutable_nodes()) {
        if (node.name() != identity.name) continue;
        node.set_scope(identity.scope.text());
        *node.mutable_certificate_expire_time() = ToTimestamp(identity.expires);
      }
    }
  }

  const AdminDeps deps_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeNodesService(const AdminDeps& deps) { return std::make_unique<Nodes>(deps); }

}  // namespace sluice::admin
