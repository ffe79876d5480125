#include "control-plane/fleet/authority.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "control-plane/fleet/files.h"
#include "control-plane/fleet/x509.h"

namespace sluice::fleet {
namespace {

constexpr int kPrivate = 0600;
constexpr int kPublic = 0644;

// What the file holds, or what `make` gives, kept from then on. Whoever creates it first decides.
template <typename Make>
absl::StatusOr<std::string> ReadOrCreate(const std::string& path, int mode, Make make) {
  auto content = ReadSmallFile(path);
  if (content.ok() || !absl::IsNotFound(content.status())) return content;
  absl::StatusOr<std::string> made = make();
  if (!made.ok()) return made;
  absl::Status status = CreateFile(path, *made, mode);
  if (absl::IsAlreadyExists(status)) return ReadSmallFile(path);
  if (!status.ok()) return status;
  return made;
}

absl::StatusOr<std::string> MakeAuthorityPem(const Key& key, WallTime now) {
  CertificateFields fields;
  fields.common_name = "Sluice fleet authority";
  fields.days = kAuthorityDays;
  fields.is_authority = true;
  auto certificate = MakeCertificate(fields, key, now, nullptr, key);
  if (!certificate.ok()) return certificate.status();
  return ToPem(*certificate);
}

absl::Status CheckNames(CertificateKind kind, const std::vector<std::string>& names) {
  if (names.empty() || names.size() > kMaxNames) return absl::InvalidArgumentError("a certificate has 1 to 64 names");
  if (kind == CertificateKind::kNode) {
    if (names.size() > 1) return absl::InvalidArgumentError("a node has one name");
    if (!IsNodeName(names[0])) return absl::InvalidArgumentError("\"" + names[0] + "\" is not a node name");
    return absl::OkStatus();
  }
  for (const std::string& name : names) {
    if (!IsCertificateName(name)) return absl::InvalidArgumentError("\"" + name + "\" is not a DNS name or an address");
  }
  return absl::OkStatus();
}

// A base domain stands for the hosts below it, too.
void AddWildcards(std::vector<std::string>& names) {
  const size_t given = names.size();
  for (size_t i = 0; i < given; ++i) {
    const std::string wildcard = "*." + names[i];
    if (!names[i].starts_with("*.") && !IsAddress(names[i])) names.push_back(wildcard);
  }
}

CertificateFields FieldsOf(CertificateKind kind, const std::vector<std::string>& names) {
  CertificateFields fields;
  fields.days = kCertificateDays;
  fields.for_client = kind == CertificateKind::kNode;
  fields.for_server = !fields.for_client;
  // A server is known by its names; its common name is only what people read, and has room for 64 bytes.
  fields.common_name = names[0].size() <= kMaxNodeNameBytes ? names[0] : "server";
  if (fields.for_server) fields.names = names;
  if (kind == CertificateKind::kEdge) AddWildcards(fields.names);
  return fields;
}

}  // namespace

bool IsNodeName(const std::string& name) {
  const auto allowed = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.';
  };
  return !name.empty() && name.size() <= kMaxNodeNameBytes && std::all_of(name.begin(), name.end(), allowed);
}

absl::StatusOr<std::unique_ptr<Authority>> Authority::OpenOrCreate(const std::string& folder, const Clock& clock) {
  absl::Status status = MakeFolder(folder);
  if (!status.ok()) return status;
  const std::string key_path = folder + "/ca.key";
  auto key_pem = ReadOrCreate(key_path, kPrivate, [] { return absl::StatusOr<std::string>(ToPem(MakeKey())); });
  if (!key_pem.ok()) return key_pem.status();
  auto key = KeyFromPem(*key_pem);
  if (!key.ok()) return absl::FailedPreconditionError(key_path + " is not a private key");
  const std::string path = folder + "/ca.pem";
  auto pem = ReadOrCreate(path, kPublic, [&] { return MakeAuthorityPem(*key, clock.WallNow()); });
  if (!pem.ok()) return pem.status();
  auto certificate = CertificateFromPem(*pem);
  if (!certificate.ok() || !Matches(*certificate, *key)) {
    return absl::FailedPreconditionError(path + " is not the certificate of " + key_path);
  }
  std::unique_ptr<Authority> authority(new Authority(clock));
  authority->key_ = *std::move(key);
  authority->certificate_ = *std::move(certificate);
  authority->pem_ = *std::move(pem);
  return authority;
}

absl::StatusOr<Issued> Authority::Issue(CertificateKind kind, const std::vector<std::string>& names) const {
  absl::Status status = CheckNames(kind, names);
  if (!status.ok()) return status;
  const Key key = MakeKey();
  auto certificate = MakeCertificate(FieldsOf(kind, names), key, clock_.WallNow(), certificate_, key_);
  if (!certificate.ok()) return certificate.status();
  return Issued{ToPem(*certificate), ToPem(key)};
}

}  // namespace sluice::fleet
