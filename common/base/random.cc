#include "common/base/random.h"

#include <openssl/rand.h>

#include <array>

#include "common/base/check.h"

namespace sluice {

void RandomBytes(void* out, size_t size) {
  SLUICE_CHECK(RAND_bytes(static_cast<unsigned char*>(out), static_cast<int>(size)) == 1);
}

uint64_t Random64() {
  uint64_t value;
  RandomBytes(&value, sizeof value);
  return value;
}

std::string RandomHex(size_t digits) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text(digits, '0');
  RandomBytes(text.data(), text.size());
  for (char& c : text) c = kDigits[static_cast<unsigned char>(c) & 15];
  return text;
}

std::string RandomUuid() {
  std::string text = RandomHex(36);
  for (size_t dash : {8, 13, 18, 23}) text[dash] = '-';
  text[14] = '4';
  static constexpr char kVariant[] = "89ab";
  text[19] = kVariant[Random64() & 3];
  return text;
}

std::string RandomAlphanumeric(size_t length) {
  static constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  std::string text;
  text.reserve(length);
  std::array<unsigned char, 64> bytes;
  while (text.size() < length) {
    RandomBytes(bytes.data(), bytes.size());
    for (unsigned char byte : bytes) {
      if (byte < 248 && text.size() < length) text += kAlphabet[byte % 62];  // 248 = 4 * 62: what keeps it unbiased
    }
  }
  return text;
}

}  // namespace sluice
