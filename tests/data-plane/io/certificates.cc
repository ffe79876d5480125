#include "tests/data-plane/io/certificates.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "common/base/check.h"

namespace sluice::io {
namespace {

EVP_PKEY* MakeKey() {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  SLUICE_CHECK(key != nullptr);
  return key;
}

X509* MakeCertificate(EVP_PKEY* key, long serial, const std::string& name) {
  X509* certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -86400);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
  X509_set_pubkey(certificate, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  return certificate;
}

void AddExtension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  SLUICE_CHECK(extension != nullptr);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

void WriteCertificate(const std::string& path, X509* certificate) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  SLUICE_CHECK(file != nullptr && PEM_write_X509(file, certificate) == 1);
  std::fclose(file);
}

void WriteKey(const std::string& path, EVP_PKEY* key) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  SLUICE_CHECK(file != nullptr && PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  std::fclose(file);
}

}  // namespace

TestAuthority::TestAuthority() {
  char path[] = "/tmp/sluice-certificates-XXXXXX";
  SLUICE_CHECK(mkdtemp(path) != nullptr);
  directory_ = path;
  key_ = MakeKey();
  certificate_ = MakeCertificate(key_, serial_++, "authority of " + directory_);
  X509_set_issuer_name(certificate_, X509_get_subject_name(certificate_));
  AddExtension(certificate_, certificate_, NID_basic_constraints, "critical,CA:TRUE");
  SLUICE_CHECK(X509_sign(certificate_, key_, EVP_sha256()) > 0);
  WriteCertificate(ca_path(), certificate_);
}

TestAuthority::~TestAuthority() {
  X509_free(certificate_);
  EVP_PKEY_free(key_);
  std::filesystem::remove_all(directory_);
}

CertificateFiles TestAuthority::Issue(const std::string& file_name, const Options& options) {
  EVP_PKEY* key = MakeKey();
  X509* certificate = MakeCertificate(key, serial_++, "common-name.test");
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate_));
  if (options.expired) X509_gmtime_adj(X509_getm_notAfter(certificate), -3600);
  std::string names;
  for (const std::string& dns : options.dns) names += (names.empty() ? "DNS:" : ",DNS:") + dns;
  for (const std::string& ip : options.ips) names += (names.empty() ? "IP:" : ",IP:") + ip;
  if (!names.empty()) AddExtension(certificate, certificate_, NID_subject_alt_name, names);
  SLUICE_CHECK(X509_sign(certificate, key_, EVP_sha256()) > 0);
  const CertificateFiles files{directory_ + "/" + file_name + ".pem", directory_ + "/" + file_name + ".key"};
  WriteCertificate(files.certificate_path, certificate);
  WriteKey(files.key_path, key);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return files;
}

}  // namespace sluice::io
