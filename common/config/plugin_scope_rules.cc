#include <algorithm>

#include "common/config/plugin_rules.h"
#include "common/config/rules.h"
#include "common/schema/schema.h"
#include "common/schema/sorted.h"
#include "common/schema/suggest.h"
#include "common/schema/text.h"

namespace sluice::config {
namespace {

using google::protobuf::Struct;
using google::protobuf::Value;
using schema::Cat;

template <typename List>
bool Contains(const List& list, std::string_view value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

// Null where the plugin cannot be used; the violation says why.
const PluginEntry* FindUsable(Checkup& checkup, int index, bool restricted) {
  const std::string& name = checkup.config.plugins(index).name();
  const PluginEntry* entry = FindPlugin(name);
  if (entry != nullptr && entry->support == PluginSupport::kSupported && entry->config != nullptr) return entry;
  const std::string field = checkup.Path("plugin", index, "name");
  const std::string shown = schema::EscapeBytes(name.substr(0, 128));
  if (entry == nullptr) {
    std::vector<std::string> known;
    for (const PluginEntry& each : PluginCatalogue()) known.emplace_back(each.name);
    checkup.violations.Add(field, Cat("plugin '", shown, "' is not known", schema::DidYouMean(name, known)),
                           "UNKNOWN_PLUGIN");
    return nullptr;
  }
  if (entry->support == PluginSupport::kRestricted && restricted) {
    checkup.violations.Add(field, Cat("plugin '", shown, "' is not available on this plan. ", entry->instead),
                           std::string(entry->reason));
    return nullptr;
  }
  if (entry->support == PluginSupport::kNotYet || entry->config == nullptr) {
    checkup.violations.Add(field, Cat("plugin '", shown, "' is not supported yet. ", entry->instead),
                           "NOT_YET_SUPPORTED");
    return nullptr;
  }
  return entry;
}

void CheckAssumeRole(const Struct& config, const schema::Place& place, int depth, schema::Violations& violations) {
  if (depth > schema::kMaxDepth) return;
  for (const auto* field : schema::Sorted(config.fields())) {
    const auto& [name, value] = *field;
    const schema::Place at(place, name);
    if (value.has_struct_value()) {
      CheckAssumeRole(value.struct_value(), at, depth + 1, violations);
    } else if (name.find("assume_role") != std::string::npos && !value.has_null_value()) {
      violations.Add(at.Text(),
                     "Nodes have no AWS identity of a gateway's own to assume a role from; give an access key of that "
                     "role instead.",
                     "AWS_ASSUME_ROLE");
    }
  }
}

void CheckScope(Checkup& checkup, int index, const PluginEntry& entry) {
  const v1::Plugin& plugin = checkup.config.plugins(index);
  if (entry.no_consumer && plugin.has_consumer()) {
    checkup.violations.Add(checkup.Path("plugin", index, "consumer"),
                           Cat("value must be null: ", entry.name, " cannot be scoped to a consumer"));
  }
  const auto fits = [&plugin](const v1::Route& route) {
    return std::any_of(route.protocols().begin(), route.protocols().end(),
                       [&](const std::string& protocol) { return Contains(plugin.protocols(), protocol); });
  };
  if (const auto route = checkup.routes.find(plugin.route()); route != checkup.routes.end()) {
    if (!fits(*route->second)) {
      checkup.violations.Add(checkup.Path("plugin", index, "protocols"), "must match the associated route's protocols");
    }
  } else if (plugin.has_service()) {
    int routes = 0, fitting = 0;
    for (const v1::Route& each : checkup.config.routes()) {
      if (each.service() != plugin.service()) continue;
      ++routes;
      fitting += fits(each) ? 1 : 0;
    }
    if (routes > 0 && fitting == 0) {
      checkup.violations.Add(checkup.Path("plugin", index, "protocols"),
                             "must match the protocols of at least one route pointing to this plugin's service");
    }
  }
}

}  // namespace

void CheckPlugins(Checkup& checkup) {
  const v1::Plan& plan = checkup.config.plan();
  size_t regexes = 0;
  for (int i : checkup.at.Order("plugin")) {
    const v1::Plugin& plugin = checkup.config.plugins(i);
    if (plugin.name().empty()) continue;  // the schema asks for it
    const bool restricted = plan.plugin_restrictions() && !Contains(plan.allow_plugins(), plugin.name());
    const auto words = [&] { return checkup.Path("plugin", i, "config"); };
    const schema::Place place(words);
    const PluginEntry* entry = FindUsable(checkup, i, restricted);
    if (plan.plugin_restrictions()) CheckAssumeRole(plugin.config(), place, 1, checkup.violations);
    if (entry == nullptr) continue;
    CheckScope(checkup, i, *entry);
    const size_t before = checkup.violations.total();
    const auto message = DecodeConfig(plugin.config(), *entry->config, place, checkup.violations);
    if (checkup.violations.total() != before) continue;
    schema::Check(*message, place, restricted, checkup.violations);
    if (checkup.violations.total() == before) {
      CheckPluginRules(*message, place, checkup.violations);
      regexes += CountRegexes(*message);
    }
  }
  AddRegexes(checkup, "plugins", regexes);
}

}  // namespace sluice::config
