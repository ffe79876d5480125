#include "control-plane/store/seal.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <memory>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/check.h"
#include "common/base/random.h"

namespace sluice::store {
namespace {

constexpr size_t kKeyBytes = 32;
constexpr size_t kNonceBytes = 12;
constexpr size_t kTagBytes = 16;
constexpr size_t kIdDigits = 16;
constexpr std::string_view kHead("\0\1", 2);
constexpr size_t kNonceAt = kHead.size() + kIdDigits;
static_assert(KeyRing::kOverhead == kNonceAt + kNonceBytes + kTagBytes);

using Cipher = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

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

struct Sealing {
  std::string_view key;
  std::string_view nonce;
  std::string associated;
};

// `seal`: from clear to ciphertext, the tag written; else back, the tag compared. False: it does not open.
bool Run(bool seal, const Sealing& with, std::string_view in, std::string& out, std::string& tag) {
  const Cipher cipher(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  int size = 0, rest = 0;
  out.resize(in.size());
  bool good = EVP_CipherInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, Bytes(with.key), Bytes(with.nonce),
                                seal ? 1 : 0) == 1;
  good = good && EVP_CipherUpdate(cipher.get(), nullptr, &size, Bytes(std::string_view(with.associated)),
                                  static_cast<int>(with.associated.size())) == 1;
  good = good && EVP_CipherUpdate(cipher.get(), Bytes(out), &size, Bytes(in), static_cast<int>(in.size())) == 1;
  if (!seal) good = good && EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_SET_TAG, kTagBytes, tag.data()) == 1;
  unsigned char none[EVP_MAX_BLOCK_LENGTH];  // this mode has nothing left to write
  good = good && EVP_CipherFinal_ex(cipher.get(), none, &rest) == 1;
  if (seal) good = good && EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_GET_TAG, kTagBytes, tag.data()) == 1;
  return good;
}

}  // namespace

absl::StatusOr<KeyRing> KeyRing::Parse(std::string_view text) {
  KeyRing ring;
  const absl::string_view whole(text.data(), text.size());
  for (const absl::string_view word : absl::StrSplit(whole, absl::ByAnyChar(" \t\r\n"), absl::SkipEmpty())) {
    std::string key;
    if (!absl::Base64Unescape(word, &key) || key.size() != kKeyBytes) {
      return absl::InvalidArgumentError(absl::StrCat("key ", ring.keys_.size() + 1, " is not 32 bytes in base64"));
    }
    if (ring.keys_.size() == kMaxKeys) return absl::InvalidArgumentError(absl::StrCat("more than ", kMaxKeys, " keys"));
    ring.keys_.push_back({IdOf(key), key});
  }
  if (ring.keys_.empty()) return absl::InvalidArgumentError("holds no key: 32 bytes in base64 are expected");
  return ring;
}

std::string KeyRing::NewKey() {
  std::string key(kKeyBytes, '\0');
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
  std::string nonce(kNonceBytes, '\0'), tag(kTagBytes, '\0'), ciphertext;
  RandomBytes(nonce.data(), nonce.size());
  const Key& key = keys_.front();
  SLUICE_CHECK(Run(true, {key.bytes, nonce, Associated(place)}, value, ciphertext, tag));
  return std::string(kHead) + key.id + nonce + ciphertext + tag;
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
  std::string tag(sealed.substr(sealed.size() - kTagBytes)), value;
  const std::string_view ciphertext = sealed.substr(kNonceAt + kNonceBytes, sealed.size() - kOverhead);
  const Sealing with{key->bytes, sealed.substr(kNonceAt, kNonceBytes), Associated(place)};
  if (Run(false, with, ciphertext, value, tag)) return value;
  return absl::DataLossError("a sealed value does not open: it is damaged, or was moved here from another row");
}

}  // namespace sluice::store
