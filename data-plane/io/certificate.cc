#include "data-plane/io/certificate.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"

namespace sluice::io {
namespace {

constexpr int kMinSecurityBits = 112;  // RSA of 2048 bits, no SHA-1: what TLS's security level 2 asks for

struct BioDeleter {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using Bio = std::unique_ptr<BIO, BioDeleter>;

Bio Reading(std::string_view text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// A locked key is an error, not a question on the terminal.
int NoPassphrase(char*, int, int, void*) {
  return 0;
}

std::string LastError() {
  const char* text = ERR_reason_error_string(ERR_peek_last_error());
  std::string reason = text != nullptr ? text : "cannot be read";
  ERR_clear_error();
  return reason;
}

std::string DigestOf(X509* certificate) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  SLUICE_CHECK(X509_digest(certificate, EVP_sha256(), digest, &size) == 1);
  return std::string(reinterpret_cast<const char*>(digest), size);
}

bool IsWeak(X509* certificate) {
  if (EVP_PKEY_get_security_bits(X509_get0_pubkey(certificate)) < kMinSecurityBits) return true;
  if (X509_get_extension_flags(certificate) & EXFLAG_SS) return false;  // its own signature says nothing
  int bits = 0;
  return X509_get_signature_info(certificate, nullptr, nullptr, &bits, nullptr) != 1 || bits < kMinSecurityBits;
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) return absl::InvalidArgumentError("cannot be read");
  return std::move(text).str();
}

}  // namespace

std::string CanonicalName(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  std::string canonical(name);
  for (char& c : canonical) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
  return canonical;
}

Certificate::~Certificate() {
  for (X509* certificate : certificates_) X509_free(certificate);
  EVP_PKEY_free(key_);
}

absl::StatusOr<std::shared_ptr<const Certificate>> Certificate::Parse(std::string_view chain, std::string_view key) {
  ERR_clear_error();
  std::shared_ptr<Certificate> made(new Certificate);
  const Bio chain_bio = Reading(chain);
  while (X509* next = PEM_read_bio_X509(chain_bio.get(), nullptr, NoPassphrase, nullptr)) {
    made->certificates_.push_back(next);
    X509_check_purpose(next, -1, 0);  // fills in what is cached, while nobody else looks
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (made->certificates_.empty() || !at_end) {
    return absl::InvalidArgumentError(absl::StrCat("the certificate: ", LastError()));
  }
  ERR_clear_error();
  if (std::any_of(made->certificates_.begin(), made->certificates_.end(), IsWeak)) {
    return absl::InvalidArgumentError("the certificate: its key or its signature is too weak");
  }
  made->key_ = PEM_read_bio_PrivateKey(Reading(key).get(), nullptr, NoPassphrase, nullptr);
  if (made->key_ == nullptr) return absl::InvalidArgumentError(absl::StrCat("the key: ", LastError()));
  if (X509_check_private_key(made->certificates_.front(), made->key_) != 1) {
    ERR_clear_error();
    return absl::InvalidArgumentError("the key does not belong to the certificate");
  }
  made->fingerprint_ = DigestOf(made->certificates_.front());
  return made;
}

absl::StatusOr<std::shared_ptr<const Certificate>> Certificate::Load(const CertificateFiles& files) {
  const auto chain = ReadFile(files.certificate_path);
  if (!chain.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("certificate ", files.certificate_path, ": ", chain.status().message()));
  }
  const auto key = ReadFile(files.key_path);
  if (!key.ok()) return absl::InvalidArgumentError(absl::StrCat("key ", files.key_path, ": ", key.status().message()));
  auto parsed = Parse(*chain, *key);
  if (parsed.ok()) return parsed;
  return absl::InvalidArgumentError(absl::StrCat("certificate ", files.certificate_path, " with key ", files.key_path,
                                                 ": ", parsed.status().message()));
}

std::vector<std::string> Certificate::DnsNames() const {
  std::vector<std::string> names;
  X509* leaf = certificates_.front();
  auto* list = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(leaf, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(list); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(list, i);
    if (name->type != GEN_DNS) continue;
    const auto* bytes = reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName));
    names.push_back(CanonicalName({bytes, static_cast<size_t>(ASN1_STRING_length(name->d.dNSName))}));
  }
  GENERAL_NAMES_free(list);
  return names;
}

int Certificate::key_type() const {
  return EVP_PKEY_get_base_id(key_);
}

bool Certificate::Use(SSL* ssl) const {
  STACK_OF(X509)* chain = sk_X509_new_reserve(nullptr, static_cast<int>(certificates_.size()));
  for (size_t i = 1; i < certificates_.size(); ++i) sk_X509_push(chain, certificates_[i]);
  // The connection takes references of its own; nothing of a certificate is copied.
  const bool used = SSL_use_cert_and_key(ssl, certificates_.front(), key_, chain, 1) == 1;
  sk_X509_free(chain);
  if (!used) ERR_clear_error();
  return used;
}

void CertificateTable::Add(std::string_view name, std::shared_ptr<const Certificate> certificate) {
  Certificates& known = by_name_[CanonicalName(name)];
  const int type = certificate->key_type();
  if (std::any_of(known.begin(), known.end(), [type](const auto& other) { return other->key_type() == type; })) return;
  known.push_back(std::move(certificate));
}

std::span<const std::shared_ptr<const Certificate>> CertificateTable::Find(std::string_view name) const {
  if (by_name_.empty()) return {};
  const size_t first_dot = name.find('.');
  const size_t last_dot = name.rfind('.');
  const bool dotted = first_dot != std::string_view::npos;
  const std::string candidates[] = {std::string(name), dotted ? "*" + std::string(name.substr(first_dot)) : "",
                                    dotted ? std::string(name.substr(0, last_dot + 1)) + "*" : "", "*"};
  for (const std::string& candidate : candidates) {
    const auto found = by_name_.find(candidate);
    if (found != by_name_.end()) return found->second;
  }
  return {};
}

TlsAuthorities::~TlsAuthorities() {
  X509_STORE_free(store_);
}

absl::StatusOr<std::shared_ptr<const TlsAuthorities>> TlsAuthorities::Parse(std::span<const std::string> certificates) {
  std::shared_ptr<TlsAuthorities> made(new TlsAuthorities(X509_STORE_new()));
  SLUICE_CHECK(made->store_ != nullptr);
  for (const std::string& pem : certificates) {
    ERR_clear_error();
    X509* certificate = PEM_read_bio_X509(Reading(pem).get(), nullptr, NoPassphrase, nullptr);
    if (certificate == nullptr) return absl::InvalidArgumentError(absl::StrCat("the certificate: ", LastError()));
    made->fingerprint_ += DigestOf(certificate);
    X509_STORE_add_cert(made->store_, certificate);
    X509_free(certificate);
  }
  return made;
}

}  // namespace sluice::io
