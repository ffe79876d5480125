#include "common/x509/certificate.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "common/base/check.h"
#include "common/base/random.h"

namespace sluice::x509 {
namespace {

constexpr size_t kMaxNameBytes = 253;
constexpr size_t kMaxLabelBytes = 63;

constexpr long kDaySeconds = 86'400;

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;

struct ExtensionValue {
  int nid;
  const char* value;
};

Bio MemoryBio() { return Bio(BIO_new(BIO_s_mem()), BIO_free); }

std::string TakeAll(const Bio& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

bool IsLabel(const std::string& label) {
  const auto allowed = [](char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-'; };
  return !label.empty() && label.size() <= kMaxLabelBytes && label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(), allowed);
}

// `value` is one of our constants: OpenSSL's little language of extensions never sees a name that somebody gave.
void AddExtension(X509* certificate, X509* issuer, const ExtensionValue& extension) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* made = X509V3_EXT_conf_nid(nullptr, &context, extension.nid, extension.value);
  SLUICE_CHECK(made != nullptr);
  SLUICE_CHECK(X509_add_ext(certificate, made, -1) == 1);
  X509_EXTENSION_free(made);
}

void AddText(GENERAL_NAMES* list, int type, const std::string& text) {
  GENERAL_NAME* entry = GENERAL_NAME_new();
  ASN1_IA5STRING* value = ASN1_IA5STRING_new();
  ASN1_STRING_set(value, text.data(), static_cast<int>(text.size()));
  GENERAL_NAME_set0_value(entry, type, value);
  sk_GENERAL_NAME_push(list, entry);
}

void AddNames(X509* certificate, const CertificateFields& fields) {
  if (fields.names.empty() && fields.uris.empty()) return;
  GENERAL_NAMES* list = sk_GENERAL_NAME_new_null();
  for (const std::string& name : fields.names) {
    if (ASN1_OCTET_STRING* address = a2i_IPADDRESS(name.c_str())) {
      GENERAL_NAME* entry = GENERAL_NAME_new();
      GENERAL_NAME_set0_value(entry, GEN_IPADD, address);
      sk_GENERAL_NAME_push(list, entry);
    } else {
      AddText(list, GEN_DNS, name);
    }
  }
  for (const std::string& uri : fields.uris) AddText(list, GEN_URI, uri);
  SLUICE_CHECK(X509_add1_ext_i2d(certificate, NID_subject_alt_name, list, 0, X509V3_ADD_DEFAULT) == 1);
  sk_GENERAL_NAME_pop_free(list, GENERAL_NAME_free);
}

void AddExtensions(X509* certificate, X509* issuer, const CertificateFields& fields) {
  if (fields.is_authority) {
    AddExtension(certificate, issuer, {NID_basic_constraints, "critical,CA:TRUE,pathlen:0"});
    AddExtension(certificate, issuer, {NID_key_usage, "critical,keyCertSign,cRLSign"});
  } else {
    AddExtension(certificate, issuer, {NID_basic_constraints, "critical,CA:FALSE"});
    AddExtension(certificate, issuer, {NID_key_usage, "critical,digitalSignature"});
  }
  if (fields.for_server) AddExtension(certificate, issuer, {NID_ext_key_usage, "serverAuth"});
  if (fields.for_client) AddExtension(certificate, issuer, {NID_ext_key_usage, "clientAuth"});
  AddExtension(certificate, issuer, {NID_subject_key_identifier, "hash"});
  AddExtension(certificate, issuer, {NID_authority_key_identifier, "keyid"});
  AddNames(certificate, fields);
}

long Seconds(Duration duration) {
  return static_cast<long>(std::chrono::duration_cast<std::chrono::seconds>(duration).count());
}

std::string Sha256(const unsigned char* data, size_t size) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(data, size, reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

WallTime ToWallTime(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return std::chrono::system_clock::from_time_t(timegm(&parts));
}

// The DER that `encode` gives (an i2d function), as bytes that it allocated.
template <typename Encode>
std::string HashOfDer(Encode encode) {
  unsigned char* der = nullptr;
  const int size = encode(&der);
  SLUICE_CHECK(size > 0);
  std::string hash = Sha256(der, static_cast<size_t>(size));
  OPENSSL_free(der);
  return hash;
}

void SetSerial(X509* certificate) {
  unsigned char bytes[16];
  RandomBytes(bytes, sizeof bytes);
  bytes[0] &= 0x7F;  // positive, and at most 20 bytes (RFC 5280 section 4.1.2.2)
  bytes[0] |= 0x40;
  BIGNUM* number = BN_bin2bn(bytes, sizeof bytes, nullptr);
  SLUICE_CHECK(BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nullptr);
  BN_free(number);
}

}  // namespace

Key MakeKey() {
  Key key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  SLUICE_CHECK(key != nullptr);
  return key;
}

absl::StatusOr<Certificate> MakeCertificate(const CertificateFields& fields, const Key& subject_key, WallTime now,
                                            const Certificate& issuer, const Key& issuer_key) {
  Certificate certificate(X509_new(), X509_free);
  SLUICE_CHECK(certificate != nullptr);
  X509* raw = certificate.get();
  X509_set_version(raw, X509_VERSION_3);
  SetSerial(raw);
  time_t from = static_cast<time_t>(UnixSeconds(now));
  X509_time_adj_ex(X509_getm_notBefore(raw), 0, -Seconds(fields.backdate), &from);
  const long life = Seconds(fields.life);
  X509_time_adj_ex(X509_getm_notAfter(raw), static_cast<int>(life / kDaySeconds), life % kDaySeconds, &from);
  X509_NAME* subject = X509_get_subject_name(raw);
  if (X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
                                 reinterpret_cast<const unsigned char*>(fields.common_name.data()),
                                 static_cast<int>(fields.common_name.size()), -1, 0) != 1) {
    return absl::InvalidArgumentError("\"" + fields.common_name + "\" cannot be a common name");
  }
  X509* signer = issuer == nullptr ? raw : issuer.get();
  X509_set_issuer_name(raw, X509_get_subject_name(signer));
  X509_set_pubkey(raw, subject_key.get());
  AddExtensions(raw, signer, fields);
  SLUICE_CHECK(X509_sign(raw, issuer_key.get(), EVP_sha256()) > 0);
  return certificate;
}

std::string ToPem(const Key& key) {
  const Bio bio = MemoryBio();
  SLUICE_CHECK(PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  return TakeAll(bio);
}

std::string ToPem(const Certificate& certificate) {
  const Bio bio = MemoryBio();
  SLUICE_CHECK(PEM_write_bio_X509(bio.get(), certificate.get()) == 1);
  return TakeAll(bio);
}

absl::StatusOr<Key> KeyFromPem(const std::string& pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  // An encrypted key is an error, not a prompt on the terminal.
  const auto no_password = [](char*, int, int, void*) { return -1; };
  Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr), EVP_PKEY_free);
  if (key == nullptr) return absl::InvalidArgumentError("not a private key");
  return key;
}

absl::StatusOr<Certificate> CertificateFromPem(const std::string& pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  Certificate certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), X509_free);
  if (certificate == nullptr) return absl::InvalidArgumentError("not a certificate");
  return certificate;
}

std::vector<Certificate> CertificatesFromPem(const std::string& pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  std::vector<Certificate> certificates;
  while (certificates.size() < kMaxChain) {
    Certificate next(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), X509_free);
    if (next == nullptr) break;
    certificates.push_back(std::move(next));
  }
  ERR_clear_error();
  return certificates;
}

bool Matches(const Certificate& certificate, const Key& key) {
  return X509_check_private_key(certificate.get(), key.get()) == 1;
}

std::string Fingerprint(const Certificate& certificate) {
  const std::string hash = HashOfDer([&](unsigned char** out) { return i2d_X509(certificate.get(), out); });
  return absl::BytesToHexString(hash);
}

std::string KeyHash(const Key& key) {
  return HashOfDer([&](unsigned char** out) { return i2d_PUBKEY(key.get(), out); });
}

Key PublicKey(const Certificate& certificate) { return Key(X509_get_pubkey(certificate.get()), EVP_PKEY_free); }

bool IsP256(const Key& key) {
  char group[32];
  size_t size = 0;
  return key != nullptr && EVP_PKEY_base_id(key.get()) == EVP_PKEY_EC &&
         EVP_PKEY_get_group_name(key.get(), group, sizeof group, &size) == 1 &&
         std::string(group, size) == SN_X9_62_prime256v1;
}

std::string CommonName(const Certificate& certificate) {
  const X509_NAME* subject = X509_get_subject_name(certificate.get());
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0) return "";
  unsigned char* text = nullptr;
  const int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
  if (size < 0) return "";
  std::string name(reinterpret_cast<const char*>(text), static_cast<size_t>(size));
  OPENSSL_free(text);
  return name;
}

std::vector<std::string> Uris(const Certificate& certificate) {
  std::vector<std::string> uris;
  auto* names = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate.get(), NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    if (name->type != GEN_URI) continue;
    const ASN1_IA5STRING* text = name->d.uniformResourceIdentifier;
    uris.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                      static_cast<size_t>(ASN1_STRING_length(text)));
  }
  GENERAL_NAMES_free(names);
  return uris;
}

WallTime NotBefore(const Certificate& certificate) { return ToWallTime(X509_get0_notBefore(certificate.get())); }
WallTime NotAfter(const Certificate& certificate) { return ToWallTime(X509_get0_notAfter(certificate.get())); }

bool IsAddress(const std::string& name) {
  ASN1_OCTET_STRING* address = a2i_IPADDRESS(name.c_str());
  ASN1_OCTET_STRING_free(address);
  return address != nullptr;
}

bool IsCertificateName(const std::string& name) {
  if (IsAddress(name)) return true;
  if (name.empty() || name.size() > kMaxNameBytes) return false;
  size_t start = name.starts_with("*.") ? 2 : 0;
  while (true) {
    const size_t dot = name.find('.', start);
    if (!IsLabel(name.substr(start, dot - start))) return false;
    if (dot == std::string::npos) return true;
    start = dot + 1;
  }
}

}  // namespace sluice::x509
