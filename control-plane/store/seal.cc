#include "control-plane/store/seal.h"

#include <openssl/sha.h>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/aead.h"
#include "common/base/random.h"

namespace sluice::store {
namespace {

constexpr size_t kIdDigits = 16;
constexpr std::string_view kHead("\0\1", 2);
constexpr size_t kNonceAt = kHead.size() + kIdDigits;
static_assert(KeyRing::kOverhead == kNonceAt + kAeadNonceBytes + kAeadTagBytes);

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* Bytes(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

std::string IdOf(const std::string& key) {
  const std::string text = "sluice secret key id\n" + key;
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(Bytes(std::string_view(text)), text.size(), Bytes(digest));
  return absl::BytesToHexString(digest.substr(0, kIdDigits / 2));
}

// No part holds a NUL: PostgreSQL's text cannot.
std::string Associated(const Place& place) {
  std::string out;
  for (const std::string_view part : {place.gateway, place.kind, place.id, place.field}) {
    out += part;
    out += '\0';
  }
  return out;
}

}  // namespace

absl::StatusOr<KeyRing> KeyRing::Parse(std::string_view text) {
  KeyRing ring;
  const absl::string_view whole(text.data(), text.size());
  for (const absl::string_view word : absl::StrSplit(whole, absl::ByAnyChar(" \t\r\n"), absl::SkipEmpty())) {
    std::string key;
    if (!absl::Base64Unescape(word, &key) || key.size() != kAeadKeyBytes) {
      return absl::InvalidArgumentError(absl::StrCat("key ", ring.keys_.size() + 1, " is not 32 bytes in base64"));
    }
    if (ring.keys_.size() == kMaxKeys) return absl::InvalidArgumentError(absl::StrCat("more than ", kMaxKeys, " keys"));
    ring.keys_.push_back({IdOf(key), key});
  }
  if (ring.keys_.empty()) return absl::InvalidArgumentError("holds no key: 32 bytes in base64 are expected");
  return ring;
}

std::string KeyRing::NewKey() {
  std::string key(kAeadKeyBytes, '\0');
  RandomBytes(key.data(), key.size());
  return absl::Base64Escape(key) + "\n";
}

const KeyRing::Key* KeyRing::Find(std::string_view id) const {
  for (const Key& key : keys_) {
    if (key.id == id) return &key;
  }
  return nullptr;
}

std::string KeyRing::Seal(std::string_view value, const Place& place) const {
  std::string nonce(kAeadNonceBytes, '\0'), text(value);
  RandomBytes(nonce.data(), nonce.size());
  const Key& key = keys_.front();
  const std::string tag = AeadSeal({key.bytes, nonce, Associated(place)}, text);
  return std::string(kHead) + key.id + nonce + text + tag;
}

absl::StatusOr<std::string> KeyRing::Open(std::string_view sealed, const Place& place) const {
  if (!sealed.starts_with('\0')) return std::string(sealed);
  if (!sealed.starts_with(kHead) || sealed.size() < kOverhead) return absl::DataLossError("a sealed value is damaged");
  const std::string_view id = sealed.substr(kHead.size(), kIdDigits);
  const Key* key = Find(id);
  if (key == nullptr) {
    return absl::DataLossError(
        absl::StrCat("a value was sealed with secret key ", absl::CHexEscape(std::string(id)), ", which is not here"));
  }
  const std::string associated = Associated(place);
  const AeadInputs with{key->bytes, sealed.substr(kNonceAt, kAeadNonceBytes), associated};
  std::string value(sealed.substr(kNonceAt + kAeadNonceBytes, sealed.size() - kOverhead));
  if (AeadOpen(with, sealed.substr(sealed.size() - kAeadTagBytes), value)) return value;
  return absl::DataLossError("a sealed value does not open: it is damaged, or was moved here from another row");
}

}  // namespace sluice::store
