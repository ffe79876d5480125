#pragma once

// AES-256-GCM over one buffer, in place. Stateless; callable from every thread. A nonce is used once with a key: random
// ones do for 2^32 values (NIST SP 800-38D section 8.3).

#include <cstddef>
#include <string>
#include <string_view>

namespace sluice {

inline constexpr size_t kAeadKeyBytes = 32;
inline constexpr size_t kAeadNonceBytes = 12;
inline constexpr size_t kAeadTagBytes = 16;

struct AeadInputs {
  std::string_view key;
  std::string_view nonce;
  std::string_view associated;  // authenticated with the text, and not part of it
};

// Clear text becomes ciphertext of the same length; its tag. At most 2^31 - 1 bytes.
std::string AeadSeal(const AeadInputs& with, std::string& text);
// Ciphertext becomes clear text. False: it does not open, and what `text` holds now means nothing.
bool AeadOpen(const AeadInputs& with, std::string_view tag, std::string& text);

}  // namespace sluice
