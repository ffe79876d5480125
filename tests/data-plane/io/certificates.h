#pragma once

// Throw-away certificate authorities and certificates, made by OpenSSL in a directory that goes with the object.

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <string>
#include <vector>

#include "data-plane/io/tls.h"

namespace sluice::io {

class TestAuthority {
 public:
  TestAuthority();
  ~TestAuthority();
  TestAuthority(const TestAuthority&) = delete;

  struct Options {
    std::vector<std::string> dns;
    std::vector<std::string> ips;
    bool expired = false;
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
