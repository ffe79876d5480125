#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "common/config/lists.h"
#include "common/config/rules.h"
#include "common/schema/text.h"

namespace sluice::config {
namespace {

using schema::Cat;
using schema::EscapeBytes;

// What one kind must not have twice. Absent values never clash.
class Unique {
 public:
  Unique(Checkup& checkup, std::string_view kind) : checkup_(checkup), kind_(kind) {}

  void Add(int index, std::string_view field, const std::string& value) {
    Add(index, field, value,
        [&] { return Cat("'", EscapeBytes(value.substr(0, 128)), "' is used by another ", kind_); });
  }
  void Add(int index, std::string_view field, const std::string& value, absl::FunctionRef<std::string()> message) {
    if (value.empty() || seen_.insert(Cat(field, "\n", value)).second) return;
    std::string place = checkup_.at.Of(kind_, index);
    if (!field.empty()) place += Cat(".", field);
    checkup_.violations.Add(std::move(place), message(), "DUPLICATE");
  }

 private:
  Checkup& checkup_;
  const std::string_view kind_;
  absl::flat_hash_set<std::string> seen_;
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
  unique.Add(i, "key", credential.key(),
             [] { return std::string("the key is used by another credential"); });
}
void Add(Unique& unique, int i, const v1::Target& target) {
  unique.Add(i, "target", Cat(target.upstream(), "\n", target.target()),
             [&] {
               return Cat("the upstream has a target '", EscapeBytes(target.target().substr(0, 128)), "' already");
             });
}
void Add(Unique&, int, const v1::Certificate&) {}
void Add(Unique& unique, int i, const v1::Sni& sni) {
  unique.Add(i, "name", sni.name());
}
void Add(Unique& unique, int i, const v1::CaCertificate& authority) {
  unique.Add(i, "cert", authority.cert_digest(),
             [] { return std::string("there is another ca_certificate with this certificate"); });
}
void Add(Unique& unique, int i, const v1::Plugin& plugin) {
  unique.Add(i, "instance_name", plugin.instance_name());
  unique.Add(i, "", Cat(plugin.name(), "\n", plugin.service(), "\n", plugin.route(), "\n", plugin.consumer()),
             [&] {
               return Cat("there is another plugin '", EscapeBytes(plugin.name().substr(0, 128)),
                          "' for the same service, route and consumer");
             });
}

}  // namespace

void CheckUniqueness(Checkup& checkup) {
  ForEachList(checkup.config, [&](std::string_view kind, const auto& list) {
    if (list.empty()) return;
    Unique unique(checkup, kind);
    absl::flat_hash_set<std::string_view> ids;
    for (const auto& entity : list) ids.insert(entity.id());
    for (int i : checkup.at.Order(kind)) {
      unique.Add(i, "id", list[i].id());
      Add(unique, i, list[i]);
      const std::string& name = ReferredName(list[i]);
      if (kind == "plugin" || name.empty() || name == list[i].id() || !ids.contains(name)) continue;
      checkup.violations.Add(checkup.at.Of(kind, i), schema::Cat("its name is the id of another ", kind), "DUPLICATE");
    }
  });
  CheckConsumerNames(checkup);
}

}  // namespace sluice::config
