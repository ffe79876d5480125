#include "common/config/plugin_catalogue.h"

#include <algorithm>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "common/base/check.h"
#include "sluice/plugins/v1/correlation_id.pb.h"
#include "sluice/plugins/v1/cors.pb.h"
#include "sluice/plugins/v1/http_log.pb.h"
#include "sluice/plugins/v1/ip_restriction.pb.h"
#include "sluice/plugins/v1/key_auth.pb.h"
#include "sluice/plugins/v1/rate_limiting.pb.h"
#include "sluice/plugins/v1/request_size_limiting.pb.h"
#include "sluice/plugins/v1/request_termination.pb.h"
#include "sluice/plugins/v1/request_transformer.pb.h"
#include "sluice/plugins/v1/response_transformer.pb.h"
#include "sluice/schema/v1/schema.pb.h"

namespace sluice::config {
namespace {

constexpr std::string_view kLocalAgent = "LOCAL_AGENT";
constexpr std::string_view kStatusApi = "STATUS_API";
constexpr std::string_view kTlsHandshake = "TLS_HANDSHAKE";
constexpr std::string_view kNotOnServerless = "NOT_ON_SERVERLESS";
constexpr std::string_view kNotYetSupported = "NOT_YET_SUPPORTED";

// What is known and not offered: all but kNotYetSupported are refused for what they are, the others for now.
struct Refused {
  std::string_view reason;
  std::string_view instead;
  std::string_view names;  // with a blank between them
};
constexpr Refused kRefused[] = {
    {kLocalAgent,
     "Nodes run no agent for a gateway; send entries to your own collector with http-log.",
     "app-dynamics"},
    {kLocalAgent,
     "Nodes have no files of a gateway's own; send entries to a server with http-log.",
     "file-log"},
    {kLocalAgent,
     "Nodes run no syslog for a gateway; send entries to a server with http-log.",
     "syslog"},
    {kStatusApi,
     "Metrics of every gateway are on the platform's own /metrics; leave it out.",
     "prometheus"},
    {kTlsHandshake,
     "The platform ends TLS and keeps the certificates; leave it out.",
     "acme"},
    {kTlsHandshake,
     "TLS ends at the platform before the gateway is known; authenticate clients with key-auth.",
     "header-cert-auth mtls-auth"},
    {kTlsHandshake,
     "TLS ends at the platform before the gateway is known; leave it out.",
     "tls-handshake-modifier tls-metadata-headers"},
    {kNotOnServerless,
     "It belongs to a developer portal, which is another product; use key-auth.",
     "application-registration konnect-application-auth"},
    {kNotOnServerless,
     "Plugins of other vendors do not run on nodes; refuse clients with ip-restriction.",
     "datadome salt-agent"},
    {kNotOnServerless,
     "It needs a store that nodes share; limit requests with rate-limiting.",
     "graphql-rate-limiting-advanced"},
    {kNotOnServerless,
     "Signing keys are not kept on nodes; let the issuer sign the tokens.",
     "jwt-signer"},
    {kNotOnServerless,
     "Keys are never kept as text, only their SHA-256; use key-auth.",
     "key-auth-enc"},
    {kNotOnServerless,
     "Plugins of other vendors do not run on nodes; send entries to the vendor with http-log.",
     "moesif"},
    {kNotOnServerless,
     "Issuing tokens needs a database at the node; use key-auth, or let the service check tokens of your identity "
     "provider.",
     "oauth2"},
    {kNotOnServerless,
     "It calls a function platform that is no longer offered; route to the function's own URL with a service.",
     "openwhisk"},
    {kNotOnServerless,
     "Credentials come with the gateway's configuration, not from a vault; use key-auth.",
     "vault-auth"},
    {kNotYetSupported,
     "Authentication is by API key only so far; use key-auth.",
     "ace basic-auth hmac-auth jwt ldap-auth ldap-auth-advanced oauth2-introspection openid-connect saml session"},
    {kNotYetSupported,
     "Consumer groups are not there yet; put key-auth on the routes that only some consumers may use.",
     "acl"},
    {kNotYetSupported,
     "Agent protocols are passed on as plain HTTP; authenticate with key-auth.",
     "ai-a2a-proxy ai-mcp-oauth2 ai-mcp-proxy"},
    {kNotYetSupported,
     "Prompts are not inspected; bound their size with request-size-limiting.",
     "ai-aws-guardrails ai-azure-content-safety ai-custom-guardrail ai-gcp-model-armor ai-lakera-guard "
     "ai-llm-as-judge ai-prompt-guard ai-semantic-prompt-guard ai-semantic-response-guard"},
    {kNotYetSupported,
     "Prompts are passed on as they are; only whole top-level fields of a JSON body can be changed, with "
     "request-transformer.",
     "ai-prompt-compressor ai-prompt-decorator ai-prompt-template ai-rag-injector ai-request-transformer ai-sanitizer"},
    {kNotYetSupported,
     "Calls to AI providers are plain requests; add the provider's key with request-transformer.",
     "ai-proxy ai-proxy-advanced"},
    {kNotYetSupported,
     "Tokens of models are not counted; limit requests with rate-limiting.",
     "ai-rate-limiting-advanced"},
    {kNotYetSupported,
     "Answers of models are passed on as they are; change top-level fields of JSON with response-transformer.",
     "ai-response-transformer"},
    {kNotYetSupported,
     "Responses are not cached; let clients cache them with a Cache-Control header from response-transformer.",
     "ai-semantic-cache graphql-proxy-cache-advanced proxy-cache proxy-cache-advanced"},
    {kNotYetSupported,
     "Functions are not called directly; give the function a URL of its own and route to it with a service.",
     "aws-lambda azure-functions"},
    {kNotYetSupported,
     "Clients are not told apart by User-Agent; refuse addresses with ip-restriction or limit them with "
     "rate-limiting.",
     "bot-detection"},
    {kNotYetSupported,
     "Traffic is not split by rule; give targets of an upstream weights.",
     "canary"},
    {kNotYetSupported,
     "Messages are not written to brokers; route to a service that does it.",
     "confluent confluent-consume kafka-consume kafka-upstream solace-consume solace-upstream"},
    {kNotYetSupported,
     "Entries go to HTTP servers only; use http-log towards a collector that passes them on.",
     "datadog kafka-log loggly metering-and-billing solace-log statsd statsd-advanced tcp-log udp-log"},
    {kNotYetSupported,
     "Requests are not put together from others; route to a service that does it.",
     "datakit request-callout"},
    {kNotYetSupported,
     "GraphQL is passed on as plain HTTP; route to the GraphQL server with a service.",
     "degraphql"},
    {kNotYetSupported,
     "The gateway's own error answers are fixed; change headers of answers with response-transformer.",
     "exit-transformer"},
    {kNotYetSupported,
     "Requests go to the address of the service itself; leave it out.",
     "forward-proxy"},
    {kNotYetSupported,
     "gRPC is passed on as it is; let the service speak JSON over HTTP.",
     "grpc-gateway"},
    {kNotYetSupported,
     "gRPC is passed on as it is; let the service speak gRPC-Web.",
     "grpc-web"},
    {kNotYetSupported,
     "Bodies are not inspected; bound their size with request-size-limiting.",
     "injection-protection json-threat-protection oas-validation request-validator xml-threat-protection"},
    {kNotYetSupported,
     "Programs do not run on nodes; change top-level JSON fields with request-transformer and response-transformer.",
     "jq"},
    {kNotYetSupported,
     "Tokens are not decrypted; let the service decrypt them.",
     "jwe-decrypt"},
    {kNotYetSupported,
     "Examples are not answered from an API description; answer one body with request-termination.",
     "mocking"},
    {kNotYetSupported,
     "Policies are not asked for at a server; decide by API key and address with key-auth and ip-restriction.",
     "opa"},
    {kNotYetSupported,
     "Traces are not exported; give requests an identifier with correlation-id.",
     "opentelemetry zipkin"},
    {kNotYetSupported,
     "Lua does not run on nodes; see whether request-transformer, response-transformer or request-termination can do "
     "it.",
     "post-function pre-function"},
    {kNotYetSupported,
     "Windows are calendar windows counted on each node; use rate-limiting.",
     "rate-limiting-advanced response-ratelimiting service-protection"},
    {kNotYetSupported,
     "Answers with a Location are made elsewhere; serve redirects from the service.",
     "redirect"},
    {kNotYetSupported,
     "Use request-transformer; it has the same lists without nested names and allow lists.",
     "request-transformer-advanced"},
    {kNotYetSupported,
     "Use response-transformer; it has the same lists without filters by status.",
     "response-transformer-advanced"},
    {kNotYetSupported,
     "Routes tell requests apart by their own headers; write one route for each value.",
     "route-by-header"},
    {kNotYetSupported,
     "Host and port of a service are fixed; change the path with replace.uri of request-transformer.",
     "route-transformer-advanced"},
    {kNotYetSupported,
     "Signatures of webhooks are passed on; let the service check them.",
     "standard-webhooks"},
    {kNotYetSupported,
     "Tokens are not fetched for the upstream; add a fixed Authorization header with request-transformer.",
     "upstream-oauth"},
    {kNotYetSupported,
     "Timeouts are the service's; write one service for each set of timeouts.",
     "upstream-timeout"},
    {kNotYetSupported,
     "WebSocket messages are passed on as they are; bound and check them at the service.",
     "websocket-size-limit websocket-validator"},
};

template <typename Message>
PluginEntry Supported() {
  const google::protobuf::Descriptor* descriptor = Message::descriptor();
  const schema::v1::Plugin& plugin = descriptor->options().GetExtension(schema::v1::message).plugin();
  return {.name = plugin.name(),
          .support = PluginSupport::kSupported,
          .reason = {},
          .instead = {},
          .config = descriptor,
          .priority = plugin.priority(),
          .no_consumer = plugin.no_consumer()};
}

std::vector<PluginEntry> MakeCatalogue() {
  using namespace plugins::v1;  // NOLINT: the list below reads as one
  std::vector<PluginEntry> entries = {
      Supported<CorrelationId>(),      Supported<Cors>(),
      Supported<HttpLog>(),            Supported<IpRestriction>(),
      Supported<KeyAuth>(),            Supported<RateLimiting>(),
      Supported<RequestSizeLimiting>(), Supported<RequestTermination>(),
      Supported<RequestTransformer>(), Supported<ResponseTransformer>(),
  };
  for (const Refused& refused : kRefused) {
    PluginSupport support = refused.reason == kNotYetSupported ? PluginSupport::kNotYet : PluginSupport::kRestricted;
    for (size_t begin = 0, end; begin < refused.names.size(); begin = end + 1) {
      end = std::min(refused.names.find(' ', begin), refused.names.size());
      entries.push_back({.name = refused.names.substr(begin, end - begin),
                         .support = support,
                         .reason = refused.reason,
                         .instead = refused.instead,
                         .config = nullptr});
    }
  }
  std::ranges::sort(entries, {}, &PluginEntry::name);
  SLUICE_CHECK(std::ranges::adjacent_find(entries, {}, &PluginEntry::name) == entries.end());
  return entries;
}

}  // namespace

std::span<const PluginEntry> PluginCatalogue() {
  static const std::vector<PluginEntry> entries = MakeCatalogue();
  return entries;
}

const PluginEntry* FindPlugin(std::string_view name) {
  static const auto& by_name = *new absl::flat_hash_map<std::string_view, const PluginEntry*>([] {
    absl::flat_hash_map<std::string_view, const PluginEntry*> out;
    for (const PluginEntry& entry : PluginCatalogue()) out.emplace(entry.name, &entry);
    return out;
  }());
  const auto found = by_name.find(name);
  return found == by_name.end() ? nullptr : found->second;
}

}  // namespace sluice::config
