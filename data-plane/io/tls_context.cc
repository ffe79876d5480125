#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "data-plane/io/tls.h"

namespace sluice::io {
namespace {

constexpr char kCiphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20";  // of TLS 1.2; those of 1.3 are all good
constexpr unsigned char kAlpn[] = "\x08http/1.1";
constexpr unsigned kAlpnSize = sizeof kAlpn - 1;

// The certificates behind a server's context, by the names that they are for. The first context is the server's own.
struct Certificates {
  std::vector<TlsContext> others;
  absl::flat_hash_map<std::string, SSL_CTX*> by_name;  // "*.suffix" for wildcards
};

// Lower case, one trailing dot dropped.
std::string Canonical(std::string name) {
  if (name.ends_with('.')) name.pop_back();
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
  return name;
}

int SelectCertificate(SSL* ssl, int*, void* argument) {
  const auto& certificates = *static_cast<const Certificates*>(argument);
  const char* sent = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (sent == nullptr) return SSL_TLSEXT_ERR_OK;
  const std::string name = Canonical(sent);
  auto found = certificates.by_name.find(name);
  if (found == certificates.by_name.end()) {
    const size_t dot = name.find('.');
    if (dot == std::string::npos) return SSL_TLSEXT_ERR_OK;
    found = certificates.by_name.find("*" + name.substr(dot));
  }
  if (found != certificates.by_name.end()) SSL_set_SSL_CTX(ssl, found->second);
  return SSL_TLSEXT_ERR_OK;
}

int SelectAlpn(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered, unsigned size,
               void*) {
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, kAlpn, kAlpnSize, offered, size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;  // RFC 7301 section 3.2
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

// A locked key is an error, not a question on the terminal.
int NoPassphrase(char*, int, int, void*) { return 0; }

void ApplyCommonRules(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_security_level(context, 2);  // no SHA-1 signatures, no RSA below 2048 bits
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_default_passwd_cb(context, NoPassphrase);
}

std::string LastError() {
  const char* text = ERR_reason_error_string(ERR_peek_last_error());
  std::string reason = text != nullptr ? text : "cannot be read";
  ERR_clear_error();
  return reason;
}

absl::StatusOr<TlsContext> LoadOne(const CertificateFiles& files) {
  TlsContext context(SSL_CTX_new(TLS_server_method()));
  SLUICE_CHECK(context != nullptr);
  ERR_clear_error();
  ApplyCommonRules(context.get());
  SSL_CTX_set_options(context.get(), SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_num_tickets(context.get(), 0);
  SLUICE_CHECK(SSL_CTX_set_cipher_list(context.get(), kCiphers) == 1);
  SSL_CTX_set_alpn_select_cb(context.get(), SelectAlpn, nullptr);
  if (SSL_CTX_use_certificate_chain_file(context.get(), files.certificate_path.c_str()) != 1) {
    return absl::InvalidArgumentError(absl::StrCat("certificate ", files.certificate_path, ": ", LastError()));
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), files.key_path.c_str(), SSL_FILETYPE_PEM) != 1) {
    return absl::InvalidArgumentError(absl::StrCat("key ", files.key_path, ": ", LastError()));
  }
  if (SSL_CTX_check_private_key(context.get()) != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("key ", files.key_path, " does not belong to certificate ", files.certificate_path));
  }
  return context;
}

std::vector<std::string> NamesOf(SSL_CTX* context) {
  std::vector<std::string> names;
  X509* certificate = SSL_CTX_get0_certificate(context);
  auto* list = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(list); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(list, i);
    if (name->type != GEN_DNS) continue;
    const auto* bytes = reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName));
    names.push_back(Canonical({bytes, static_cast<size_t>(ASN1_STRING_length(name->d.dNSName))}));
  }
  GENERAL_NAMES_free(list);
  return names;
}

}  // namespace

void TlsContextDeleter::operator()(SSL_CTX* context) const {
  delete static_cast<Certificates*>(SSL_CTX_get_app_data(context));
  SSL_CTX_set_app_data(context, nullptr);
  SSL_CTX_free(context);
}

absl::StatusOr<TlsContext> MakeServerContext(const std::vector<CertificateFiles>& certificates) {
  if (certificates.empty()) return absl::InvalidArgumentError("a TLS server needs a certificate");
  TlsContext first;
  auto table = std::make_unique<Certificates>();
  for (const CertificateFiles& files : certificates) {
    absl::StatusOr<TlsContext> loaded = LoadOne(files);
    if (!loaded.ok()) return loaded.status();
    SSL_CTX* const context = loaded->get();
    for (std::string& name : NamesOf(context)) table->by_name.emplace(std::move(name), context);  // the first one wins
    if (first == nullptr) {
      first = std::move(*loaded);
    } else {
      table->others.push_back(std::move(*loaded));
    }
  }
  SSL_CTX_set_tlsext_servername_callback(first.get(), SelectCertificate);
  SSL_CTX_set_tlsext_servername_arg(first.get(), table.get());
  SSL_CTX_set_app_data(first.get(), table.release());
  return first;
}

absl::StatusOr<TlsContext> MakeClientContext() {
  TlsContext context(SSL_CTX_new(TLS_client_method()));
  SLUICE_CHECK(context != nullptr);
  ERR_clear_error();
  ApplyCommonRules(context.get());
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_alpn_protos(context.get(), kAlpn, kAlpnSize);
  if (SSL_CTX_set_default_verify_paths(context.get()) != 1) {
    return absl::FailedPreconditionError(absl::StrCat("the system's certificate authorities: ", LastError()));
  }
  return context;
}

}  // namespace sluice::io
