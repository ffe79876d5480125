// The Authorities service: which there are, the next one, and the end of the old one.

#include "control-plane/admin/errors.h"
#include "control-plane/admin/serve.h"
#include "control-plane/admin/service_list.h"
#include "control-plane/admin/view.h"
#include "sluice/admin/v1/nodes.grpc.pb.h"

namespace sluice::admin {

namespace {

// What the caller can do something about is said as it is.
absl::Status FromFleet(const absl::Status& status) {
  if (absl::IsFailedPrecondition(status)) {
    return WithReason(status.code(), std::string(status.message()), "AUTHORITY_IN_USE");
  }
  if (absl::IsAborted(status)) return WithReason(status.code(), std::string(status.message()), "CONFLICT");
  return FromStore(status);
}

class Authorities final : public v1::Authorities::Service {
 public:
  explicit Authorities(const AdminDeps& deps) : deps_(deps) {}

  grpc::Status ListAuthorities(grpc::ServerContext* context, const v1::ListAuthoritiesRequest* request,
                               v1::ListAuthoritiesResponse* response) override {
    return Serve(deps_, *context, "/sluice.admin.v1.Authorities/ListAuthorities", *request,
                 [&](Call&) { return List(*response); });
  }
  grpc::Status RotateAuthority(grpc::ServerContext* context, const v1::RotateAuthorityRequest* request,
                               v1::RotateAuthorityResponse* response) override {
    return Serve(deps_, *context, "/sluice.admin.v1.Authorities/RotateAuthority", *request, [&](Call& call) {
      const absl::StatusOr<std::string> made = deps_.trust.Rotate(call.Audit());
      call.audited = made.ok();
      if (made.ok()) response->set_id(*made);
      return FromFleet(made.status());
    });
  }
  grpc::Status RetireAuthority(grpc::ServerContext* context, const v1::RetireAuthorityRequest* request,
                               v1::RetireAuthorityResponse* response) override {
    return Serve(deps_, *context, "/sluice.admin.v1.Authorities/RetireAuthority", *request, [&](Call& call) {
      const absl::StatusOr<std::string> retired = deps_.trust.Retire(request->force(), call.Audit());
      call.audited = retired.ok();
      if (retired.ok()) response->set_id(*retired);
      return FromFleet(retired.status());
    });
  }

 private:
  absl::Status List(v1::ListAuthoritiesResponse& response) {
    const absl::StatusOr<store::FleetRecord> fleet = deps_.store.identities().Fleet();
    if (!fleet.ok()) return FromStore(fleet.status());
    for (const store::AuthorityRecord& authority : fleet->authorities) {
      v1::Authority& out = *response.add_authorities();
      out.set_id(authority.id);
      *out.mutable_create_time() = ToTimestamp(authority.created);
      out.set_signs_nodes(&authority == &fleet->authorities.back());
      out.set_nodes(static_cast<uint32_t>(authority.nodes));
    }
    return absl::OkStatus();
  }

  const AdminDeps deps_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeAuthoritiesService(const AdminDeps& deps) {
  return std::make_unique<Authorities>(deps);
}

}  // namespace sluice::admin
