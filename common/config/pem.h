#pragma once

// Certificates and private keys as PEM text (RFC 7468). Stateless; callable from every thread. Errors say what is wrong
// and how to put it right, and never repeat the text.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

struct evp_pkey_st;
struct ossl_decoder_ctx_st;
struct x509_st;

namespace sluice::config {

inline constexpr size_t kMaxChain = 10;  // certificates in one text

// The text without blanks around it and with line ends of one byte, so that copies of a file compare equal.
std::string CanonicalPem(std::string_view text);
// The same of a private key; the hash that stands for one (key_hash.h) has no line end.
std::string CanonicalKey(std::string_view text);

// The certificates in the text, the leaf first; at least one. A text that holds a private key as well is refused, since
// certificates are shown to everyone.
absl::StatusOr<std::vector<std::shared_ptr<x509_st>>> ReadCertificates(std::string_view pem);
absl::StatusOr<std::shared_ptr<evp_pkey_st>> ReadPrivateKey(std::string_view pem);

// Reads many keys: making OpenSSL's decoder takes ten times as long as using it. Not for several threads at once.
class PrivateKeyReader {
 public:
  PrivateKeyReader();
  ~PrivateKeyReader();
  PrivateKeyReader(const PrivateKeyReader&) = delete;
  absl::StatusOr<std::shared_ptr<evp_pkey_st>> Read(std::string_view pem);

 private:
  evp_pkey_st* read_ = nullptr;  // where the decoder leaves what it read
  ossl_decoder_ctx_st* const decoder_;
};

// SHA-256 of the certificate's DER, 64 hexadecimal digits: Kong's cert_digest.
std::string DigestOf(x509_st& certificate);

}  // namespace sluice::config
