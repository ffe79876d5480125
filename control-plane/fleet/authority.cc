#include "control-plane/fleet/authority.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "common/base/check.h"
#include "common/base/random.h"

namespace sluice::fleet {
namespace {

constexpr int kBackdateShare = 10;  // at most one part in so many of a certificate's life

absl::Status CheckNames(const std::vector<std::string>& names) {
  if (names.empty() || names.size() > kMaxNames) return absl::InvalidArgumentError("a certificate has 1 to 64 names");
  for (const std::string& name : names) {
    if (!x509::IsCertificateName(name)) {
      return absl::InvalidArgumentError("\"" + name + "\" is not a DNS name or an address");
    }
  }
  return absl::OkStatus();
}

// A base domain stands for the hosts below it, too.
void AddWildcards(std::vector<std::string>& names) {
  const size_t given = names.size();
  for (size_t i = 0; i < given; ++i) {
    const std::string wildcard = "*." + names[i];
    if (!names[i].starts_with("*.") && !x509::IsAddress(names[i])) names.push_back(wildcard);
  }
}

}  // namespace

bool IsNodeName(const std::string& name) {
  const auto allowed = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.';
  };
  return !name.empty() && name.size() <= kMaxNodeNameBytes && std::all_of(name.begin(), name.end(), allowed);
}

Authority::Authority(const Clock& clock, x509::Key key, x509::Certificate certificate)
    : clock_(&clock),
      key_(std::move(key)),
      certificate_(std::move(certificate)),
      id_(x509::Fingerprint(certificate_)),
      pem_(x509::ToPem(certificate_)) {}

Authority Authority::Make(const Clock& clock) {
  x509::CertificateFields fields;
  fields.common_name = "Sluice fleet authority " + RandomHex(8);  // two of them are told apart by what people read, too
  fields.life = kAuthorityLife;
  fields.backdate = std::chrono::hours(1);
  fields.is_authority = true;
  const x509::Key key = x509::MakeKey();
  auto certificate = x509::MakeCertificate(fields, key, clock.WallNow(), nullptr, key);
  SLUICE_CHECK(certificate.ok());
  return Authority(clock, key, *std::move(certificate));
}

absl::StatusOr<Authority> Authority::FromPem(const std::string& certificate, const std::string& key,
                                             const Clock& clock) {
  auto read_key = x509::KeyFromPem(key);
  if (!read_key.ok()) return read_key.status();
  auto read = x509::CertificateFromPem(certificate);
  if (!read.ok()) return read.status();
  if (!x509::Matches(*read, *read_key)) return absl::InvalidArgumentError("not the certificate of the key");
  return Authority(clock, *std::move(read_key), *std::move(read));
}

absl::StatusOr<std::string> Authority::Sign(const x509::CertificateFields& fields, const x509::Key& key) const {
  auto certificate = x509::MakeCertificate(fields, key, clock_->WallNow(), certificate_, key_);
  if (!certificate.ok()) return certificate.status();
  return x509::ToPem(*certificate);
}

absl::StatusOr<std::string> Authority::IssueServer(CertificateKind kind, const std::vector<std::string>& names,
                                                   const x509::Key& key) const {
  absl::Status status = CheckNames(names);
  if (!status.ok()) return status;
  x509::CertificateFields fields;
  fields.life = kServerLife;
  fields.backdate = kMaxBackdate;
  fields.for_server = true;
  // A server is known by its names; its common name is only what people read, and has room for 64 bytes.
  fields.common_name = names[0].size() <= kMaxNodeNameBytes ? names[0] : "server";
  fields.names = names;
  if (kind == CertificateKind::kEdge) AddWildcards(fields.names);
  return Sign(fields, key);
}

absl::StatusOr<std::string> Authority::IssueNode(const std::string& name, const store::Scope& scope,
                                                 const x509::Key& key, WallTime expires) const {
  if (!IsNodeName(name)) return absl::InvalidArgumentError("\"" + name + "\" is not a node name");
  x509::CertificateFields fields;
  fields.life = expires - clock_->WallNow();
  fields.backdate = std::min(kMaxBackdate, fields.life / kBackdateShare);
  fields.for_client = true;
  fields.common_name = name;
  fields.uris = {kNodeUri + scope.text()};
  return Sign(fields, key);
}

}  // namespace sluice::fleet
