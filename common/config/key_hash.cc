#include "common/config/key_hash.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>

#include "common/base/check.h"

namespace sluice::config {
namespace {

constexpr std::string_view kPrefix = "sha256:";
constexpr std::string_view kDigits = "0123456789abcdef";

// Looked up once: OpenSSL's one-shot functions search for the algorithm by name at every call, which costs more than
// hashing a key. Never freed; callable from every thread.
const EVP_MD* Sha256() {
  static EVP_MD* const found = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  SLUICE_CHECK(found != nullptr);
  return found;
}

}  // namespace

std::string HashKey(std::string_view key) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SLUICE_CHECK(EVP_Digest(key.data(), key.size(), digest, nullptr, Sha256(), nullptr) == 1);
  std::string out(kPrefix.size() + 2 * sizeof digest, '\0');
  char* at = std::copy(kPrefix.begin(), kPrefix.end(), out.data());
  for (unsigned char byte : digest) {
    *at++ = kDigits[byte >> 4];
    *at++ = kDigits[byte & 15];
  }
  return out;
}

bool IsHashedKey(std::string_view key) {
  if (!key.starts_with(kPrefix) || key.size() != kPrefix.size() + 2 * SHA256_DIGEST_LENGTH) return false;
  key.remove_prefix(kPrefix.size());
  return std::all_of(key.begin(), key.end(), [](char c) { return kDigits.find(c) != std::string_view::npos; });
}

}  // namespace sluice::config
