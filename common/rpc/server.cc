#include "common/rpc/server.h"

#include <grpcpp/resource_quota.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <chrono>

#include "absl/strings/str_cat.h"
#include "common/rpc/listener.h"

namespace sluice::rpc {
namespace {

using Acceptor = grpc::experimental::ExternalConnectionAcceptor;

class AcceptingServer final : public Server {
 public:
  AcceptingServer(std::unique_ptr<Acceptor> acceptor, std::unique_ptr<grpc::Server> server,
                  std::unique_ptr<Listener> listener)
      : acceptor_(std::move(acceptor)), server_(std::move(server)), listener_(std::move(listener)) {
    listener_->Start([this](int listening, int connection) {
      Acceptor::NewConnectionParameters parameters;
      parameters.listener_fd = listening;
      parameters.fd = connection;
      acceptor_->HandleNewConnection(&parameters);
    });
  }

  ~AcceptingServer() override {
    listener_.reset();
    server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(kShutdownSeconds));
    server_->Wait();
  }

  uint16_t port() const override { return listener_->port(); }
  uint64_t refused_connections() const override { return listener_->refused(); }

 private:
  std::unique_ptr<Acceptor> acceptor_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<Listener> listener_;
};

void SetLimits(grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);  // 0: as many as keepalive wants
  // A client that pings as often as our own channels do is not an attacker.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kKeepaliveMs / 2);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreamsPerConnection);
  grpc::ResourceQuota quota("sluice");
  quota.SetMaxThreads(kMaxThreads);
  builder.SetResourceQuota(quota);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const std::string& address,
                                                      std::shared_ptr<grpc::ServerCredentials> credentials,
                                                      std::function<void(grpc::ServerBuilder&)> configure,
                                                      int max_connections) {
  auto listener = Listener::Open(address, max_connections);
  if (!listener.ok()) return listener.status();
  grpc::ServerBuilder builder;
  SetLimits(builder);
  using Type = grpc::ServerBuilder::experimental_type::ExternalConnectionType;
  auto acceptor = builder.experimental().AddExternalConnectionAcceptor(Type::FROM_FD, std::move(credentials));
  configure(builder);
  auto server = builder.BuildAndStart();
  if (server == nullptr) return absl::InternalError(absl::StrCat("cannot start the gRPC server of ", address));
  return std::make_unique<AcceptingServer>(std::move(acceptor), std::move(server), *std::move(listener));
}

}  // namespace sluice::rpc
