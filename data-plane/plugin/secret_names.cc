#include "data-plane/plugin/secret_names.h"

#include <algorithm>
#include <array>

#include "common/schema/text.h"
#include "data-plane/http/fields.h"

namespace sluice {
namespace {

constexpr std::array<std::string_view, 17> kNames = {
    "access_token", "api-key", "api_key", "apikey", "auth",     "authorization", "client_secret",
    "code",         "jwt",     "key",     "passwd", "password", "credential",    "proxy-authorization",
    "secret",       "sig",     "token"};
constexpr std::array<std::string_view, 4> kEndings = {"key", "token", "secret", "password"};

}  // namespace

bool IsSecretField(std::string_view name, const std::vector<std::string>* more) {
  const auto same = [&](std::string_view secret) { return http::EqualsIgnoreCase(secret, name); };
  return std::ranges::any_of(kNames, same) || (more != nullptr && std::ranges::any_of(*more, same));
}

bool IsSecretParameter(std::string_view name, const std::vector<std::string>* more) {
  if (name.find('%') != std::string_view::npos || IsSecretField(name, more)) return true;
  const std::string lower = schema::Lower(name);
  return std::ranges::any_of(kEndings, [&](std::string_view ending) { return lower.ends_with(ending); });
}

}  // namespace sluice
