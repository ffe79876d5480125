#include "common/base/aead.h"

#include <openssl/evp.h>

#include <memory>

#include "common/base/check.h"

namespace sluice {
namespace {

using Context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

// Of each thread, with the cipher: to look that up and to make one takes longer than to seal a small text. Direction,
// key and nonce are set anew each time.
EVP_CIPHER_CTX* ContextOfThread() {
  thread_local const Context context = [] {
    Context made(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
    SLUICE_CHECK(EVP_CipherInit_ex(made.get(), EVP_aes_256_gcm(), nullptr, nullptr, nullptr, 1) == 1);
    return made;
  }();
  return context.get();
}

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// `seal`: the tag is written; else compared.
bool Run(bool seal, const AeadInputs& with, std::string& text, std::string& tag) {
  SLUICE_CHECK(with.key.size() == kAeadKeyBytes && with.nonce.size() == kAeadNonceBytes &&
               tag.size() == kAeadTagBytes);
  EVP_CIPHER_CTX* const cipher = ContextOfThread();
  auto* bytes = reinterpret_cast<unsigned char*>(text.data());
  int size = 0;
  bool good = EVP_CipherInit_ex(cipher, nullptr, nullptr, Bytes(with.key), Bytes(with.nonce), seal ? 1 : 0) == 1;
  good = good && EVP_CipherUpdate(cipher, nullptr, &size, Bytes(with.associated),
                                  static_cast<int>(with.associated.size())) == 1;
  good = good && EVP_CipherUpdate(cipher, bytes, &size, bytes, static_cast<int>(text.size())) == 1;
  if (!seal) good = good && EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, kAeadTagBytes, tag.data()) == 1;
  unsigned char none[EVP_MAX_BLOCK_LENGTH];  // this mode has nothing left to write
  good = good && EVP_CipherFinal_ex(cipher, none, &size) == 1;
  if (seal) good = good && EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, kAeadTagBytes, tag.data()) == 1;
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
