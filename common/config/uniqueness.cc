#include <array>
#include <numeric>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "common/config/lists.h"
#include "common/config/rules.h"
#include "common/schema/text.h"

namespace sluice::config {
namespace {

using schema::Cat;
using schema::EscapeBytes;

// What one kind must not have twice. Keeps views of what it is given.
class Unique {
 public:
  // What is compared: a value, or several that count as one.
  using Value = std::array<std::string_view, 4>;

  Unique(const EntityPaths& at, std::string_view kind, schema::Violations& violations)
      : at_(at), kind_(kind), violations_(violations) {}

  void Add(int index, std::string_view field, std::string_view value) {
    if (value.empty()) return;  // absent values never clash
    Add(index, field, {value},
        [&] { return Cat("'", EscapeBytes(value.substr(0, 128)), "' is used by another ", kind_); });
  }
  void Add(int index, std::string_view field, const Value& value, absl::FunctionRef<std::string()> message) {
    if (seen_.insert({field, value}).second) return;
    std::string place = at_.Of(kind_, index);
    if (!field.empty()) place += Cat(".", field);
    violations_.Add(std::move(place), message(), "DUPLICATE");
  }

 private:
  struct Key {
    std::string_view field;
    Value value;
    bool operator==(const Key&) const = default;
    template <typename Hash>
    friend Hash AbslHashValue(Hash hash, const Key& key) {
      for (const std::string_view part : key.value) {
        if (!part.empty()) hash = Hash::combine(std::move(hash), part);  // most are one value
      }
      return hash;
    }
  };

  const EntityPaths& at_;
  const std::string_view kind_;
  schema::Violations& violations_;
  absl::flat_hash_set<Key> seen_;
};

// References are written as ids or names, so a name must not be the id of another entity.
const std::string& ReferredName(const v1::Consumer& consumer) {
  return consumer.username();
}
template <typename Entity>
const std::string& ReferredName(const Entity& entity) {
  return NameIn(entity);
}

// A consumer without username goes by its custom_id.
void CheckConsumerNames(Checkup& checkup) {
  absl::flat_hash_set<std::string_view> usernames;
  for (const v1::Consumer& consumer : checkup.config.consumers()) usernames.insert(consumer.username());
  for (int i = 0; i < checkup.config.consumers_size(); ++i) {
    const v1::Consumer& consumer = checkup.config.consumers(i);
    if (!consumer.username().empty() || consumer.custom_id().empty() || !usernames.contains(consumer.custom_id()))
      continue;
    checkup.violations.Add(checkup.Path("consumer", i, "custom_id"),
                           "is the username of another consumer; give this consumer a username of its own",
                           "DUPLICATE");
  }
}

void Add(Unique& unique, int i, const v1::Service& service) {
  unique.Add(i, "name", service.name());
}
void Add(Unique& unique, int i, const v1::Route& route) {
  unique.Add(i, "name", route.name());
}
void Add(Unique& unique, int i, const v1::Upstream& upstream) {
  unique.Add(i, "name", upstream.name());
}
void Add(Unique& unique, int i, const v1::Consumer& consumer) {
  unique.Add(i, "username", consumer.username());
  unique.Add(i, "custom_id", consumer.custom_id());
}
void Add(Unique& unique, int i, const v1::KeyAuthCredential& credential) {
  if (credential.key().empty()) return;
  unique.Add(i, "key", {credential.key()},
             [] { return std::string("the key is used by another credential"); });
}
void Add(Unique& unique, int i, const v1::Target& target) {
  unique.Add(i, "target", {target.upstream(), target.target()},
             [&] {
               return Cat("the upstream has a target '", EscapeBytes(target.target().substr(0, 128)), "' already");
             });
}
void Add(Unique&, int, const v1::Certificate&) {}
void Add(Unique& unique, int i, const v1::Sni& sni) {
  unique.Add(i, "name", sni.name());
}
void Add(Unique& unique, int i, const v1::CaCertificate& authority) {
  if (authority.cert_digest().empty()) return;
  unique.Add(i, "cert", {authority.cert_digest()},
             [] { return std::string("there is another ca_certificate with this certificate"); });
}
void Add(Unique& unique, int i, const v1::Plugin& plugin) {
  unique.Add(i, "instance_name", plugin.instance_name());
  unique.Add(i, "", {plugin.name(), plugin.service(), plugin.route(), plugin.consumer()},
             [&] {
               return Cat("there is another plugin '", EscapeBytes(plugin.name().substr(0, 128)),
                          "' for the same service, route and consumer");
             });
}

// In the order of the indices: of two that clash, the later one is named.
template <typename List>
void CheckList(const EntityPaths& at, std::string_view kind, const List& list, const std::vector<int>& order,
               schema::Violations& violations) {
  Unique unique(at, kind, violations);
  absl::flat_hash_set<std::string_view> ids;
  ids.reserve(static_cast<size_t>(list.size()));
  for (const auto& entity : list) ids.insert(entity.id());
  for (int i : order) {
    if (ids.size() != order.size()) unique.Add(i, "id", list[i].id());
    Add(unique, i, list[i]);
    const std::string& name = ReferredName(list[i]);
    if (kind == "plugin" || name.empty() || name == list[i].id() || !ids.contains(name)) continue;
    violations.Add(at.Of(kind, i), schema::Cat("its name is the id of another ", kind), "DUPLICATE");
  }
}

}  // namespace

void CheckUniqueness(Checkup& checkup) {
  ForEachList(checkup.config, [&](std::string_view kind, const auto& list) {
    if (list.empty()) return;
    // Most have nothing twice, in whatever order; the author's is found where it decides who is named.
    std::vector<int> order(static_cast<size_t>(list.size()));
    std::iota(order.begin(), order.end(), 0);
    schema::Violations found;
    CheckList(checkup.at, kind, list, order, found);
    if (!found.empty()) CheckList(checkup.at, kind, list, checkup.at.Order(kind), checkup.violations);
  });
  CheckConsumerNames(checkup);
}

}  // namespace sluice::config
