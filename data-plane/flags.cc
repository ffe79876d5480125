#include "data-plane/flags.h"

#include <CLI/CLI.hpp>
#include <cstdlib>

#include "common/base/version.h"
#include "data-plane/sync/applier.h"

namespace sluice {
namespace {

// "address:port", IPv6 in brackets. The listener judges the address.
io::Endpoint ParseEndpoint(const std::string& flag, const std::string& text) {
  const size_t colon = text.rfind(':');
  char* end = nullptr;
  const long port = colon == std::string::npos ? -1 : std::strtol(text.c_str() + colon + 1, &end, 10);
  if (port < 0 || port > 65535 || *end != '\0' || colon + 1 == text.size()) {
    throw CLI::ValidationError(flag, "\"" + text + "\" is not address:port, for example 0.0.0.0:8000");
  }
  std::string address = text.substr(0, colon);
  if (address.size() > 2 && address.front() == '[' && address.back() == ']')
    address = address.substr(1, address.size() - 2);
  return {.address = address, .port = static_cast<uint16_t>(port)};
}

// "address[/prefix]" each.
std::vector<egress::Range> ParseNetworks(const std::string& flag, const std::vector<std::string>& texts) {
  std::vector<egress::Range> ranges;
  for (const std::string& text : texts) {
    auto range = egress::ParseNetwork(text);
    if (!range.ok()) throw CLI::ValidationError(flag, std::string(range.status().message()));
    ranges.push_back(*range);
  }
  return ranges;
}

// Whose word counts on whose connection it is.
struct WhoAsks {
  std::vector<std::string> proxy_protocol_from;
  std::vector<std::string> trusted_proxies;
  std::string field = "X-Forwarded-For";

  void AddTo(CLI::App& app) {
    app.add_option("--proxy-protocol-from", proxy_protocol_from,
                   "CIDR of load balancers; each of their connections begins with a PROXY header (repeatable)")
        ->delimiter(',')
        ->envname("SLUICE_PROXY_PROTOCOL_FROM");
    app.add_option("--trusted-proxy", trusted_proxies,
                   "CIDR of proxies that may say for whom they ask; nobody without (repeatable)")
        ->delimiter(',')
        ->envname("SLUICE_TRUSTED_PROXY");
    app.add_option("--client-address-field", field, "where trusted proxies say it; they must write it themselves")
        ->envname("SLUICE_CLIENT_ADDRESS_FIELD")
        ->check(CLI::IsMember({"X-Forwarded-For", "Forwarded"}))
        ->capture_default_str();
  }

  void Store(proxy::Options& options) const {
    options.proxy_protocol_from = ParseNetworks("--proxy-protocol-from", proxy_protocol_from);
    options.trusted_proxies = ParseNetworks("--trusted-proxy", trusted_proxies);
    if (field == "Forwarded") options.client_address_field = proxy::ClientAddressField::kForwarded;
  }
};

// Whether the node holds every gateway's configuration.
struct ConfigMode {
  std::string mode = "eager";
  size_t working_set = 10'000;
  size_t awake = sync::RestRules{}.awake;
  int rest_after_s = 60;

  void AddTo(CLI::App& app) {
    app.add_option("--config-mode", mode,
                   "eager: it holds every gateway's configuration; on-demand: those of its working set, and fetches "
                   "others at their first request")
        ->envname("SLUICE_CONFIG_MODE")
        ->check(CLI::IsMember({"eager", "on-demand"}))
        ->capture_default_str();
    app.add_option("--working-set", working_set, "gateways that it holds on demand; further ones while they are busy")
        ->envname("SLUICE_WORKING_SET")
        ->check(CLI::Range(size_t{1}, sync::Applier::kMaxHeld))
        ->capture_default_str();
    app.add_option("--awake", awake,
                   "gateways that an eager node keeps compiled though nobody asks for them; further ones are compiled "
                   "at their first request")
        ->envname("SLUICE_AWAKE")
        ->capture_default_str();
    app.add_option("--rest-after", rest_after_s, "seconds without a request after which those rest again")
        ->envname("SLUICE_REST_AFTER")
        ->check(CLI::Range(1, 24 * 3600))
        ->capture_default_str();
  }
};

void AddState(CLI::App& app, Flags& flags) {
  app.add_option("--state", flags.state, "folder of its identity and the last good configuration")
      ->required()
      ->envname("SLUICE_STATE");
  app.add_option("--state-key-file", flags.state_key_file,
                 "file of the key that seals what that folder keeps: 32 bytes in base64 (default: the file key in the "
                 "folder, made at the first start; the key itself may be in SLUICE_STATE_KEY instead)")
      ->envname("SLUICE_STATE_KEY_FILE");
}

}  // namespace

bool ParseFlags(int argc, char** argv, Flags& flags, int& exit_code) {
  CLI::App app("A node of Sluice's data plane: serves the gateways that the control plane tells it of.",
               "sluice-data-plane");
  app.set_version_flag("--version", kVersion);
  std::string http = "0.0.0.0:8000", https = "0.0.0.0:8443";
  io::CertificateFiles edge;
  flags.ops_address = "127.0.0.1:8100";
  app.add_option("--name", flags.proxy.node, "of this node; another one cannot have it")
      ->envname("SLUICE_NAME")
      ->capture_default_str();
  app.add_option("--control-plane", flags.control_planes, "host:port of the sync address of each replica (repeatable)")
      ->delimiter(',')
      ->envname("SLUICE_CONTROL_PLANE")
      ->capture_default_str();
  app.add_option("--join-token-file", flags.join_token_file,
                 "file of a join token (sluice node token create); needed once, by a node that has not joined")
      ->envname("SLUICE_JOIN_TOKEN_FILE");
  app.add_option("--http", http, "address for clear text, or off")->envname("SLUICE_HTTP")->capture_default_str();
  app.add_option("--https", https, "address for TLS, or off; off without --tls-cert")
      ->envname("SLUICE_HTTPS")
      ->capture_default_str();
  app.add_option("--tls-cert", edge.certificate_path, "PEM file: certificate chain for clients")
      ->envname("SLUICE_TLS_CERT");
  app.add_option("--tls-key", edge.key_path, "PEM file: its key")->envname("SLUICE_TLS_KEY");
  app.add_option("--ops", flags.ops_address, "address of /healthz, /readyz and /metrics")
      ->envname("SLUICE_OPS")
      ->capture_default_str();
  AddState(app, flags);
  app.add_option("--workers", flags.proxy.workers, "threads that serve; 0: one a core")
      ->envname("SLUICE_WORKERS")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  app.add_option("--access-log", flags.proxy.access_log, "file, - for standard output, or off")
      ->envname("SLUICE_ACCESS_LOG")
      ->capture_default_str();
  app.add_option("--resolvers", flags.proxy.resolvers, "name servers, \"address[:port],...\"; default /etc/resolv.conf")
      ->envname("SLUICE_RESOLVERS");
  app.add_flag("--config-version-header", flags.proxy.config_version_header,
               "for tests: answers carry X-Sluice-Config-Version, the version of the gateway's configuration")
      ->envname("SLUICE_CONFIG_VERSION_HEADER");
  WhoAsks who_asks;
  who_asks.AddTo(app);
  ConfigMode config_mode;
  config_mode.AddTo(app);
  // The parser throws; nothing else of ours does.
  try {
    app.parse(argc, argv);
    if (const char* key = std::getenv("SLUICE_STATE_KEY")) flags.state_key = key;
    if (!flags.state_key.empty() && !flags.state_key_file.empty()) {
      throw CLI::ValidationError("--state-key-file", "SLUICE_STATE_KEY is set too; give one of them");
    }
    if (edge.certificate_path.empty() != edge.key_path.empty()) {
      throw CLI::ValidationError("--tls-cert", "goes with --tls-key");
    }
    who_asks.Store(flags.proxy);
    flags.working_set = config_mode.mode == "on-demand" ? config_mode.working_set : 0;
    flags.rest = {config_mode.awake, std::chrono::seconds(config_mode.rest_after_s)};
    flags.ops = ParseEndpoint("--ops", flags.ops_address);
    if (http != "off") flags.proxy.http = ParseEndpoint("--http", http);
    if (https != "off" && !edge.key_path.empty()) {
      flags.proxy.https = ParseEndpoint("--https", https);
      flags.proxy.certificates.push_back(edge);
    }
  } catch (const CLI::ParseError& error) {
    exit_code = app.exit(error) == 0 ? 0 : 64;
    return false;
  }
  return true;
}

}  // namespace sluice
