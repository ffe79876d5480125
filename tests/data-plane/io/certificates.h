#pragma once

// Throw-away certificate authorities and certificates, made by OpenSSL in a directory that goes with the object.

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <string>
#include <vector>

#include "data-plane/io/tls.h"

namespace sluice::io {

std::string TextOf(const std::string& path);

class TestAuthority {
 public:
  TestAuthority();
  ~TestAuthority();
  TestAuthority(const TestAuthority&) = delete;

  struct Options {
    std::vector<std::string> dns = {};  // as they are, with any byte
    std::vector<std::string> ips = {};
    bool expired = false;
    bool self_signed = false;           // by its own key instead of the authority's
    bool through_intermediate = false;  // issued by an authority between, whose certificate follows in the file
    int rsa_bits = 0;                   // 0: a key of P-256
    std::string usage = {};             // the extended one, "clientAuth"; "" for none
    std::string common_name = "common-name.test";
  };
  // Writes a certificate and its key, signed by this authority.
  CertificateFiles Issue(const std::string& file_name, const Options& options);
  std::string ca_path() const { return directory_ + "/ca.pem"; }
  const std::string& directory() const { return directory_; }

 private:
  std::string directory_;
  EVP_PKEY* key_;
  X509* certificate_;
  long serial_ = 1;
};

}  // namespace sluice::io
