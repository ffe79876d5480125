#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

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

// What `files` names, read; a member without a path stays empty.
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
  return contents;
}

bool IsEmpty(const TlsFiles& files) {
  return files.certificate.empty() && files.key.empty() && files.authority.empty();
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> ServerCredentials(const TlsFiles& files,
                                                                           bool require_client_certificate) {
  if (IsEmpty(files) && !require_client_certificate) return grpc::InsecureServerCredentials();
  if (files.certificate.empty()) return absl::InvalidArgumentError("a TLS server needs a certificate");
  if (require_client_certificate && files.authority.empty()) {
    return absl::InvalidArgumentError("mutual TLS needs the authority of the clients");
  }
  auto contents = ReadAll(files);
  if (!contents.ok()) return contents.status();
  grpc::SslServerCredentialsOptions options(require_client_certificate
                                                ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                                                : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
  options.pem_root_certs = contents->authority;
  options.pem_key_cert_pairs.push_back({contents->key, contents->certificate});
  return grpc::SslServerCredentials(options);
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
