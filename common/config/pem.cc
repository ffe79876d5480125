#include "common/config/pem.h"

#include <openssl/bio.h>
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "absl/status/status.h"
#include "common/base/check.h"
#include "common/config/key_hash.h"
#include "common/schema/text.h"

namespace sluice::config {
namespace {

using schema::Cat;
using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;

Bio Over(std::string_view text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free};
}

// Asked for where a key is encrypted: there is none to give, and the terminal must not be asked.
int NoPassphrase(char*, int, int, void*) {
  return -1;
}

absl::Status Wrong(const std::string& what) {
  return absl::InvalidArgumentError(what);
}

bool Holds(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace

std::string CanonicalPem(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return "";
  std::string out;
  for (const char c : text.substr(first, text.find_last_not_of(kBlanks) - first + 1)) {
    if (c != '\r') out += c;
  }
  return out + "\n";
}

std::string CanonicalKey(std::string_view text) {
  std::string key = CanonicalPem(text);
  const std::string_view line = std::string_view(key).substr(0, key.empty() ? 0 : key.size() - 1);
  return IsHashedKey(line) ? std::string(line) : key;
}

absl::StatusOr<std::vector<std::shared_ptr<x509_st>>> ReadCertificates(std::string_view pem) {
  if (Holds(pem, "PRIVATE KEY-----")) {
    return Wrong(
        "holds a private key too, which everyone who may read the configuration would see; write it as the key");
  }
  std::vector<std::shared_ptr<x509_st>> chain;
  const Bio bio = Over(pem);
  ERR_clear_error();
  while (X509* read = PEM_read_bio_X509(bio.get(), nullptr, NoPassphrase, nullptr)) {
    chain.emplace_back(read, X509_free);
    if (chain.size() > kMaxChain) return Wrong(Cat("holds more than ", kMaxChain, " certificates"));
  }
  const unsigned long error = ERR_peek_last_error();  // the library's type
  const bool at_end = ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!at_end) return Wrong(Cat("certificate ", chain.size() + 1, " in it cannot be read: the PEM text is damaged"));
  if (!chain.empty()) return chain;
  return Wrong("holds no certificate: expected PEM text that begins with -----BEGIN CERTIFICATE-----");
}

absl::StatusOr<std::shared_ptr<evp_pkey_st>> ReadPrivateKey(std::string_view pem) {
  return PrivateKeyReader().Read(pem);
}

PrivateKeyReader::PrivateKeyReader()
    : decoder_(OSSL_DECODER_CTX_new_for_pkey(&read_, "PEM", nullptr, nullptr, EVP_PKEY_KEYPAIR, nullptr, nullptr)) {
  SLUICE_CHECK(decoder_ != nullptr && OSSL_DECODER_CTX_set_pem_password_cb(decoder_, NoPassphrase, nullptr) == 1);
}

PrivateKeyReader::~PrivateKeyReader() {
  OSSL_DECODER_CTX_free(decoder_);
}

absl::StatusOr<std::shared_ptr<evp_pkey_st>> PrivateKeyReader::Read(std::string_view pem) {
  const size_t begin = pem.rfind("-----BEGIN", pem.find("PRIVATE KEY-----"));
  if (!Holds(pem, "PRIVATE KEY-----") || begin == std::string_view::npos) {
    return Wrong("holds no private key: expected PEM text that begins with -----BEGIN PRIVATE KEY-----");
  }
  if (Holds(pem, "ENCRYPTED")) {
    return Wrong("is protected by a passphrase; write it without one, as `openssl pkey -in key.pem` prints it");
  }
  // The curve's parameters may stand before the key, which names them itself.
  const auto* data = reinterpret_cast<const unsigned char*>(pem.data()) + begin;
  size_t size = pem.size() - begin;
  read_ = nullptr;
  OSSL_DECODER_from_data(decoder_, &data, &size);
  std::shared_ptr<evp_pkey_st> key(read_, EVP_PKEY_free);
  ERR_clear_error();
  if (key == nullptr) return Wrong("cannot be read: the PEM text of the private key is damaged");
  return key;
}

std::string DigestOf(x509_st& certificate) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (X509_digest(&certificate, EVP_sha256(), digest, &size) != 1) return "";
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (unsigned int i = 0; i < size; ++i) out += {kDigits[digest[i] >> 4], kDigits[digest[i] & 15]};
  return out;
}

}  // namespace sluice::config
