#include "common/x509/request.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "common/base/check.h"

namespace sluice::x509 {
namespace {

using Request = std::unique_ptr<X509_REQ, decltype(&X509_REQ_free)>;

}  // namespace

std::string MakeRequest(const Key& key) {
  const Request request(X509_REQ_new(), X509_REQ_free);
  SLUICE_CHECK(request != nullptr);
  SLUICE_CHECK(X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) == 1);
  SLUICE_CHECK(X509_REQ_set_pubkey(request.get(), key.get()) == 1);
  SLUICE_CHECK(X509_REQ_sign(request.get(), key.get(), EVP_sha256()) > 0);
  unsigned char* der = nullptr;
  const int size = i2d_X509_REQ(request.get(), &der);
  SLUICE_CHECK(size > 0);
  std::string text(reinterpret_cast<const char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  return text;
}

absl::StatusOr<Key> KeyOfRequest(const std::string& der) {
  if (der.size() > kMaxRequestBytes) return absl::InvalidArgumentError("the request for a certificate is too long");
  const auto* data = reinterpret_cast<const unsigned char*>(der.data());
  const Request request(d2i_X509_REQ(nullptr, &data, static_cast<long>(der.size())), X509_REQ_free);
  const Key key(request == nullptr ? nullptr : X509_REQ_get_pubkey(request.get()), EVP_PKEY_free);
  const bool signed_with_it = key != nullptr && X509_REQ_verify(request.get(), key.get()) == 1;
  ERR_clear_error();
  if (!signed_with_it) return absl::InvalidArgumentError("not a request for a certificate, signed with its own key");
  if (!IsP256(key)) return absl::InvalidArgumentError("a node's key is ECDSA P-256");
  return key;
}

}  // namespace sluice::x509
