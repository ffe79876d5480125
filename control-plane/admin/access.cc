// The Access service: new tokens.

#include "common/base/random.h"
#include "control-plane/admin/errors.h"
#include "control-plane/admin/names.h"
#include "control-plane/admin/serve.h"
#include "control-plane/admin/service_list.h"
#include "sluice/admin/v1/admin.grpc.pb.h"

namespace sluice::admin {

namespace {

class AccessService final : public v1::Access::Service {
 public:
  explicit AccessService(const AdminDeps& deps) : deps_(deps) {}

  grpc::Status CreateToken(grpc::ServerContext* context, const v1::CreateTokenRequest* request,
                           v1::CreateTokenResponse* response) override {
    return Serve(deps_, *context, "/sluice.admin.v1.Access/CreateToken", *request, [&](Call&) -> absl::Status {
      if (absl::Status name = CheckName("name", request->name()); !name.ok()) return name;
      const absl::StatusOr<access::Role> role = access::ParseRole(request->role());
      if (!role.ok()) return InvalidField("role", std::string(role.status().message()), "ROLE");
      const std::string token = access::NewToken();
      const store::TokenRecord record{RandomUuid(), request->name(), request->role()};
      if (absl::Status put = deps_.store.PutToken(record, access::HashToken(token)); !put.ok()) return FromStore(put);
      response->set_token(token);
      return absl::OkStatus();
    });
  }

 private:
  const AdminDeps deps_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeAccessService(const AdminDeps& deps) {
  return std::make_unique<AccessService>(deps);
}

}  // namespace sluice::admin
