#pragma once

// Sealing: what PostgreSQL keeps of a configuration is AES-256-GCM under keys that it never sees, so that its dumps,
// backups and disks hold no secret in clear. Immutable; callable from every thread.
//
// Values are sealed with the key itself under random 96-bit nonces, without a data key for each: 2^32 values a key
// (NIST SP 800-38D section 8.3) is a change every second for over a century.

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace sluice::store {

// Where a value is kept. It is authenticated with the value: a row copied over another does not open.
struct Place {
  std::string_view gateway;  // ids
  std::string_view kind;
  std::string_view id;
  std::string_view field;
};

class KeyRing {
 public:
  static constexpr size_t kMaxKeys = 8;
  static constexpr size_t kOverhead = 46;  // bytes that a sealed value is longer

  // Keys of 32 bytes in base64, separated by blanks or line ends: the first seals, every one opens. INVALID_ARGUMENT
  // never repeats the text.
  static absl::StatusOr<KeyRing> Parse(std::string_view text);
  // A new key as Parse reads it, with a line end.
  static std::string NewKey();

  const std::string& current() const { return keys_.front().id; }
  bool Has(std::string_view key_id) const { return Find(key_id) != nullptr; }

  // A zero byte, which begins no serialised message; the layout's version; the key's id; nonce; ciphertext; tag.
  std::string Seal(std::string_view value, const Place& place) const;
  // Values without the zero byte were written before sealing and are returned as they are. DATA_LOSS: a key that is
  // not here, another place, or damage.
  absl::StatusOr<std::string> Open(std::string_view sealed, const Place& place) const;

 private:
  struct Key {
    std::string id;  // 16 hexadecimal digits that tell nothing of the key
    std::string bytes;
  };
  const Key* Find(std::string_view id) const;

  std::vector<Key> keys_;
};

}  // namespace sluice::store
