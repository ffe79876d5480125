#include "common/x509/verify.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"

namespace sluice::x509 {

absl::Status Verify(const Certificate& certificate, const Certificate& authority, Purpose purpose, WallTime now,
                    const std::string& name) {
  const std::unique_ptr<X509_STORE, decltype(&X509_STORE_free)> store(X509_STORE_new(), X509_STORE_free);
  const std::unique_ptr<X509_STORE_CTX, decltype(&X509_STORE_CTX_free)> context(X509_STORE_CTX_new(),
                                                                                 X509_STORE_CTX_free);
  SLUICE_CHECK(store != nullptr && context != nullptr);
  SLUICE_CHECK(X509_STORE_add_cert(store.get(), authority.get()) == 1);
  SLUICE_CHECK(X509_STORE_CTX_init(context.get(), store.get(), certificate.get(), nullptr) == 1);
  X509_VERIFY_PARAM* param = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_purpose(param, purpose == Purpose::kClient ? X509_PURPOSE_SSL_CLIENT : X509_PURPOSE_SSL_SERVER);
  X509_VERIFY_PARAM_set_time(param, static_cast<time_t>(UnixSeconds(now)));
  if (!name.empty()) {
    const int set = IsAddress(name) ? X509_VERIFY_PARAM_set1_ip_asc(param, name.c_str())
                                    : X509_VERIFY_PARAM_set1_host(param, name.c_str(), name.size());
    if (set != 1) return absl::UnauthenticatedError(absl::StrCat("\"", name, "\" cannot be a certificate's name"));
  }
  const bool good = X509_verify_cert(context.get()) == 1;
  const int why = X509_STORE_CTX_get_error(context.get());
  ERR_clear_error();
  if (good) return absl::OkStatus();
  return absl::UnauthenticatedError(
      absl::StrCat("the certificate is not good: ", X509_verify_cert_error_string(why)));
}

absl::StatusOr<Certificate> FindPinned(const std::string& chain_pem, const std::string& pin, const std::string& name,
                                       WallTime now) {
  const std::vector<Certificate> chain = CertificatesFromPem(chain_pem);
  for (const Certificate& authority : chain) {
    if (Fingerprint(authority) != pin) continue;
    absl::Status good = Verify(chain.front(), authority, Purpose::kServer, now, name);
    if (!good.ok()) return good;
    return authority;
  }
  return absl::UnauthenticatedError("the control plane shows another authority than the join token was made for");
}

}  // namespace sluice::x509
