// The service over real gRPC, as a node meets it.

#include "control-plane/fleet/join.h"

#include <grpcpp/client_context.h>
#include <grpcpp/server_builder.h>

#include "catch2/catch.hpp"
#include "common/rpc/server.h"
#include "common/x509/request.h"
#include "control-plane/fleet/join_token.h"
#include "control-plane/fleet/server_files.h"
#include "sluice/join/v1/join.grpc.pb.h"
#include "tests/support/fake_store.h"
#include "tests/support/process.h"

namespace sluice::fleet {
namespace {

const SystemClock kClock;

class Port {
 public:
  Port() {
    REQUIRE(trust_.Open(folder_ / "pki").ok());
    REQUIRE(files_.Update(trust_).ok());
    server_ = *rpc::Server::Start(
        "127.0.0.1:0", *rpc::NodePortCredentials({files_.certificate(), files_.key(), files_.authorities()}),
        [&](grpc::ServerBuilder& builder) { builder.RegisterService(service_.get()); });
  }
  std::string NewToken(const std::string& scope = "cell/default") {
    const std::string text = NewJoinToken(trust_.oldest()->id());
    store::JoinTokenRecord record;
    record.scope = *store::Scope::Parse(scope);
    REQUIRE(store_.identities().PutJoinToken(record, *HashJoinToken(text), {"", "", "", "", "", "", ""}).ok());
    return text;
  }
  grpc::Status Join(const std::string& token, const std::string& node, const x509::Key& key,
                    join::v1::Membership& answer, const std::string& pin = "", const std::string& name = "127.0.0.1") {
    const auto credentials = rpc::PinnedCredentials(pin.empty() ? trust_.oldest()->id() : pin, name);
    join::v1::JoinRequest request;
    request.set_token(token);
    request.set_node(node);
    request.set_request(x509::MakeRequest(key));
    grpc::ClientContext context;
    return join::v1::Join::NewStub(Channel(credentials))->Join(&context, request, &answer);
  }
  grpc::StatusCode Join(const std::string& token, const std::string& node, const x509::Key& key) {
    join::v1::Membership answer;
    return Join(token, node, key, answer).error_code();
  }
  grpc::Status Renew(const x509::Key& key, const std::string& certificate, join::v1::Membership& answer) {
    rpc::TlsFiles files{folder_ / "node.pem", folder_ / "node.pem", files_.authorities()};
    test::WriteFile(files.key, x509::ToPem(key) + certificate);
    if (certificate.empty()) files.certificate = files.key = "";
    grpc::ClientContext context;
    return join::v1::Join::NewStub(Channel(*rpc::ClientCredentials(files)))->Renew(&context, {}, &answer);
  }
  Trust& trust() { return trust_; }
  test::FakeStore& store() { return store_; }

 private:
  std::shared_ptr<grpc::Channel> Channel(std::shared_ptr<grpc::ChannelCredentials> credentials) const {
    return rpc::MakeChannel("127.0.0.1:" + std::to_string(server_->port()), std::move(credentials));
  }
  test::TempDir folder_;
  test::FakeStore store_;
  Trust trust_{store_.identities(), kClock};
  ServerFiles files_{folder_.path(), "127.0.0.1:0", {"127.0.0.1"}, kClock};
  std::unique_ptr<grpc::Service> service_ = MakeJoinService({store_.identities(), trust_, kClock});
  std::unique_ptr<rpc::Server> server_;
};

TEST_CASE("a token becomes a certificate of the node's name, of its key, in the token's scope") {
  Port port;
  const x509::Key key = x509::MakeKey();
  join::v1::Membership answer;
  REQUIRE(port.Join(port.NewToken("gateway/g1"), "node-1", key, answer).ok());
  const auto peer = port.trust().Identify(answer.certificate());
  REQUIRE(peer.ok());
  CHECK(peer->name == "node-1");
  CHECK(peer->scope == store::Scope::OfGateway("g1"));
  CHECK(peer->key == x509::KeyHash(key));
  CHECK(answer.authorities_size() == 1);
}

TEST_CASE("a token is good once, and again for the same key, whose answer may have been lost") {
  Port port;
  const std::string token = port.NewToken();
  const x509::Key key = x509::MakeKey();
  CHECK(port.Join(token, "node-1", key) == grpc::StatusCode::OK);
  CHECK(port.Join(token, "node-1", key) == grpc::StatusCode::OK);
  CHECK(port.Join(token, "node-2", x509::MakeKey()) == grpc::StatusCode::PERMISSION_DENIED);
}

TEST_CASE("the name of a node that lives is no other's") {
  Port port;
  CHECK(port.Join(port.NewToken(), "node-1", x509::MakeKey()) == grpc::StatusCode::OK);
  CHECK(port.Join(port.NewToken(), "node-1", x509::MakeKey()) == grpc::StatusCode::ALREADY_EXISTS);
}

TEST_CASE("what is no token, no name and no request for a certificate is refused") {
  Port port;
  const x509::Key key = x509::MakeKey();
  CHECK(port.Join("slj_short", "node-1", key) == grpc::StatusCode::PERMISSION_DENIED);
  CHECK(port.Join(NewJoinToken(port.trust().oldest()->id()), "node-1", key) == grpc::StatusCode::PERMISSION_DENIED);
  CHECK(port.Join(port.NewToken(), "a/b", key) == grpc::StatusCode::INVALID_ARGUMENT);
  CHECK(port.Join(port.NewToken(), "node-1", *x509::KeyFromPem(test::Run({"openssl", "genrsa", "2048"}).out)) ==
        grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_CASE("a node that expects another authority, or another server, sends its token to nobody") {
  Port port;
  const std::string token = port.NewToken();
  const std::string other = Authority::Make(kClock).id();
  join::v1::Membership answer;
  CHECK(port.Join(token, "node-1", x509::MakeKey(), answer, other).error_code() == grpc::StatusCode::UNAVAILABLE);
  CHECK(port.Join(token, "node-1", x509::MakeKey(), answer, "", "elsewhere.test").error_code() ==
        grpc::StatusCode::UNAVAILABLE);
  CHECK(port.store().identities().JoinTokens()->at(0).node.empty());
}

TEST_CASE("a certificate is renewed over itself, and over none or a revoked one it is not") {
  Port port;
  const x509::Key key = x509::MakeKey();
  join::v1::Membership joined, renewed;
  REQUIRE(port.Join(port.NewToken(), "node-1", key, joined).ok());
  REQUIRE(port.Renew(key, joined.certificate(), renewed).ok());
  CHECK(port.trust().Identify(renewed.certificate())->key == x509::KeyHash(key));
  CHECK(port.Renew(key, "", renewed).error_code() == grpc::StatusCode::UNAUTHENTICATED);
  REQUIRE(port.store().identities().RevokeNode("node-1", {"", "", "", "", "", "", ""}).ok());
  CHECK(port.Renew(key, joined.certificate(), renewed).error_code() == grpc::StatusCode::PERMISSION_DENIED);
  REQUIRE(port.trust().Refresh().ok());
  CHECK(port.Renew(key, joined.certificate(), renewed).error_message() ==
        "the certificate of node \"node-1\" was revoked");
}

TEST_CASE("a renewed certificate is of the newest authority") {
  Port port;
  const x509::Key key = x509::MakeKey();
  join::v1::Membership joined, renewed;
  REQUIRE(port.Join(port.NewToken(), "node-1", key, joined).ok());
  REQUIRE(port.trust().Rotate({"", "", "", "", "", "", ""}).ok());
  REQUIRE(port.Renew(key, joined.certificate(), renewed).ok());
  CHECK(port.trust().Identify(renewed.certificate())->authority == port.trust().newest()->id());
  CHECK(renewed.authorities_size() == 2);
}

}  // namespace
}  // namespace sluice::fleet
