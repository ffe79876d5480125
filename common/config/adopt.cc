#include "absl/container/flat_hash_map.h"
#include "common/config/diff.h"
#include "common/config/key_hash.h"
#include "common/config/lists.h"
#include "common/config/pem.h"
#include "common/schema/text.h"
#include "common/schema/url.h"

namespace sluice::config {
namespace {

using schema::Cat;

constexpr char kBetween = '\n';  // in no name

// What tells the entities of one configuration apart for a person; references count as what they refer to, whether they
// are written as ids or as names.
class NaturalKeys {
 public:
  explicit NaturalKeys(const v1::GatewayConfig& config) {
    ForEachList(config, [this](std::string_view kind, const auto& list) {
      auto& names = names_[std::string(kind)];
      for (const auto& entity : list) {
        if (!entity.id().empty()) names.try_emplace(schema::Lower(entity.id()), Own(entity));
      }
      for (const auto& entity : list) names.try_emplace(NameIn(entity), Own(entity));
    });
    for (const v1::Consumer& consumer : config.consumers())
      names_["consumer"].try_emplace(consumer.custom_id(), Own(consumer));
  }

  // "" where nothing but an id tells.
  std::string Of(const v1::Plugin& plugin) const {
    return Cat(plugin.name(), kBetweenText, plugin.instance_name(), kBetweenText, Referred("service", plugin.service()),
               kBetweenText, Referred("route", plugin.route()), kBetweenText, Referred("consumer", plugin.consumer()));
  }
  std::string Of(const v1::KeyAuthCredential& credential) const {
    if (credential.key().empty()) return "";
    const std::string key = IsHashedKey(credential.key()) ? credential.key() : HashKey(credential.key());
    return Cat(Referred("consumer", credential.consumer()), kBetweenText, key);
  }
  std::string Of(const v1::Target& target) const {
    const auto place = schema::ParseHostPort(target.target());
    const std::string text = place ? schema::JoinHostPort(place->host, place->port.value_or(8000)) : target.target();
    return Cat(Referred("upstream", target.upstream()), kBetweenText, text);
  }
  std::string Of(const v1::Certificate& certificate) const { return CanonicalPem(certificate.cert()); }
  std::string Of(const v1::Sni& sni) const { return schema::Lower(sni.name()); }
  std::string Of(const v1::CaCertificate& authority) const { return CanonicalPem(authority.cert()); }
  template <typename Entity>
  std::string Of(const Entity& entity) const {
    return NameIn(entity);
  }

 private:
  static constexpr std::string_view kBetweenText{&kBetween, 1};

  template <typename Entity>
  static std::string Own(const Entity& entity) {
    const std::string name = NameIn(entity);
    return name.empty() ? Cat("id ", schema::Lower(entity.id())) : Cat("name ", name);
  }

  std::string Referred(std::string_view kind, const std::string& reference) const {
    const auto& names = names_.at(std::string(kind));
    auto found = names.find(schema::Lower(reference));  // ids are lower case
    if (found == names.end() || reference.size() != 36) found = names.find(reference);
    return found == names.end() || reference.empty() ? reference : found->second;
  }

  absl::flat_hash_map<std::string, absl::flat_hash_map<std::string, std::string>> names_;  // by kind, then by reference
};

template <typename List>
void AdoptList(const List& current, const NaturalKeys& current_keys, List& wanted, const NaturalKeys& wanted_keys) {
  absl::flat_hash_map<std::string, int> by_key, by_id;
  for (int i = 0; i < current.size(); ++i) {
    by_id.try_emplace(current[i].id(), i);
    if (const std::string key = current_keys.Of(current[i]); !key.empty()) by_key.try_emplace(key, i);
  }
  for (auto& entity : wanted) {
    const bool has_id = !entity.id().empty();
    const auto& index = has_id ? by_id : by_key;
    const auto found = index.find(has_id ? schema::Lower(entity.id()) : wanted_keys.Of(entity));
    if (found == index.end()) continue;
    const auto& namesake = current[found->second];
    entity.set_id(namesake.id());
    if (entity.created_at() == 0) entity.set_created_at(namesake.created_at());
    if (entity.updated_at() == 0) entity.set_updated_at(namesake.updated_at());
    if (!has_id) by_key.erase(found->first);  // one identity for one entity
  }
}

// Private keys that are written as their hashes become the text that is kept.
void AdoptPrivateKeys(const v1::GatewayConfig& current, v1::GatewayConfig& wanted) {
  absl::flat_hash_map<std::string, std::string> by_hash;
  for (const v1::Certificate& certificate : current.certificates()) {
    if (certificate.has_key()) by_hash[HashKey(certificate.key())] = certificate.key();
    if (certificate.has_key_alt()) by_hash[HashKey(certificate.key_alt())] = certificate.key_alt();
  }
  const auto text_of = [&by_hash](const std::string& key) {
    const auto found = by_hash.find(CanonicalKey(key));
    return found == by_hash.end() ? key : found->second;
  };
  for (v1::Certificate& certificate : *wanted.mutable_certificates()) {
    if (certificate.has_key()) certificate.set_key(text_of(certificate.key()));
    if (certificate.has_key_alt()) certificate.set_key_alt(text_of(certificate.key_alt()));
  }
}

}  // namespace

void AdoptIdentities(const v1::GatewayConfig& current, v1::GatewayConfig& wanted) {
  bool any = false;
  ForEachList(current, [&any](std::string_view, const auto& list) { any = any || !list.empty(); });
  if (!any) return;
  const NaturalKeys current_keys(current);
  {
    const NaturalKeys wanted_keys(wanted);
    AdoptList(current.services(), current_keys, *wanted.mutable_services(), wanted_keys);
    AdoptList(current.routes(), current_keys, *wanted.mutable_routes(), wanted_keys);
    AdoptList(current.consumers(), current_keys, *wanted.mutable_consumers(), wanted_keys);
    AdoptList(current.upstreams(), current_keys, *wanted.mutable_upstreams(), wanted_keys);
    AdoptList(current.certificates(), current_keys, *wanted.mutable_certificates(), wanted_keys);
    AdoptList(current.snis(), current_keys, *wanted.mutable_snis(), wanted_keys);
    AdoptList(current.ca_certificates(), current_keys, *wanted.mutable_ca_certificates(), wanted_keys);
  }
  const NaturalKeys wanted_keys(wanted);  // again: references may name the ids that were just adopted
  AdoptList(current.plugins(), current_keys, *wanted.mutable_plugins(), wanted_keys);
  AdoptList(current.key_auths(), current_keys, *wanted.mutable_key_auths(), wanted_keys);
  AdoptList(current.targets(), current_keys, *wanted.mutable_targets(), wanted_keys);
  AdoptPrivateKeys(current, wanted);
}

}  // namespace sluice::config
