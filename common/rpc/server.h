#pragma once

// gRPC servers that survive running out of descriptors. Debian's gRPC 1.51 stops accepting for good when accept fails
// once (CVE-2023-4785), so every gRPC port is accepted by our own loop, with a connection cap and a reserve descriptor,
// and handed over by AddExternalConnectionAcceptor.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace grpc {
class Server;
class ServerBuilder;
class ServerCredentials;
class Channel;
class ChannelCredentials;
}  // namespace grpc

namespace sluice::rpc {

inline constexpr int kMaxConnections = 4096;                 // a port; further ones are closed at once
inline constexpr int kMaxMessageBytes = 4 * 1024 * 1024;     // received; RESOURCE_EXHAUSTED past it
inline constexpr int kMaxSyncMessageBytes = 8 * 1024 * 1024; // towards nodes: one compiled config is at most 4 MiB
inline constexpr int kKeepaliveMs = 5000;                    // HTTP/2 PING; a dead peer is noticed within 10 s
inline constexpr int kKeepaliveTimeoutMs = 5000;
inline constexpr int kHandshakeTimeoutMs = 10'000;           // TLS and the first HTTP/2 frame
inline constexpr int kMaxStreamsPerConnection = 100;
inline constexpr int kMaxThreads = 256;                      // a port, for blocking services
inline constexpr int kFirstBackoffMs = 200;                  // between attempts to connect, doubling, with jitter
inline constexpr int kMaxBackoffMs = 30'000;
inline constexpr int kConnectTimeoutMs = 5000;

struct TlsFiles {
  std::string certificate;  // paths of PEM files
  std::string key;
  std::string authority;    // of the peers that are trusted
};
// Clear text where `files` is empty.
absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> ServerCredentials(const TlsFiles& files);
// Of a port whose clients may show a certificate, which must then be of the authority: services say whether they need
// one. Files that change hold for new connections within kReloadSeconds; a certificate is replaced while its key stays.
inline constexpr unsigned int kReloadSeconds = 1;
absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> NodePortCredentials(const TlsFiles& files);
absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> ClientCredentials(const TlsFiles& files);
// For who knows nothing of the server but its name and the fingerprint (common/x509) of its authority.
std::shared_ptr<grpc::ChannelCredentials> PinnedCredentials(const std::string& pin, const std::string& server_name);

// One listening port and its accept thread. Destroying it stops both, waiting at most kShutdownSeconds for calls to
// end.
inline constexpr int kShutdownSeconds = 5;
class Server {
 public:
  // `address` is "host:port" (port 0: a free one). `configure` registers services on the builder. Errors name the
  // address.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const std::string& address,
                                                       std::shared_ptr<grpc::ServerCredentials> credentials,
                                                       std::function<void(grpc::ServerBuilder&)> configure,
                                                       int max_connections = kMaxConnections);
  virtual ~Server() = default;
  virtual uint16_t port() const = 0;
  virtual uint64_t refused_connections() const = 0;
};

// A channel with keepalive, message caps and a reconnect backoff of 0.2 s to 30 s with jitter.
std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address,
                                           std::shared_ptr<grpc::ChannelCredentials> credentials,
                                           const std::string& server_name = "");

}  // namespace sluice::rpc
