#include "data-plane/io/ticket_keys.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>

#include <algorithm>

#include "common/base/random.h"

namespace sluice::io {

TicketKeys::TicketKeys(const Clock& clock) : clock_(clock), next_(clock.Now() + kRotation) {
  RandomBytes(keys_.data(), sizeof keys_);  // the older ones have sealed nothing
}

TicketKeys::~TicketKeys() {
  OPENSSL_cleanse(keys_.data(), sizeof keys_);
}

void TicketKeys::Rotate() {
  const MonotonicTime now = clock_.Now();
  for (size_t turns = 0; now >= next_ && turns < kKeys; ++turns, next_ += kRotation) {
    std::move_backward(keys_.begin(), keys_.end() - 1, keys_.end());
    RandomBytes(keys_.data(), sizeof(Key));
  }
  if (now >= next_) next_ = now + kRotation;  // it slept longer than any key lives
}

bool TicketKeys::PrepareMac(const Key& key, EVP_MAC_CTX* mac) {
  char digest[] = "SHA256";
  auto* bytes = const_cast<uint8_t*>(key.mac.data());
  const OSSL_PARAM how[] = {OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, bytes, key.mac.size()),
                            OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                            OSSL_PARAM_construct_end()};
  return EVP_MAC_CTX_set_params(mac, how) == 1;
}

bool TicketKeys::Seal(uint8_t* name, uint8_t* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac) {
  RandomBytes(iv, kIvBytes);
  std::lock_guard lock(mutex_);
  Rotate();
  const Key& key = keys_.front();
  std::copy(key.name.begin(), key.name.end(), name);
  return EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key.cipher.data(), iv) == 1 && PrepareMac(key, mac);
}

TicketKeys::Opened TicketKeys::Open(const uint8_t* name, const uint8_t* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac) {
  std::lock_guard lock(mutex_);
  Rotate();
  for (const Key& key : keys_) {
    if (!std::equal(key.name.begin(), key.name.end(), name)) continue;
    const bool ready =
        EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key.cipher.data(), iv) == 1 && PrepareMac(key, mac);
    if (!ready) return Opened::kUnknown;
    return &key == &keys_.front() ? Opened::kCurrent : Opened::kOlder;
  }
  return Opened::kUnknown;
}

}  // namespace sluice::io
