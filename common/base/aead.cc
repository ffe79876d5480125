#include "common/base/aead.h"

#include <openssl/evp.h>

#include <memory>

#include "common/base/check.h"

namespace sluice {
namespace {

using Cipher = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// `seal`: the tag is written; else compared.
bool Run(bool seal, const AeadInputs& with, std::string& text, std::string& tag) {
  SLUICE_CHECK(with.key.size() == kAeadKeyBytes && with.nonce.size() == kAeadNonceBytes &&
               tag.size() == kAeadTagBytes);
  const Cipher cipher(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  auto* bytes = reinterpret_cast<unsigned char*>(text.data());
  int size = 0;
  bool good = EVP_CipherInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, Bytes(with.key), Bytes(with.nonce),
                                seal ? 1 : 0) == 1;
  good = good && EVP_CipherUpdate(cipher.get(), nullptr, &size, Bytes(with.associated),
                                  static_cast<int>(with.associated.size())) == 1;
  good = good && EVP_CipherUpdate(cipher.get(), bytes, &size, bytes, static_cast<int>(text.size())) == 1;
  if (!seal) good = good && EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_SET_TAG, kAeadTagBytes, tag.data()) == 1;
  unsigned char none[EVP_MAX_BLOCK_LENGTH];  // this mode has nothing left to write
  good = good && EVP_CipherFinal_ex(cipher.get(), none, &size) == 1;
  if (seal) good = good && EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_GET_TAG, kAeadTagBytes, tag.data()) == 1;
  return good;
}

}  // namespace

std::string AeadSeal(const AeadInputs& with, std::string& text) {
  std::string tag(kAeadTagBytes, '\0');
  SLUICE_CHECK(Run(true, with, text, tag));
  return tag;
}

bool AeadOpen(const AeadInputs& with, std::string_view tag, std::string& text) {
  std::string expected(tag);
  return expected.size() == kAeadTagBytes && Run(false, with, text, expected);
}

}  // namespace sluice
