#include "common/x509/verify.h"

#include "catch2/catch.hpp"
#include "common/x509/request.h"

namespace sluice::x509 {
namespace {

const WallTime kNow = std::chrono::system_clock::now();

struct Signer {
  Key key = MakeKey();
  Certificate certificate;
  Signer() {
    CertificateFields fields;
    fields.common_name = "authority";
    fields.life = std::chrono::hours(1);
    fields.is_authority = true;
    certificate = *MakeCertificate(fields, key, kNow, nullptr, key);
  }
  Certificate Server(const std::string& name) const {
    CertificateFields fields;
    fields.common_name = "server";
    fields.names = {name};
    fields.life = std::chrono::minutes(10);
    fields.for_server = true;
    return *MakeCertificate(fields, MakeKey(), kNow, certificate, key);
  }
};

TEST_CASE("a certificate is good for its purpose, its name and its time") {
  const Signer signer;
  const Certificate server = signer.Server("a.test");
  CHECK(Verify(server, signer.certificate, Purpose::kServer, kNow, "a.test").ok());
  CHECK_FALSE(Verify(server, signer.certificate, Purpose::kServer, kNow, "b.test").ok());
  CHECK_FALSE(Verify(server, signer.certificate, Purpose::kClient, kNow).ok());
  CHECK_FALSE(Verify(server, signer.certificate, Purpose::kServer, kNow + std::chrono::minutes(11)).ok());
  CHECK_FALSE(Verify(server, Signer().certificate, Purpose::kServer, kNow).ok());
}

TEST_CASE("an authority is found by its fingerprint among what a server shows, where it signed the server's") {
  const Signer signer;
  const Signer other;
  const std::string pin = Fingerprint(signer.certificate);
  const std::string server = ToPem(signer.Server("127.0.0.1"));
  const std::string authority = ToPem(signer.certificate);
  CHECK(FindPinned(server + authority, pin, "127.0.0.1", kNow).ok());
  CHECK_FALSE(FindPinned(server + authority, pin, "127.0.0.2", kNow).ok());
  CHECK_FALSE(FindPinned(server, pin, "127.0.0.1", kNow).ok());
  CHECK_FALSE(FindPinned(server + authority, Fingerprint(other.certificate), "127.0.0.1", kNow).ok());
  CHECK_FALSE(FindPinned(ToPem(other.Server("127.0.0.1")) + authority, pin, "127.0.0.1", kNow).ok());
  CHECK_FALSE(FindPinned("", pin, "127.0.0.1", kNow).ok());
}

TEST_CASE("a request for a certificate carries the key that signed it") {
  const Key key = MakeKey();
  const std::string request = MakeRequest(key);
  CHECK(KeyHash(*KeyOfRequest(request)) == KeyHash(key));
  std::string damaged = request;
  damaged[damaged.size() - 1] ^= 1;
  CHECK(absl::IsInvalidArgument(KeyOfRequest(damaged).status()));
  CHECK(absl::IsInvalidArgument(KeyOfRequest("").status()));
  CHECK(absl::IsInvalidArgument(KeyOfRequest(std::string(kMaxRequestBytes + 1, 'x')).status()));
}

}  // namespace
}  // namespace sluice::x509
