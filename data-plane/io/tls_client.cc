#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "absl/strings/str_cat.h"
#include "data-plane/io/tls.h"
#include "data-plane/io/tls_context.h"

namespace sluice::io {
namespace {

// Sessions come with the handshake in TLS 1.2, at any time behind it in 1.3. True: taken over.
int OnNewSession(SSL* ssl, SSL_SESSION* session) {
  auto* kept = static_cast<TlsSession*>(SSL_get_app_data(ssl));
  if (kept == nullptr) return 0;
  kept->Keep(session);
  return 1;
}

bool ExpectName(SSL* ssl, const std::string& server_name) {
  X509_VERIFY_PARAM* expected = SSL_get0_param(ssl);
  if (X509_VERIFY_PARAM_set1_ip_asc(expected, server_name.c_str()) == 1) return true;
  X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  return !server_name.empty() && SSL_set_tlsext_host_name(ssl, server_name.c_str()) == 1 &&
         X509_VERIFY_PARAM_set1_host(expected, server_name.data(), server_name.size()) == 1;
}

bool Apply(SSL* ssl, const TlsRules& rules) {
  SSL_set_verify(ssl, rules.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  if (rules.verify_depth.has_value()) SSL_set_verify_depth(ssl, *rules.verify_depth);
  if (rules.authorities != nullptr && SSL_set1_verify_cert_store(ssl, rules.authorities->store()) != 1) return false;
  return rules.certificate == nullptr || rules.certificate->Use(ssl);
}

}  // namespace

std::string TlsRules::Fingerprint() const {
  std::string text;
  if (!verify) text += "any;";
  if (verify_depth.has_value()) absl::StrAppend(&text, "depth ", *verify_depth, ";");
  if (certificate != nullptr) absl::StrAppend(&text, "shows ", certificate->fingerprint(), ";");
  if (authorities != nullptr) absl::StrAppend(&text, "trusts ", authorities->fingerprint(), ";");
  return text;
}

TlsSession::~TlsSession() {
  SSL_SESSION_free(session_);
}

void TlsSession::Keep(SSL_SESSION* session) {
  SSL_SESSION_free(session_);
  session_ = session;
}

absl::StatusOr<TlsContext> MakeClientContext() {
  TlsContext context = NewTlsContext(TLS_client_method());
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context.get(), OnNewSession);
  if (SSL_CTX_set_default_verify_paths(context.get()) != 1) {
    ERR_clear_error();
    return absl::FailedPreconditionError("the system's certificate authorities cannot be read");
  }
  return context;
}

Task<TlsConnected> ConnectTls(std::unique_ptr<Stream> plain, SSL_CTX* context, TlsRequest request,
                              MonotonicTime deadline) {
  auto stream = std::make_unique<TlsStream>(std::move(plain), context);
  SSL* const ssl = stream->ssl();
  SSL_set_connect_state(ssl);
  const auto* alpn = reinterpret_cast<const unsigned char*>(request.alpn.data());
  SLUICE_CHECK(SSL_set_alpn_protos(ssl, alpn, static_cast<unsigned>(request.alpn.size())) == 0);
  TlsConnected result;
  result.error = IoError::kTls;
  if (!ExpectName(ssl, CanonicalName(request.server_name))) {
    result.message = "no usable server name";
    co_return result;
  }
  if (request.rules != nullptr && !Apply(ssl, *request.rules)) {
    result.message = "the client certificate or the authorities cannot be used";
    co_return result;
  }
  if (request.session != nullptr) {
    if (request.session->get() != nullptr) SSL_set_session(ssl, request.session->get());
    stream->KeepSessionsIn(std::move(request.session));
  }
  result.error = co_await Handshake(*stream, deadline);
  if (result.error != IoError::kNone) {
    result.message = FailureOf(*stream, result.error);
    co_return result;
  }
  result.alpn = SelectedAlpn(*stream);
  result.resumed = SSL_session_reused(ssl) == 1;
  result.stream = std::move(stream);
  co_return result;
}

}  // namespace sluice::io
