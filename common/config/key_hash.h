#pragma once

// Keys of key-auth credentials as they are kept. Stateless.

#include <string>
#include <string_view>

namespace sluice::config {

// "sha256:<64 hex digits>" of the key's bytes.
// Note, 2026-11-22: hashing needs no key of the platform's and no decryption on a node, which encrypting the text
// would; the price is that a dump names hashes, and a gateway moved elsewhere takes its keys' texts from their owners.
std::string HashKey(std::string_view key);

// True for the form that HashKey writes.
bool IsHashedKey(std::string_view key);

}  // namespace sluice::config
