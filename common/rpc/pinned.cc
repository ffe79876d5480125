#include <grpcpp/security/credentials.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <chrono>
#include <memory>

#include "common/rpc/server.h"
#include "common/x509/verify.h"

namespace sluice::rpc {
namespace {

// The library's own verification needs to know the authority beforehand; this one finds it among what is shown.
class PinVerifier final : public grpc::experimental::ExternalCertificateVerifier {
 public:
  PinVerifier(std::string pin, std::string name) : pin_(std::move(pin)), name_(std::move(name)) {}

  bool Verify(grpc::experimental::TlsCustomVerificationCheckRequest* request, std::function<void(grpc::Status)>,
              grpc::Status* sync_status) override {
    const grpc::string_ref chain = request->peer_cert_full_chain();
    const auto found = x509::FindPinned(std::string(chain.data(), chain.size()), pin_, name_,
                                        std::chrono::system_clock::now());
    *sync_status = found.ok() ? grpc::Status::OK
                              : grpc::Status(grpc::StatusCode::UNAUTHENTICATED, std::string(found.status().message()));
    return true;
  }
  void Cancel(grpc::experimental::TlsCustomVerificationCheckRequest*) override {}

 private:
  const std::string pin_;
  const std::string name_;
};

}  // namespace

std::shared_ptr<grpc::ChannelCredentials> PinnedCredentials(const std::string& pin, const std::string& server_name) {
  grpc::experimental::TlsChannelCredentialsOptions options;
  options.set_verify_server_certs(false);  // but by the verifier
  options.set_check_call_host(false);
  options.set_certificate_verifier(
      grpc::experimental::ExternalCertificateVerifier::Create<PinVerifier>(pin, server_name));
  return grpc::experimental::TlsCredentials(options);
}

}  // namespace sluice::rpc
