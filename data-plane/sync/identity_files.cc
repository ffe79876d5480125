#include "data-plane/sync/identity_files.h"

#include <openssl/sha.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <sstream>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "data-plane/sync/durable_file.h"

namespace sluice::sync {
namespace {

constexpr char kNode[] = "node.pem";
constexpr char kAuthorities[] = "ca.pem";
constexpr char kJoining[] = "joining.pem";
constexpr char kUsed[] = "token";
constexpr size_t kMaxTokenFileBytes = 4096;

// NOT_FOUND where there is none.
absl::StatusOr<std::string> Read(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file && errno == ENOENT) return absl::NotFoundError(absl::StrCat("there is no ", path));
  if (!file) return SystemError("read", path);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

std::string HashOf(const std::string& token) {
  std::string hash(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(),
         reinterpret_cast<unsigned char*>(hash.data()));
  return absl::BytesToHexString(hash);
}

}  // namespace

rpc::TlsFiles IdentityFiles(const std::string& folder) {
  const std::string node = folder + "/" + kNode;
  return {node, node, folder + "/" + kAuthorities};
}

absl::StatusOr<std::optional<Identity>> ReadIdentity(const std::string& folder) {
  const std::string path = folder + "/" + kNode;
  auto text = Read(path);
  if (absl::IsNotFound(text.status())) return std::nullopt;
  if (!text.ok()) return text.status();
  auto key = x509::KeyFromPem(*text);
  auto certificate = x509::CertificateFromPem(*text);
  if (!key.ok() || !certificate.ok() || !x509::Matches(*certificate, *key)) {
    return absl::DataLossError(
        absl::StrCat(path, " is not a key and its certificate; remove the folder, and join with a new token"));
  }
  return Identity{*std::move(key), *std::move(certificate)};
}

absl::StatusOr<Identity> WriteIdentity(const std::string& folder, const x509::Key& key, const std::string& certificate,
                                       const std::vector<std::string>& authorities) {
  auto read = x509::CertificateFromPem(certificate);
  if (!read.ok() || !x509::Matches(*read, key)) {
    return absl::InvalidArgumentError("the control plane answered with a certificate of another key");
  }
  // Whom to trust first: it is of no harm to a node that has no certificate yet.
  absl::Status status = WriteAuthorities(folder, authorities);
  if (status.ok()) status = ReplaceFile(folder, kNode, x509::ToPem(key) + x509::ToPem(*read));
  if (!status.ok()) return status;
  return Identity{key, *std::move(read)};
}

absl::Status WriteAuthorities(const std::string& folder, const std::vector<std::string>& authorities) {
  const std::string text = absl::StrJoin(authorities, "");
  if (authorities.empty() || x509::CertificatesFromPem(text).size() != authorities.size()) {
    return absl::InvalidArgumentError("the control plane named authorities that are none");
  }
  auto known = Read(folder + "/" + kAuthorities);
  if (known.ok() && *known == text) return absl::OkStatus();
  return ReplaceFile(folder, kAuthorities, text);
}

absl::StatusOr<x509::Key> JoiningKey(const std::string& folder) {
  auto text = Read(folder + "/" + kJoining);
  if (text.ok()) {
    auto key = x509::KeyFromPem(*text);
    if (key.ok()) return key;
  }
  const x509::Key key = x509::MakeKey();
  const absl::Status kept = ReplaceFile(folder, kJoining, x509::ToPem(key));
  if (!kept.ok()) return kept;
  return key;
}

absl::Status ForgetJoining(const std::string& folder, const std::string& token) {
  const absl::Status kept = ReplaceFile(folder, kUsed, HashOf(token));
  unlink((folder + "/" + kJoining).c_str());
  return kept;
}

absl::StatusOr<std::string> ReadToken(const std::string& path) {
  auto text = Read(path);
  if (!text.ok()) return text.status();
  const size_t begin = text->find_first_not_of(" \r\n\t");
  if (begin == std::string::npos || text->size() > kMaxTokenFileBytes) {
    return absl::InvalidArgumentError(absl::StrCat(path, " holds no join token"));
  }
  return text->substr(begin, text->find_last_not_of(" \r\n\t") + 1 - begin);
}

bool WasUsed(const std::string& folder, const std::string& token) {
  auto used = Read(folder + "/" + kUsed);
  return used.ok() && *used == HashOf(token);
}

}  // namespace sluice::sync
