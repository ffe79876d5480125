#include "data-plane/route/compile.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/cord.h"
#include "common/config/plugin_catalogue.h"
#include "common/schema/text.h"
#include "common/schema/url.h"
#include "data-plane/balance/hashing.h"
#include "data-plane/route/compile_upstream.h"
#include "data-plane/route/limit.h"
#include "data-plane/route/router.h"

namespace sluice {
namespace {

constexpr uint16_t kDefaultTargetPort = 8000;  // Kong's

std::string WithoutBrackets(const std::string& host) {
  return host.size() > 2 && host.front() == '[' && host.back() == ']' ? host.substr(1, host.size() - 2) : host;
}

}  // namespace

absl::Status ConfigError(std::string_view reason, std::string_view field, std::string_view message) {
  absl::Status status = absl::InvalidArgumentError(schema::Cat(field, ": ", message));
  status.SetPayload(kReasonPayload, absl::Cord(std::string(reason)));
  return status;
}

std::string ReasonOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kReasonPayload);
  return payload.has_value() ? std::string(*payload) : "INVALID";
}

GatewayCompiler::GatewayCompiler(const config::v1::GatewayConfig& config, std::span<const PluginType> plugins,
                                 const config::FleetRules& rules, std::shared_ptr<GatewayState> state,
                                 SharedParts* parts)
    : config_(config),
      types_(plugins),
      rules_(rules),
      parts_(parts != nullptr ? *parts : own_parts_),
      gateway_(new Gateway) {
  gateway_->state_ = state != nullptr ? std::move(state) : std::make_shared<GatewayState>();
}

absl::StatusOr<std::shared_ptr<const Gateway>> GatewayCompiler::Build() {
  gateway_->id_ = config_.id();
  gateway_->name_ = config_.name();
  gateway_->version_ = config_.version();
  gateway_->hosts_.assign(config_.hosts().begin(), config_.hosts().end());
  BuildPlan();
  if (absl::Status status = BuildEgress(); !status.ok()) return status;
  if (absl::Status status = tls_.Read(config_); !status.ok()) return status;
  BuildUpstreams();
  if (absl::Status status = BuildServices(); !status.ok()) return status;
  BuildCheckRules();
  gateway_->certificates_ = tls_.TakeTable();
  BuildConsumers();
  BuildRoutes();
  if (absl::Status status = BuildRouter(); !status.ok()) return status;
  if (absl::Status status = BuildPlugins(); !status.ok()) return status;
  // Last, since a configuration that is refused changes nothing.
  // Nodes of its owner's take no part in a cell's shares.
  const bool of_owner = config_.kind() == config::v1::SELF_MANAGED;
  SetLimit(gateway_->state_, config_.id(), of_owner ? 0 : config_.plan().requests_per_second());
  return std::shared_ptr<const Gateway>(std::move(gateway_));
}

absl::Status GatewayCompiler::Validate() {
  if (config_.id().empty()) return ConfigError("INVALID", "id", "a gateway needs one");
  schema::Violations violations;
  config::Validate(config_, rules_, violations);
  if (violations.empty()) return absl::OkStatus();
  const schema::Violation& first = violations.list().front();
  return ConfigError(first.reason, first.field, first.message);
}

void GatewayCompiler::BuildPlan() {
  std::string bytes = config_.plan().SerializeAsString();
  gateway_->plan_ = parts_.plans.Find(bytes);
  if (gateway_->plan_ != nullptr) return;
  gateway_->plan_ = std::make_shared<const config::v1::Plan>(config_.plan());
  parts_.plans.Put(std::move(bytes), gateway_->plan_);
}

absl::Status GatewayCompiler::BuildEgress() {
  std::string allowed = schema::JoinText(config_.plan().egress_allow(), "\n");
  gateway_->egress_ = parts_.egress.Find(allowed);
  if (gateway_->egress_ != nullptr) return absl::OkStatus();
  std::vector<egress::Range> allow = rules_.egress_allow;
  for (const std::string& text : config_.plan().egress_allow()) {
    auto range = egress::ParseRange(text);
    if (!range.ok()) return ConfigError("INVALID", "plan.egress_allow", std::string(range.status().message()));
    allow.push_back(*range);
  }
  gateway_->egress_ = std::make_shared<const egress::Policy>(std::move(allow), rules_.protect);
  parts_.egress.Put(std::move(allowed), gateway_->egress_);
  return absl::OkStatus();
}

void GatewayCompiler::BuildUpstreams() {
  for (const config::v1::Upstream& entity : config_.upstreams()) {
    auto upstream = std::make_unique<Upstream>(CompileUpstream(entity));
    upstreams_by_id_[entity.id()] = upstream.get();
    upstreams_by_name_[schema::Lower(entity.name())] = upstream.get();
    gateway_->upstreams_.push_back(std::move(upstream));
  }
  BuildTargets();
}

void GatewayCompiler::BuildTargets() {
  TargetTable& table = gateway_->state_->targets;
  for (const config::v1::Target& entity : config_.targets()) {
    const auto found = upstreams_by_id_.find(entity.upstream());
    const auto address = schema::ParseHostPort(entity.target());
    if (found == upstreams_by_id_.end() || !address) continue;  // Validate has refused both
    const uint32_t weight = entity.has_weight() ? static_cast<uint32_t>(entity.weight()) : 100;
    Upstream& upstream = *found->second;
    const uint16_t port = address->port.value_or(kDefaultTargetPort);
    const std::string place = schema::JoinHostPort(address->host, port);
    upstream.targets.push_back({.host = address->host,
                                .port = port,
                                .weight = weight,
                                .hash = HashOf(place),
                                .state = table.Get(schema::Lower(upstream.name), place)});
  }
  table.Sweep();
}

absl::Status GatewayCompiler::BuildServices() {
  for (const config::v1::Service& entity : config_.services()) {
    if (entity.has_enabled() && !entity.enabled()) continue;
    auto service = std::make_unique<Service>();
    service->id = entity.id();
    service->name = entity.name();
    service->tls = entity.protocol() == "https" || entity.protocol() == "grpcs";
    service->grpc = entity.protocol() == "grpc" || entity.protocol() == "grpcs";
    service->host = WithoutBrackets(schema::Lower(entity.host()));
    service->port = static_cast<uint16_t>(entity.port());
    service->path = entity.path();
    service->retries = entity.retries();
    service->connect_timeout = std::chrono::milliseconds(entity.connect_timeout());
    service->write_timeout = std::chrono::milliseconds(entity.write_timeout());
    service->read_timeout = std::chrono::milliseconds(entity.read_timeout());
    const auto upstream = upstreams_by_name_.find(service->host);
    if (upstream != upstreams_by_name_.end()) service->upstream = upstream->second;
    if (service->tls) {
      auto rules = tls_.RulesOf(entity, service->upstream != nullptr ? service->upstream->id : "");
      if (!rules.ok()) return rules.status();
      service->tls_rules = *std::move(rules);
    }
    services_[entity.id()] = service.get();
    gateway_->services_.push_back(std::move(service));
  }
  return absl::OkStatus();
}

// Active checks trust and show what requests do, by the first service that reaches the upstream over TLS; the
// upstream's own certificate goes first, as Kong has it. Whether they verify is theirs to say.
void GatewayCompiler::BuildCheckRules() {
  for (const auto& [id, upstream] : upstreams_by_id_) {
    const auto reaches = [&](const auto& service) { return service->tls && service->upstream == upstream; };
    const auto service = std::find_if(gateway_->services_.begin(), gateway_->services_.end(), reaches);
    const bool has_rules = service != gateway_->services_.end() && (*service)->tls_rules != nullptr;
    io::TlsRules rules = has_rules ? *(*service)->tls_rules : io::TlsRules{};
    const auto own = tls_.RulesOf({}, id);
    if (own.ok() && *own != nullptr) rules.certificate = (*own)->certificate;
    rules.verify = upstream->health.active.verify;
    if (rules.Fingerprint().empty()) continue;
    upstream->health.active.tls_rules = std::make_shared<const io::TlsRules>(std::move(rules));
  }
}

void GatewayCompiler::BuildConsumers() {
  for (const config::v1::Consumer& entity : config_.consumers()) {
    gateway_->consumers_.push_back(
        std::make_unique<Consumer>(Consumer{entity.id(), entity.username(), entity.custom_id()}));
    consumers_[entity.id()] = gateway_->consumers_.back().get();
  }
  gateway_->consumers_by_name_ = consumers_;
  for (const auto& consumer : gateway_->consumers_) {
    if (!consumer->username.empty()) gateway_->consumers_by_name_.try_emplace(consumer->username, consumer.get());
  }
  for (const config::v1::KeyAuthCredential& entity : config_.key_auths()) {
    const auto consumer = consumers_.find(entity.consumer());
    if (consumer == consumers_.end()) continue;
    const int64_t expires_at = entity.has_ttl() ? entity.updated_at() + entity.ttl() : 0;
    gateway_->keys_.insert_or_assign(entity.key(), KeyCredential{entity.id(), consumer->second, expires_at});
  }
}

void GatewayCompiler::BuildRoutes() {
  for (const config::v1::Route& entity : config_.routes()) {
    const auto service = services_.find(entity.service());
    if (entity.has_service() && service == services_.end()) continue;  // a disabled service's
    auto route = std::make_unique<Route>();
    route->id = entity.id();
    route->name = entity.name();
    route->service = entity.has_service() ? service->second : nullptr;
    route->protocols = ProtocolsOf(entity.protocols());
    route->https_redirect_status = entity.https_redirect_status_code();
    route->strip_path = entity.strip_path();
    route->preserve_host = entity.preserve_host();
    route->path_handling_v1 = entity.path_handling() == "v1";
    routes_[entity.id()] = route.get();
    gateway_->routes_.push_back(std::move(route));
  }
}

absl::Status GatewayCompiler::BuildRouter() {
  std::vector<RouteRule> rules;
  for (const config::v1::Route& entity : config_.routes()) {
    const auto route = routes_.find(entity.id());
    if (route == routes_.end()) continue;
    auto made = RouteRule::Make(entity, route->second);
    if (!made.ok()) {
      return ConfigError("INVALID", schema::Cat("routes[", entity.id(), "]"), std::string(made.status().message()));
    }
    std::move(made->begin(), made->end(), std::back_inserter(rules));
  }
  gateway_->router_ = std::make_unique<Router>(std::move(rules));
  return absl::OkStatus();
}

absl::Status GatewayCompiler::BuildPlugins() {
  for (const config::v1::Plugin& entity : config_.plugins()) {
    if (entity.has_enabled() && !entity.enabled()) continue;
    const config::PluginEntry* entry = config::FindPlugin(entity.name());
    auto plugin = MakePlugin(entity);
    if (!plugin.ok()) return plugin.status();
    const auto consumer = consumers_.find(entity.consumer());
    if (entity.has_consumer() && consumer == consumers_.end()) continue;  // never everybody's instead
    chains_.Add({.name = entry->name,
                 .priority = entry->priority,
                 .service_id = entity.service(),
                 .route_id = entity.route(),
                 .consumer = consumer == consumers_.end() ? nullptr : consumer->second,
                 .plugin = *plugin,
                 .protocols = ProtocolsOf(entity.protocols())});
  }
  BuildChains();
  return absl::OkStatus();
}

void GatewayCompiler::BuildChains() {
  absl::flat_hash_map<std::string, std::shared_ptr<const Chain>> of_service;  // for routes without plugins of their own
  for (const auto& route : gateway_->routes_) {
    const std::string service = route->service != nullptr ? route->service->id : "";
    std::shared_ptr<const Chain> own;
    std::shared_ptr<const Chain>& chain = chains_.HasOwn(route->id) ? own : of_service[service];
    if (chain == nullptr) chain = std::make_shared<const Chain>(chains_.For(route->id, service));
    route->shared_chain = chain;
  }
  gateway_->global_chain_ = chains_.Global();
}

absl::StatusOr<const Plugin*> GatewayCompiler::MakePlugin(const config::v1::Plugin& entity) {
  const std::string field =
      schema::Cat("plugins[", entity.has_instance_name() ? entity.instance_name() : entity.id(), "]");
  const auto type =
      std::find_if(types_.begin(), types_.end(), [&](const PluginType& t) { return t.name == entity.name(); });
  if (type == types_.end() || config::FindPlugin(entity.name()) == nullptr) {
    return ConfigError("NOT_YET_SUPPORTED", field, schema::Cat("this node has no plugin '", entity.name(), "'"));
  }
  std::string key;
  if (type->depends_on_config_alone) key = schema::Cat(type->name, "\n", config::ToBytes(entity.config()));
  std::shared_ptr<const Plugin> plugin = key.empty() ? nullptr : parts_.plugins.Find(key);
  if (plugin == nullptr) {
    auto config = config::DecodePluginConfig(entity);
    if (!config.ok()) return ConfigError("INVALID", field, std::string(config.status().message()));
    const PluginEnv env{.instance_id = entity.id(),
                        .service_id = entity.service(),
                        .route_id = entity.route(),
                        .consumer_id = entity.consumer(),
                        .state = gateway_->state_};
    auto made = type->make(**config, env);
    if (!made.ok()) return ConfigError("INVALID", field, std::string(made.status().message()));
    plugin = *std::move(made);
    if (!key.empty()) parts_.plugins.Put(std::move(key), plugin);
  }
  gateway_->plugins_.push_back(std::move(plugin));
  return gateway_->plugins_.back().get();
}

}  // namespace sluice
