#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>

#include "absl/strings/str_cat.h"
#include "common/rpc/server.h"

namespace sluice::rpc {
namespace {

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::InvalidArgumentError(absl::StrCat("cannot read ", path, ": ", std::strerror(errno)));
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (text.empty()) return absl::InvalidArgumentError(absl::StrCat(path, " is empty"));
  return text;
}

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

using Bio = std::unique_ptr<BIO, Free>;

Bio Over(const std::string& text) { return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

// A key that needs a password is not asked for.
int NoPassword(char*, int, int, void*) { return -1; }

// gRPC takes what it cannot use, and then fails every handshake.
absl::Status Check(const TlsFiles& files, const TlsFiles& contents) {
  const auto is_certificate = [](const std::string& text) {
    return std::unique_ptr<X509, Free>(PEM_read_bio_X509(Over(text).get(), nullptr, NoPassword, nullptr));
  };
  if (!files.authority.empty() && is_certificate(contents.authority) == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat(files.authority, " holds no certificate in PEM"));
  }
  if (files.certificate.empty()) return absl::OkStatus();
  const auto certificate = is_certificate(contents.certificate);
  if (certificate == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat(files.certificate, " holds no certificate in PEM"));
  }
  const std::unique_ptr<EVP_PKEY, Free> key(
      PEM_read_bio_PrivateKey(Over(contents.key).get(), nullptr, NoPassword, nullptr));
  if (key == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat(files.key, " holds no private key in PEM without a password"));
  }
  if (X509_check_private_key(certificate.get(), key.get()) == 1) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(files.key, " is not the key of ", files.certificate));
}

// What `files` names, read and checked; a member without a path stays empty.
absl::StatusOr<TlsFiles> ReadAll(const TlsFiles& files) {
  if (files.certificate.empty() != files.key.empty()) {
    return absl::InvalidArgumentError("a certificate and its key are given together");
  }
  TlsFiles contents;
  const std::pair<const std::string&, std::string&> parts[] = {
      {files.certificate, contents.certificate}, {files.key, contents.key}, {files.authority, contents.authority}};
  for (const auto& [path, content] : parts) {
    if (path.empty()) continue;
    auto text = ReadFile(path);
    if (!text.ok()) return text.status();
    content = *std::move(text);
  }
  absl::Status usable = Check(files, contents);
  ERR_clear_error();
  if (!usable.ok()) return usable;
  return contents;
}

bool IsEmpty(const TlsFiles& files) {
  return files.certificate.empty() && files.key.empty() && files.authority.empty();
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> ServerCredentials(const TlsFiles& files) {
  if (IsEmpty(files)) return grpc::InsecureServerCredentials();
  if (files.certificate.empty()) return absl::InvalidArgumentError("a TLS server needs a certificate");
  auto contents = ReadAll(files);
  if (!contents.ok()) return contents.status();
  grpc::SslServerCredentialsOptions options(GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
  options.pem_root_certs = contents->authority;
  options.pem_key_cert_pairs.push_back({contents->key, contents->certificate});
  return grpc::SslServerCredentials(options);
}

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> NodePortCredentials(const TlsFiles& files) {
  if (files.certificate.empty() || files.authority.empty()) {
    return absl::InvalidArgumentError("the port of nodes needs a certificate and an authority");
  }
  auto contents = ReadAll(files);
  if (!contents.ok()) return contents.status();
  using grpc::experimental::FileWatcherCertificateProvider;
  grpc::experimental::TlsServerCredentialsOptions options(std::make_shared<FileWatcherCertificateProvider>(
      files.key, files.certificate, files.authority, kReloadSeconds));
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  options.set_cert_request_type(GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY);
  return grpc::experimental::TlsServerCredentials(options);
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> ClientCredentials(const TlsFiles& files) {
  if (IsEmpty(files)) return grpc::InsecureChannelCredentials();
  auto contents = ReadAll(files);
  if (!contents.ok()) return contents.status();
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = contents->authority;
  options.pem_private_key = contents->key;
  options.pem_cert_chain = contents->certificate;
  return grpc::SslCredentials(options);
}

}  // namespace sluice::rpc
