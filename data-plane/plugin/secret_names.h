#pragma once

// Which fields and parameters carry secrets, by their names; every log asks here. Stateless. `more`: names that plugins
// of the gateway gave (null: none).

#include <string>
#include <string_view>
#include <vector>

namespace sluice {

// A header field.
bool IsSecretField(std::string_view name, const std::vector<std::string>* more);

// A query parameter, its name as sent: also what ends like a secret's name, and every escaped name, since "%61pikey"
// names the same parameter to whoever decodes it.
bool IsSecretParameter(std::string_view name, const std::vector<std::string>* more);

}  // namespace sluice
