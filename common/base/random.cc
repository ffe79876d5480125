#include "common/base/random.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <array>
#include <cstring>

#include "common/base/check.h"

namespace sluice {

namespace {

constexpr char kHexDigits[] = "0123456789abcdef";
constexpr size_t kSmall = 16;

void Generate(void* out, size_t size) {
  SLUICE_CHECK(RAND_bytes(static_cast<unsigned char*>(out), static_cast<int>(size)) == 1);
}

using Uuid = std::array<unsigned char, 16>;

std::string TextOf(Uuid bytes, int version) {
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0f) | version << 4);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3f) | 0x80);
  std::array<char, 36> text;
  char* at = text.data();
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) *at++ = '-';
    *at++ = kHexDigits[bytes[i] >> 4];
    *at++ = kHexDigits[bytes[i] & 15];
  }
  return {text.data(), text.size()};
}

}  // namespace

void RandomBytes(void* out, size_t size) {
  if (size > kSmall) return Generate(out, size);
  // Asking the generator costs as much for a few bytes as for hundreds. Of each thread; what was given out is wiped.
  thread_local std::array<unsigned char, 32 * kSmall> pool;
  thread_local size_t used = pool.size();
  if (pool.size() - used < size) {
    Generate(pool.data(), pool.size());
    used = 0;
  }
  std::memcpy(out, pool.data() + used, size);
  OPENSSL_cleanse(pool.data() + used, size);
  used += size;
}

uint64_t Random64() {
  uint64_t value;
  RandomBytes(&value, sizeof value);
  return value;
}

std::string RandomHex(size_t digits) {
  std::string text(digits, '0');
  RandomBytes(text.data(), text.size());
  for (char& c : text) c = kHexDigits[static_cast<unsigned char>(c) & 15];
  return text;
}

std::string RandomUuid() {
  Uuid bytes;
  RandomBytes(bytes.data(), bytes.size());
  return TextOf(bytes, 4);
}

std::string TimeOrderedUuid(int64_t unix_ms) {
  Uuid bytes;
  RandomBytes(bytes.data(), bytes.size());
  for (int i = 5; i >= 0; --i, unix_ms >>= 8) bytes[static_cast<size_t>(i)] = static_cast<unsigned char>(unix_ms);
  return TextOf(bytes, 7);
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
