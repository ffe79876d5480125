#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "common/base/random.h"
#include "common/config/config.h"
#include "common/config/entity_paths.h"
#include "common/config/lists.h"
#include "common/config/pem.h"
#include "common/config/references.h"
#include "common/config/rules.h"
#include "common/schema/schema.h"
#include "common/schema/text.h"
#include "common/schema/url.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

namespace sluice::config {
namespace {

using google::protobuf::Message;
using schema::Cat;

constexpr uint16_t kDefaultTargetPort = 8000;

void GiveIds(v1::GatewayConfig& config) {
  ForEachList(config, [](std::string_view, auto& list) {
    for (auto& entity : list) entity.set_id(entity.id().empty() ? RandomUuid() : schema::Lower(entity.id()));
  });
}

void ExpandUrl(v1::Service& service) {
  const auto url = schema::ParseUrl(service.url());
  if (!url) return;
  service.set_protocol(url->scheme);
  service.set_host(url->host);
  service.set_port(url->port);
  if (!url->path.empty()) service.set_path(url->path);
  service.clear_url();
}

void CompleteService(v1::Service& service) {
  if (service.has_url()) ExpandUrl(service);
  // An address is kept without the brackets that some write around it.
  const std::string& host = service.host();
  if (host.starts_with('[') && host.ends_with(']')) service.set_host(host.substr(1, host.size() - 2));
}

// The path of a gRPC call names its method; Kong's default for such routes.
void CompleteRoute(v1::Route& route) {
  const auto is_grpc = [](const std::string& protocol) { return protocol == "grpc" || protocol == "grpcs"; };
  if (!route.has_strip_path() && std::any_of(route.protocols().begin(), route.protocols().end(), is_grpc)) {
    route.set_strip_path(false);
  }
}

void CompleteTarget(v1::Target& target) {
  const auto parsed = schema::ParseHostPort(target.target());
  if (parsed) target.set_target(schema::JoinHostPort(parsed->host, parsed->port.value_or(kDefaultTargetPort)));
}

// As Kong does: what hashes balances by hashes, and what goes by load or latency does not hash.
void CompleteUpstream(v1::Upstream& upstream) {
  if (upstream.algorithm() == "least-connections" || upstream.algorithm() == "latency") {
    upstream.set_hash_on("none");
    upstream.set_hash_fallback("none");
  } else if (upstream.has_hash_on() && upstream.hash_on() != "none") {
    upstream.set_algorithm("consistent-hashing");
  }
}

void CompletePlugin(v1::Plugin& plugin) {
  const PluginEntry* entry = FindPlugin(plugin.name());
  if (entry == nullptr || entry->config == nullptr) return;
  schema::Violations wrong;
  const auto message = DecodeConfig(plugin.config(), *entry->config, schema::Place("config"), wrong);
  if (wrong.empty()) *plugin.mutable_config() = schema::Encode(*message);
}

void CompleteKey(v1::KeyAuthCredential& credential, absl::FunctionRef<std::string()> path,
                 schema::Violations& violations) {
  constexpr size_t kMaxKeyBytes = 512;  // as the schema says of what was written
  const std::string& key = credential.key();
  if (key.empty() || key.size() > kMaxKeyBytes || !schema::IsUtf8(key) || IsHashedKey(key)) return;
  if (key.starts_with("sha256:")) {
    return violations.Add(path() + ".key",
                          "a key that begins with sha256: goes on with 64 lower-case hexadecimal digits");
  }
  credential.set_key(HashKey(key));
}

// The same text however it was cut out of a file; what is no certificate is for Validate to name.
void CompleteCertificates(v1::GatewayConfig& config) {
  for (v1::Certificate& certificate : *config.mutable_certificates()) {
    if (certificate.has_cert()) certificate.set_cert(CanonicalPem(certificate.cert()));
    if (certificate.has_key()) certificate.set_key(CanonicalKey(certificate.key()));
    if (certificate.has_cert_alt()) certificate.set_cert_alt(CanonicalPem(certificate.cert_alt()));
    if (certificate.has_key_alt()) certificate.set_key_alt(CanonicalKey(certificate.key_alt()));
  }
  for (v1::CaCertificate& authority : *config.mutable_ca_certificates()) {
    if (authority.has_cert()) authority.set_cert(CanonicalPem(authority.cert()));
    const auto chain = ReadCertificates(authority.cert());
    authority.set_cert_digest(chain.ok() ? DigestOf(*chain->front()) : "");
  }
  for (v1::Sni& sni : *config.mutable_snis()) {
    if (sni.has_name()) sni.set_name(schema::Lower(sni.name()));
  }
}

// Names and ids to ids, for the kinds that are referred to. Views of the configuration, whose ids and names stay.
class References {
 public:
  explicit References(const v1::GatewayConfig& config) : config_(config) {}

  // Calls `missing` with each that names nothing.
  template <typename Missing>
  void Resolve(Message& entity, const schema::Shape& shape, Missing missing) {
    ForEachReference(entity, shape, [&](const Reference& reference) {
      const std::string_view id = Find(reference.kind(), reference.value);
      if (id.empty()) {
        missing(reference);
      } else if (id != reference.value) {
        SetReference(entity, reference, std::string(id));
      }
    });
  }

 private:
  using Ids = absl::flat_hash_map<std::string_view, std::string_view>;

  std::string_view Find(std::string_view kind, std::string_view value) {
    if (value.empty()) return "";
    const Ids& ids = IdsOf(kind);
    auto found = ids.find(value);
    if (found == ids.end()) found = ids.find(schema::Lower(value));
    return found == ids.end() ? "" : found->second;
  }

  const Ids& IdsOf(std::string_view kind) {
    const auto [known, is_new] = ids_.try_emplace(kind);
    Ids& ids = known->second;
    if (!is_new) return ids;
    ForEachList(config_, [&](std::string_view each, const auto& list) {
      if (each != kind) return;
      for (const auto& entity : list) ids.try_emplace(entity.id(), entity.id());
      for (const auto& entity : list) ids.try_emplace(NameIn(entity), entity.id());
    });
    if (kind == "consumer") {
      for (const v1::Consumer& consumer : config_.consumers()) ids.try_emplace(consumer.custom_id(), consumer.id());
    }
    return ids;
  }

  const v1::GatewayConfig& config_;
  absl::flat_hash_map<std::string_view, Ids> ids_;  // by kind
};

void Sort(v1::GatewayConfig& config) {
  ForEachList(config, [](std::string_view, auto& list) {
    // Pointers are sorted, messages stay where they are.
    std::stable_sort(list.pointer_begin(), list.pointer_end(), [](const auto* a, const auto* b) {
      return a->created_at() != b->created_at() ? a->created_at() < b->created_at() : a->id() < b->id();
    });
  });
}

}  // namespace

void Complete(v1::GatewayConfig& config, schema::Violations& violations, DocumentPaths* paths) {
  GiveIds(config);
  if (paths != nullptr) paths->Bind(config);
  for (v1::Service& service : *config.mutable_services()) CompleteService(service);
  for (v1::Route& route : *config.mutable_routes()) CompleteRoute(route);
  for (v1::Target& target : *config.mutable_targets()) CompleteTarget(target);
  for (v1::Upstream& upstream : *config.mutable_upstreams()) CompleteUpstream(upstream);
  for (v1::Plugin& plugin : *config.mutable_plugins()) CompletePlugin(plugin);
  CompleteCertificates(config);
  const EntityPaths at(config, paths);
  for (int i = 0; i < config.key_auths_size(); ++i) {
    CompleteKey(*config.mutable_key_auths(i), [&] { return at.Of("key_auth", i); }, violations);
  }
  References references(config);
  ForEachList(config, [&](std::string_view kind, auto& list) {
    for (int i = 0; i < list.size(); ++i) {
      const schema::Shape& shape = ShapeOfEach(list);
      schema::FillDefaults(list[i], shape);
      references.Resolve(list[i], shape, [&](const Reference& lost) {
        AddDangling(Cat(at.Of(kind, i), ".", lost.path()), lost.kind(), lost.value, violations);
      });
    }
  });
  Sort(config);
}

std::string ToBytes(const Message& config) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream out(&stream);
    out.SetSerializationDeterministic(true);  // maps in the order of their keys
    config.SerializeToCodedStream(&out);
  }
  return bytes;
}

}  // namespace sluice::config
