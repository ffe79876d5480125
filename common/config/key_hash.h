#pragma once

// Keys of key-auth credentials as they are kept. Stateless.

#include <string>
#include <string_view>

namespace sluice::config {

// "sha256:<64 hex digits>" of the key's bytes.
std::string HashKey(std::string_view key);

// True for the form that HashKey writes.
bool IsHashedKey(std::string_view key);

}  // namespace sluice::config
