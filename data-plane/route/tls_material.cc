#include "data-plane/route/tls_material.h"

#include "common/schema/text.h"
#include "data-plane/route/compile.h"

namespace sluice {

absl::Status TlsMaterial::Read(const config::v1::GatewayConfig& config) {
  for (const config::v1::Certificate& entity : config.certificates()) {
    if (absl::Status status = ReadPair(entity, false); !status.ok()) return status;
    if (!entity.has_cert_alt()) continue;
    if (absl::Status status = ReadPair(entity, true); !status.ok()) return status;
  }
  for (const config::v1::Sni& entity : config.snis()) {
    for (const auto& certificate : certificates_[entity.certificate()]) table_.Add(entity.name(), certificate);
  }
  for (const config::v1::Upstream& entity : config.upstreams()) {
    if (entity.has_client_certificate()) of_upstreams_[entity.id()] = entity.client_certificate();
  }
  for (const config::v1::CaCertificate& entity : config.ca_certificates()) authorities_[entity.id()] = entity.cert();
  return absl::OkStatus();
}

absl::Status TlsMaterial::ReadPair(const config::v1::Certificate& entity, bool alternate) {
  auto parsed = alternate ? io::Certificate::Parse(entity.cert_alt(), entity.key_alt())
                          : io::Certificate::Parse(entity.cert(), entity.key());
  if (!parsed.ok()) {
    const std::string field = schema::Cat("certificates[", entity.id(), "]", alternate ? ".cert_alt" : ".cert");
    return ConfigError("INVALID", field, std::string(parsed.status().message()));
  }
  certificates_[entity.id()].push_back(*std::move(parsed));
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const io::TlsRules>> TlsMaterial::RulesOf(const config::v1::Service& service,
                                                                         const std::string& upstream_id) const {
  auto rules = std::make_shared<io::TlsRules>();
  if (service.has_tls_verify()) rules->verify = service.tls_verify();
  if (service.has_tls_verify_depth()) rules->verify_depth = service.tls_verify_depth();
  const auto inherited = of_upstreams_.find(upstream_id);
  const bool inherits = !service.has_client_certificate() && inherited != of_upstreams_.end();
  const auto shown = certificates_.find(inherits ? inherited->second : service.client_certificate());
  if (shown != certificates_.end()) rules->certificate = shown->second.front();
  std::vector<std::string> trusted;
  for (const std::string& id : service.ca_certificates()) {
    const auto found = authorities_.find(id);
    if (found != authorities_.end()) trusted.push_back(found->second);
  }
  if (!service.ca_certificates().empty()) {
    auto authorities = io::TlsAuthorities::Parse(trusted);
    if (!authorities.ok()) {
      const std::string field = schema::Cat("services[", service.id(), "].ca_certificates");
      return ConfigError("INVALID", field, std::string(authorities.status().message()));
    }
    rules->authorities = *std::move(authorities);
  }
  return rules->Fingerprint().empty() ? nullptr : std::move(rules);
}

}  // namespace sluice
