#include "tests/data-plane/io/certificates.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

#include "common/base/check.h"

namespace sluice::io {
namespace {

EVP_PKEY* MakeKey(int rsa_bits = 0) {
  EVP_PKEY* key = rsa_bits != 0 ? EVP_RSA_gen(static_cast<unsigned>(rsa_bits)) : EVP_EC_gen("P-256");
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

// Names are taken as bytes, which OpenSSL's own text format for them could not say.
void AddNames(X509* certificate, const TestAuthority::Options& options) {
  GENERAL_NAMES* names = sk_GENERAL_NAME_new_null();
  for (const std::string& dns : options.dns) {
    ASN1_IA5STRING* text = ASN1_IA5STRING_new();
    ASN1_STRING_set(text, dns.data(), static_cast<int>(dns.size()));
    GENERAL_NAME* name = GENERAL_NAME_new();
    GENERAL_NAME_set0_value(name, GEN_DNS, text);
    sk_GENERAL_NAME_push(names, name);
  }
  for (const std::string& ip : options.ips) {
    GENERAL_NAME* name = GENERAL_NAME_new();
    GENERAL_NAME_set0_value(name, GEN_IPADD, a2i_IPADDRESS(ip.c_str()));
    sk_GENERAL_NAME_push(names, name);
  }
  if (sk_GENERAL_NAME_num(names) > 0) X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, 0);
  GENERAL_NAMES_free(names);
}

void WriteCertificate(const std::string& path, X509* certificate, const char* mode = "w") {
  std::FILE* file = std::fopen(path.c_str(), mode);
  SLUICE_CHECK(file != nullptr && PEM_write_X509(file, certificate) == 1);
  std::fclose(file);
}

void WriteKey(const std::string& path, EVP_PKEY* key) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  SLUICE_CHECK(file != nullptr && PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  std::fclose(file);
}

}  // namespace

std::string TextOf(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return std::move(text).str();
}

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
  const CertificateFiles files{directory_ + "/" + file_name + ".pem", directory_ + "/" + file_name + ".key"};
  EVP_PKEY* key = MakeKey(options.rsa_bits);
  X509* certificate = MakeCertificate(key, serial_++, options.common_name);
  EVP_PKEY* between_key = options.through_intermediate ? MakeKey() : nullptr;
  X509* between = nullptr;
  if (between_key != nullptr) {
    between = MakeCertificate(between_key, serial_++, "between");
    X509_set_issuer_name(between, X509_get_subject_name(certificate_));
    AddExtension(between, certificate_, NID_basic_constraints, "critical,CA:TRUE");
    SLUICE_CHECK(X509_sign(between, key_, EVP_sha256()) > 0);
  }
  X509* issuer = options.self_signed ? certificate : between != nullptr ? between : certificate_;
  EVP_PKEY* issuer_key = options.self_signed ? key : between != nullptr ? between_key : key_;
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
  if (options.expired) X509_gmtime_adj(X509_getm_notAfter(certificate), -3600);
  AddNames(certificate, options);
  if (!options.usage.empty()) AddExtension(certificate, issuer, NID_ext_key_usage, options.usage);
  SLUICE_CHECK(X509_sign(certificate, issuer_key, EVP_sha256()) > 0);
  WriteCertificate(files.certificate_path, certificate);
  if (between != nullptr) WriteCertificate(files.certificate_path, between, "a");
  WriteKey(files.key_path, key);
  X509_free(between);
  EVP_PKEY_free(between_key);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return files;
}

}  // namespace sluice::io
