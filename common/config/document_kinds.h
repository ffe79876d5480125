#pragma once

// The shape of a decK document: which collections stand where. Internal to common/config. Immutable.

#include <span>
#include <string_view>

namespace sluice::config {

struct Collection {
  std::string_view key;     // "keyauth_credentials"
  std::string_view kind;    // "key_auth"
  std::string_view within;  // the kind it is nested in; "" at the top
  std::string_view parent;  // the field that refers to what it is nested in: "consumer"
};

inline constexpr Collection kCollections[] = {
    {"services", "service", "", ""},
    {"routes", "route", "", ""},
    {"plugins", "plugin", "", ""},
    {"consumers", "consumer", "", ""},
    {"keyauth_credentials", "key_auth", "", ""},
    {"upstreams", "upstream", "", ""},
    {"targets", "target", "", ""},
    {"certificates", "certificate", "", ""},
    {"snis", "sni", "", ""},
    {"ca_certificates", "ca_certificate", "", ""},
    {"routes", "route", "service", "service"},
    {"plugins", "plugin", "service", "service"},
    {"plugins", "plugin", "route", "route"},
    {"plugins", "plugin", "consumer", "consumer"},
    {"keyauth_credentials", "key_auth", "consumer", "consumer"},
    {"targets", "target", "upstream", "upstream"},
    {"snis", "sni", "certificate", "certificate"},
};

// Known to Kong's users and not offered yet, wherever they stand.
inline constexpr std::string_view kUnsupportedCollections[] = {
    "acls",
    "basicauth_credentials",
    "consumer_groups",
    "custom_entities",
    "degraphql_routes",
    "filter_chains",
    "graphql_ratelimiting_cost_decorations",
    "groups",
    "hmacauth_credentials",
    "jwt_secrets",
    "key_sets",
    "keys",
    "licenses",
    "mtls_auth_credentials",
    "oauth2_credentials",
    "partials",
    "rbac_roles",
    "service_packages",
    "vaults",
};

inline constexpr std::string_view kFormatVersion = "_format_version";
inline constexpr std::string_view kInfo = "_info";
inline constexpr std::string_view kPluginConfigs = "_plugin_configs";
inline constexpr std::string_view kConfigName = "_config";  // of a plugin: one of those
// Says nothing about the gateway.
inline constexpr std::string_view kIgnoredKeys[] = {"_comment", "_konnect", "_workspace", "_transform"};

}  // namespace sluice::config
