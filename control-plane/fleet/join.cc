#include "control-plane/fleet/join.h"

#include <grpcpp/server_context.h>

#include <atomic>

#include "absl/strings/str_cat.h"
#include "common/observe/log.h"
#include "common/rpc/peer.h"
#include "common/x509/request.h"
#include "control-plane/fleet/join_token.h"
#include "sluice/join/v1/join.grpc.pb.h"

namespace sluice::fleet {
namespace {

namespace v1 = join::v1;

grpc::Status ToGrpc(const absl::Status& status) {
  return {static_cast<grpc::StatusCode>(status.code()), std::string(status.message())};
}

class JoinService final : public v1::Join::Service {
 public:
  explicit JoinService(const JoinDeps& deps) : deps_(deps) {}

  grpc::Status Join(grpc::ServerContext* context, const v1::JoinRequest* request, v1::Membership* response) override {
    return Serve([&] {
      const absl::Status joined = Join(*request, context->peer(), *response);
      if (joined.ok()) {
        log::Info("node joined", {{"node", request->node()}});
      } else {
        log::Warning("a node could not join", {{"peer", context->peer()}, {"reason", std::string(joined.message())}});
      }
      return joined;
    });
  }
  grpc::Status Renew(grpc::ServerContext* context, const v1::RenewRequest*, v1::Membership* response) override {
    return Serve([&] { return Renew(rpc::PeerCertificate(*context), *response); });
  }

 private:
  template <typename Handle>
  grpc::Status Serve(const Handle& handle) {
    const bool too_many = joining_.fetch_add(1) >= kMaxJoining;
    const absl::Status done =
        too_many ? absl::ResourceExhaustedError("too many nodes join at once; try again") : handle();
    joining_.fetch_sub(1);
    return ToGrpc(done);
  }

  absl::Status Join(const v1::JoinRequest& request, const std::string& address, v1::Membership& response) {
    if (!IsNodeName(request.node())) return absl::InvalidArgumentError("the node's name is not a name");
    auto key = x509::KeyOfRequest(request.request());
    if (!key.ok()) return key.status();
    const std::optional<std::string> hash = HashJoinToken(request.token());
    if (!hash) return absl::PermissionDeniedError("that is not a join token");
    const auto signer = deps_.trust.newest();
    store::IdentityRecord identity = Record(request.node(), *key, *signer);
    const store::AuditRecord audit{
        absl::StrCat("node ", request.node()), "Join", "", "", address, "{}", "OK"};
    auto scope = deps_.identities.Redeem(*hash, identity, audit);
    if (!scope.ok()) return scope.status();
    identity.scope = *scope;
    return Issue(*signer, identity, *key, response);
  }

  absl::Status Renew(const std::string& certificate, v1::Membership& response) {
    auto peer = deps_.trust.Identify(certificate);
    if (!peer.ok()) return peer.status();
    auto read = x509::CertificateFromPem(certificate);
    if (!read.ok()) return read.status();
    const x509::Key key = x509::PublicKey(*read);
    const auto signer = deps_.trust.newest();
    store::IdentityRecord identity = Record(peer->name, key, *signer);
    identity.scope = peer->scope;
    absl::Status kept = deps_.identities.Renew(identity);
    return kept.ok() ? Issue(*signer, identity, key, response) : kept;
  }

  store::IdentityRecord Record(const std::string& name, const x509::Key& key, const Authority& signer) const {
    store::IdentityRecord identity;
    identity.name = name;
    identity.key = x509::KeyHash(key);
    identity.authority = signer.id();
    identity.expires = deps_.clock.WallNow() + deps_.node_life;
    return identity;
  }

  absl::Status Issue(const Authority& signer, const store::IdentityRecord& identity, const x509::Key& key,
                     v1::Membership& response) {
    auto issued = signer.IssueNode(identity.name, identity.scope, key, identity.expires);
    if (!issued.ok()) return issued.status();
    response.set_certificate(*issued);
    for (const std::string& authority : deps_.trust.certificates()) response.add_authorities(authority);
    return absl::OkStatus();
  }

  const JoinDeps deps_;
  std::atomic<int> joining_{0};
};

}  // namespace

std::unique_ptr<grpc::Service> MakeJoinService(const JoinDeps& deps) { return std::make_unique<JoinService>(deps); }

}  // namespace sluice::fleet
