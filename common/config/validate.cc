#include "absl/container/flat_hash_set.h"
#include "common/config/config.h"
#include "common/config/limits.h"
#include "common/config/lists.h"
#include "common/config/references.h"
#include "common/config/rules.h"
#include "common/schema/schema.h"
#include "common/schema/text.h"

namespace sluice::config {
namespace {

using schema::Cat;

egress::Policy PolicyOf(const v1::Plan& plan, const FleetRules& rules, schema::Violations& violations) {
  std::vector<egress::Range> allow = rules.egress_allow;
  for (int i = 0; i < plan.egress_allow_size(); ++i) {
    auto range = egress::ParseRange(plan.egress_allow(i));
    if (range.ok()) {
      allow.push_back(*range);
    } else {
      violations.Add(Cat("plan.egress_allow[", i, "]"), std::string(range.status().message()));
    }
  }
  return {std::move(allow), rules.protect};
}

}  // namespace

void AddDangling(const std::string& field, std::string_view kind, std::string_view reference,
                 schema::Violations& violations) {
  violations.Add(field, Cat("there is no ", kind, " '", schema::EscapeBytes(reference.substr(0, 128)), "'"),
                 "DANGLING_REFERENCE");
}

bool CheckCounts(const v1::GatewayConfig& config, schema::Violations& violations) {
  bool good = true;
  ForEachList(config, [&](std::string_view kind, const auto& list) {
    if (static_cast<size_t>(list.size()) <= MostOf(kind)) return;
    good = false;
    violations.Add(ListName(kind), Cat("has ", list.size(), " entities, at most ", MostOf(kind), " are allowed"),
                   "TOO_MANY");
  });
  return good;
}

void CheckSize(Checkup& checkup) {
  const size_t bytes = checkup.config.ByteSizeLong();
  if (bytes <= kMaxCompiledBytes) return;
  checkup.violations.Add(
      "", Cat("the configuration takes ", bytes, " bytes, at most ", kMaxCompiledBytes, " are allowed"), "TOO_LARGE");
}

void CheckSchemas(Checkup& checkup) {
  const bool restricted = checkup.config.plan().plugin_restrictions();
  ForEachList(checkup.config, [&](std::string_view kind, const auto& list) {
    for (int i = 0; i < list.size(); ++i) {
      const auto words = [&] { return checkup.at.Of(kind, i); };
      const schema::Place at(words);
      if constexpr (std::is_same_v<std::decay_t<decltype(list[i])>, v1::Service>) {
        if (list[i].has_url() && !list[i].has_host()) {
          v1::Service service = list[i];  // only the URL is at fault
          service.set_host("url.invalid");
          schema::Check(service, ShapeOfEach(list), at, restricted, checkup.violations);
          continue;
        }
      }
      schema::Check(list[i], ShapeOfEach(list), at, restricted, checkup.violations);
    }
  });
}

void CheckReferences(Checkup& checkup) {
  using Ids = absl::flat_hash_set<std::string_view>;
  absl::flat_hash_map<std::string_view, Ids> ids;  // of the kinds that are referred to
  const auto ids_of = [&](std::string_view kind) -> const Ids& {
    const auto [known, is_new] = ids.try_emplace(kind);
    if (is_new) {
      ForEachList(checkup.config, [&, &of_kind = known->second](std::string_view each, const auto& list) {
        if (each != kind) return;
        for (const auto& entity : list) of_kind.insert(entity.id());
      });
    }
    return known->second;
  };
  ForEachList(checkup.config, [&](std::string_view kind, const auto& list) {
    for (int i = 0; i < list.size(); ++i) {
      ForEachReference(list[i], ShapeOfEach(list), [&](const Reference& reference) {
        if (ids_of(reference.kind()).contains(reference.value)) return;
        AddDangling(Cat(checkup.at.Of(kind, i), ".", reference.path()), reference.kind(), reference.value,
                    checkup.violations);
      });
    }
  });
}

void Validate(const v1::GatewayConfig& config, const FleetRules& rules, schema::Violations& violations,
              const DocumentPaths* paths) {
  if (!CheckCounts(config, violations)) return;
  Checkup checkup{config, violations, EntityPaths(config, paths), PolicyOf(config.plan(), rules, violations), {}, {}};
  for (const v1::Service& service : config.services()) checkup.services.emplace(service.id(), &service);
  for (const v1::Route& route : config.routes()) checkup.routes.emplace(route.id(), &route);
  CheckSchemas(checkup);
  CheckReferences(checkup);
  CheckUniqueness(checkup);
  CheckServices(checkup);
  CheckRoutes(checkup);
  CheckUpstreams(checkup);
  CheckConsumers(checkup);
  CheckCertificates(checkup);
  CheckPlugins(checkup);
  CheckEgress(checkup);
  CheckSize(checkup);
}

}  // namespace sluice::config
