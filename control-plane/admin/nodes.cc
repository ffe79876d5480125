// The Nodes service: who is connected to this replica, and who was known before.

#include <algorithm>

#include "common/schema/text.h"
#include "control-plane/admin/errors.h"
#include "control-plane/admin/serve.h"
#include "control-plane/admin/service_list.h"
#include "control-plane/admin/view.h"
#include "sluice/admin/v1/admin.grpc.pb.h"

namespace sluice::admin {

namespace {

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
    return Serve(deps_, *context, "/sluice.admin.v1.Nodes/ListNodes", *request, [&](Call&) {
      List(*response);
      return absl::OkStatus();
    });
  }

  grpc::Status RemoveNode(grpc::ServerContext* context, const v1::RemoveNodeRequest* request,
                          v1::RemoveNodeResponse*) override {
    return Serve(deps_, *context, "/sluice.admin.v1.Nodes/RemoveNode", *request,
                 [&](Call& call) { return Remove(call, request->name()); });
  }

 private:
  absl::Status Remove(Call& call, const std::string& name) {
    const std::vector<sync::NodeStatus> connected = deps_.registry.Nodes();
    if (std::any_of(connected.begin(), connected.end(), [&](const auto& status) { return status.name == name; })) {
      return absl::FailedPreconditionError(
          schema::Cat("node \"", name, "\" is connected: stop it, and it is taken off by itself"));
    }
    const absl::Status removed = deps_.store.RemoveNode(name, call.Audit());
    if (absl::IsNotFound(removed)) {
      return absl::NotFoundError(schema::Cat("there is no node \"", name, "\": see `sluice nodes`"));
    }
    call.audited = removed.ok();
    return FromStore(removed);
  }

  // Connected nodes are shown while the database is away, too.
  void List(v1::ListNodesResponse& response) {
    const std::vector<sync::NodeStatus> connected = deps_.registry.Nodes();
    for (const sync::NodeStatus& status : connected) Fill(status, *response.add_nodes());
    const absl::StatusOr<std::vector<store::NodeRecord>> known = deps_.store.ListNodes();
    const auto is_connected = [&](const store::NodeRecord& record) {
      return std::any_of(connected.begin(), connected.end(),
                         [&](const auto& status) { return status.name == record.name; });
    };
    for (size_t i = 0; known.ok() && i < known->size(); ++i) {
      const store::NodeRecord& record = (*known)[i];
      if (is_connected(record)) continue;
      v1::Node& out = *response.add_nodes();
      out.set_name(record.name);
      out.set_build(record.build);
      out.set_address(record.address);
      *out.mutable_last_seen_time() = ToTimestamp(record.last_seen);
    }
    const auto by_name = [](const v1::Node& a, const v1::Node& b) { return a.name() < b.name(); };
    std::sort(response.mutable_nodes()->begin(), response.mutable_nodes()->end(), by_name);
    response.set_head_revision(deps_.index.head());
  }

  const AdminDeps deps_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeNodesService(const AdminDeps& deps) { return std::make_unique<Nodes>(deps); }

}  // namespace sluice::admin
