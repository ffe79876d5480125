#pragma once

// A gateway as a node serves it: one immutable value compiled from its GatewayConfig, shared by all workers. Everything
// inside refers to other parts of it by pointer and lives as long as it. Compiled on the sync thread, never on a
// worker.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "common/config/config.h"
#include "common/egress/policy.h"
#include "data-plane/balance/upstream.h"
#include "data-plane/io/tls.h"
#include "data-plane/plugin/plugin.h"
#include "data-plane/route/state.h"
#include "sluice/config/v1/gateway.pb.h"

namespace sluice {

class Router;
struct SharedParts;
namespace http {
class Fields;
}

// Which requests a route or a plugin is for. gRPC is what comes by HTTP/2 with gRPC's content type.
struct Protocols {
  bool http = true;
  bool https = true;
  bool grpc = false;
  bool grpcs = false;
  bool IsGrpc() const { return grpc || grpcs; }
  bool For(bool tls, bool is_grpc) const { return is_grpc ? (tls ? grpcs : grpc) : (tls ? https : http); }
};

struct Service {
  std::string id;
  std::string name;
  bool tls = false;
  bool grpc = false;  // speaks HTTP/2 and nothing else; with TLS, others choose by ALPN
  std::string host;
  uint16_t port = 80;
  std::string path;  // "" or begins with /
  int retries = 5;
  std::shared_ptr<const io::TlsRules> tls_rules;  // null: the default ones
  Duration connect_timeout{};
  Duration write_timeout{};
  Duration read_timeout{};
  const Upstream* upstream = nullptr;  // where `host` names one
};

struct Consumer {
  std::string id;
  std::string username;
  std::string custom_id;
};

struct KeyCredential {
  std::string id;
  const Consumer* consumer;
  int64_t expires_at = 0;  // Unix seconds; 0: never
};

// One plugin name at its place in a chain: the instances that could run, most specific first. At its turn the first one
// whose consumer is nobody's or the request's runs.
struct ChainStep {
  struct Candidate {
    const Plugin* plugin;
    const Consumer* consumer;  // null: any
    Protocols protocols;       // that the instance is for
  };
  std::string_view name;
  unsigned moments = 0;  // of any candidate
  std::vector<Candidate> candidates;
};
// In the order of priority, highest first.
using Chain = std::vector<ChainStep>;

struct Route {
  std::string id;
  std::string name;
  const Service* service = nullptr;  // null: only a plugin can answer
  Protocols protocols;               // of one kind: http(s) or grpc(s)
  int https_redirect_status = 426;
  bool strip_path = true;
  bool preserve_host = false;
  bool path_handling_v1 = false;
  std::shared_ptr<const Chain> shared_chain;  // with the other routes of its service that have no plugin of their own
  const Chain& chain() const { return *shared_chain; }
};

// A match and what the path told.
struct Match {
  const Route* route = nullptr;
  size_t matched_bytes = 0;  // of the normalised path: the prefix, or what the regex matched
  std::vector<std::pair<std::string, std::string>> captures;  // named ("id"), and numbered ("1")
};

struct RouteQuery {
  std::string_view method;
  std::string_view host;  // canonical, without port
  int port = 0;           // that the client named, or the default of the scheme
  std::string_view path;  // normalised
  bool https = false;
  bool grpc = false;      // asks the routes for gRPC, and no others
  std::string_view sni;   // canonical; "" where absent
  const http::Fields* fields = nullptr;
};

// What a node knows of every gateway, also of one whose configuration it does not hold: enough to tell whose a host is.
class GatewayHead {
 public:
  GatewayHead(std::string id, std::vector<std::string> hosts)
      : GatewayHead(std::move(id), std::move(hosts), /*loaded=*/false) {}
  const std::string& id() const { return id_; }
  const std::vector<std::string>& hosts() const { return hosts_; }
  bool loaded() const { return loaded_; }  // it is a Gateway

 protected:
  GatewayHead(std::string id, std::vector<std::string> hosts, bool loaded)
      : id_(std::move(id)), hosts_(std::move(hosts)), loaded_(loaded) {}
  std::string id_;
  std::vector<std::string> hosts_;

 private:
  const bool loaded_;
};

class Gateway final : public GatewayHead {
 public:
  // INVALID_ARGUMENT with field paths where the configuration is not valid (common/config is asked first, and the
  // serverless restrictions hold here too). The reason of the first violation is the payload "sluice/reason".
  // `state` is carried over from the version before, or new. `parts` are of these rules, and of the gateways compiled
  // before; null: it shares nothing.
  static absl::StatusOr<std::shared_ptr<const Gateway>> Compile(const config::v1::GatewayConfig& config,
                                                                std::span<const PluginType> plugins,
                                                                const config::FleetRules& rules,
                                                                std::shared_ptr<GatewayState> state,
                                                                SharedParts* parts = nullptr);
  // The same for what was valid when a node first served it: rules that have become stricter since are not asked, so
  // that they never take a gateway away. Egress is as `rules` say all the same.
  static absl::StatusOr<std::shared_ptr<const Gateway>> Recompile(const config::v1::GatewayConfig& config,
                                                                  std::span<const PluginType> plugins,
                                                                  const config::FleetRules& rules,
                                                                  std::shared_ptr<GatewayState> state,
                                                                SharedParts* parts = nullptr);
  ~Gateway();

  const std::string& name() const { return name_; }
  int64_t version() const { return version_; }
  const config::v1::Plan& plan() const { return *plan_; }
  const egress::Policy& egress() const { return *egress_; }
  GatewayState& state() const { return *state_; }
  const std::shared_ptr<GatewayState>& shared_state() const { return state_; }
  const std::vector<std::unique_ptr<Upstream>>& upstreams() const { return upstreams_; }

  Match FindRoute(const RouteQuery& query) const;
  // Global instances: what runs for a request that no route matched (its OnResponse and OnDone only).
  const Chain& global_chain() const { return global_chain_; }
  const Consumer* FindConsumer(std::string_view id_or_username) const;
  // By the credential itself; the table is keyed by its SHA-256, so that comparing tells nothing of the key.
  const KeyCredential* FindKey(std::string_view key) const;
  const io::CertificateTable& certificates() const { return certificates_; }

 private:
  friend class GatewayCompiler;
  Gateway();
  std::string name_;
  int64_t version_ = 0;
  std::shared_ptr<const config::v1::Plan> plan_;
  std::shared_ptr<const egress::Policy> egress_;
  std::shared_ptr<GatewayState> state_;
  std::vector<std::unique_ptr<Upstream>> upstreams_;
  std::vector<std::unique_ptr<Service>> services_;
  std::vector<std::unique_ptr<Route>> routes_;
  std::vector<std::unique_ptr<Consumer>> consumers_;
  std::vector<std::shared_ptr<const Plugin>> plugins_;
  absl::flat_hash_map<std::string, const Consumer*> consumers_by_name_;  // ids and usernames
  absl::flat_hash_map<std::string, KeyCredential> keys_;                 // by SHA-256
  io::CertificateTable certificates_;
  Chain global_chain_;
  std::unique_ptr<Router> router_;
};

// The gateway that `head` is; null where it is none, or `head` is null.
inline std::shared_ptr<const Gateway> AsGateway(std::shared_ptr<const GatewayHead> head) {
  return head != nullptr && head->loaded() ? std::static_pointer_cast<const Gateway>(std::move(head)) : nullptr;
}

// The gateways of one worker, by canonical host; who owns a host shows its certificate for it in TLS, too. Owned and
// read by that worker's thread; changed by what the sync thread posts to it.
class HostTable final : public io::CertificateSource {
 public:
  // Each hands out the gateway with that id that was served before; null where none was.
  std::shared_ptr<const Gateway> Put(std::shared_ptr<const GatewayHead> gateway);
  std::shared_ptr<const Gateway> Remove(const std::string& gateway_id);
  // Null where nobody has it.
  std::shared_ptr<const GatewayHead> FindHead(std::string_view host) const;
  std::shared_ptr<const Gateway> Find(std::string_view host) const;  // null too where it is known by its head alone
  size_t size() const { return by_id_.size(); }
  size_t loaded() const { return loaded_; }
  io::ServerIdentity Identify(std::string_view server_name) const override;

 private:
  absl::flat_hash_map<std::string, std::shared_ptr<const GatewayHead>> by_id_;
  absl::flat_hash_map<std::string, std::shared_ptr<const GatewayHead>> by_host_;
  size_t loaded_ = 0;
};

}  // namespace sluice
