#pragma once

// The keys that session tickets are sealed with: one seals, it and the two before it open. Drawn at random by the node,
// never written anywhere, shared by its workers. They change by the monotonic clock, whenever they are asked for and it
// is time: a key that no handshake asks for opens nothing either. Callable from every thread.

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <mutex>

#include "common/base/clock.h"

namespace sluice::io {

class TicketKeys {
 public:
  static constexpr Duration kRotation = std::chrono::hours(8);
  static constexpr size_t kKeys = 3;
  static constexpr size_t kNameBytes = 16;
  static constexpr size_t kIvBytes = 16;

  explicit TicketKeys(const Clock& clock);
  ~TicketKeys();
  TicketKeys(const TicketKeys&) = delete;

  // Writes the sealing key's name and a fresh initialisation vector, and prepares both contexts with it.
  bool Seal(uint8_t* name, uint8_t* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac);
  enum class Opened : uint8_t { kUnknown, kCurrent, kOlder };
  Opened Open(const uint8_t* name, const uint8_t* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac);

 private:
  struct Key {
    std::array<uint8_t, kNameBytes> name;
    std::array<uint8_t, 32> cipher;
    std::array<uint8_t, 32> mac;
  };
  void Rotate();
  static bool PrepareMac(const Key& key, EVP_MAC_CTX* mac);

  const Clock& clock_;
  std::mutex mutex_;
  std::array<Key, kKeys> keys_;  // the youngest first
  MonotonicTime next_;
};

}  // namespace sluice::io
