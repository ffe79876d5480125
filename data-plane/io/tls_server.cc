#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>

#include "data-plane/io/tls.h"
#include "data-plane/io/tls_context.h"

namespace sluice::io {
namespace {

// What the callbacks of one handshake share; OpenSSL hands it to them as the connection's application data.
struct ServerHandshake {
  const TlsServer& server;
  const CertificateSource& source;
  std::string name;  // canonical

  static ServerHandshake* Of(SSL* ssl) { return static_cast<ServerHandshake*>(SSL_get_app_data(ssl)); }
  ServerIdentity Identity() const { return name.empty() ? ServerIdentity{} : source.Identify(name); }
};

// The one name of a server_name extension (RFC 6066 section 3), as sent; "" where it is not well formed, which OpenSSL
// finds out for itself and ends the handshake.
std::string_view HostNameIn(std::string_view extension) {
  constexpr size_t kHead = 5;  // length of the list, type of the name, its length
  if (extension.size() < kHead || extension[2] != TLSEXT_NAMETYPE_host_name) return "";
  const auto byte = [&](size_t at) { return static_cast<size_t>(static_cast<uint8_t>(extension[at])); };
  const size_t size = byte(3) << 8 | byte(4);
  return size == extension.size() - kHead ? extension.substr(kHead) : "";
}

// Comes first: tickets are opened before OpenSSL itself has looked at the name in TLS 1.2.
int OnClientHello(SSL* ssl, int*, void*) {
  ServerHandshake* handshake = ServerHandshake::Of(ssl);
  if (handshake == nullptr) return SSL_CLIENT_HELLO_ERROR;
  const unsigned char* bytes = nullptr;
  size_t size = 0;
  handshake->name.clear();
  if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &bytes, &size) == 1) {
    handshake->name = CanonicalName(HostNameIn({reinterpret_cast<const char*>(bytes), size}));
  }
  return SSL_CLIENT_HELLO_SUCCESS;
}

int OnCertificate(SSL* ssl, void*) {
  const ServerHandshake* handshake = ServerHandshake::Of(ssl);
  if (handshake == nullptr) return 0;
  SSL_certs_clear(ssl);  // a second hello may bring another name
  auto certificates = handshake->Identity().certificates;
  if (certificates.empty()) certificates = handshake->server.own().Find(handshake->name);
  return std::all_of(certificates.begin(), certificates.end(), [ssl](const auto& one) { return one->Use(ssl); });
}

int SelectAlpn(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered, unsigned size,
               void*) {
  unsigned char* chosen = nullptr;
  const auto* ours = reinterpret_cast<const unsigned char*>(kAlpnAny.data());
  if (SSL_select_next_proto(&chosen, out_size, ours, kAlpnAny.size(), offered, size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;  // RFC 7301 section 3.2
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

int OnTicketKey(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, int seal) {
  TicketKeys& keys = static_cast<TlsServer*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)))->ticket_keys();
  if (seal == 1) return keys.Seal(name, iv, cipher, mac) ? 1 : -1;
  switch (keys.Open(name, iv, cipher, mac)) {
    case TicketKeys::Opened::kCurrent:
      return 1;
    case TicketKeys::Opened::kOlder:
      return 2;  // good, and to be renewed
    case TicketKeys::Opened::kUnknown:
      break;
  }
  return 0;
}

// What a ticket is good for: the name that the client asked for, and who answered to it.
std::string TicketScope(const ServerHandshake& handshake) {
  std::string scope = handshake.name;
  scope += '\0';
  scope += handshake.Identity().owner;
  return scope;
}

int OnTicketSealed(SSL* ssl, void*) {
  const ServerHandshake* handshake = ServerHandshake::Of(ssl);
  if (handshake == nullptr) return 0;
  const std::string scope = TicketScope(*handshake);
  return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), scope.data(), scope.size());
}

SSL_TICKET_RETURN OnTicketOpened(SSL* ssl, SSL_SESSION* session, const unsigned char*, size_t, SSL_TICKET_STATUS status,
                                 void*) {
  if (status == SSL_TICKET_FATAL_ERR_MALLOC || status == SSL_TICKET_FATAL_ERR_OTHER) return SSL_TICKET_RETURN_ABORT;
  const bool opened = status == SSL_TICKET_SUCCESS || status == SSL_TICKET_SUCCESS_RENEW;
  const ServerHandshake* handshake = ServerHandshake::Of(ssl);
  void* data = nullptr;
  size_t size = 0;
  if (!opened || handshake == nullptr || SSL_SESSION_get0_ticket_appdata(session, &data, &size) != 1) {
    return SSL_TICKET_RETURN_IGNORE_RENEW;
  }
  if (TicketScope(*handshake) != std::string_view(static_cast<const char*>(data), size)) {
    return SSL_TICKET_RETURN_IGNORE_RENEW;
  }
  // A ticket of TLS 1.3 is used once (RFC 8446 appendix C.4), so whoever resumes needs the next one.
  const bool renew = status == SSL_TICKET_SUCCESS_RENEW || SSL_version(ssl) == TLS1_3_VERSION;
  return renew ? SSL_TICKET_RETURN_USE_RENEW : SSL_TICKET_RETURN_USE;
}

}  // namespace

TlsServer::TlsServer(const Clock& clock) : context_(NewTlsContext(TLS_server_method())), ticket_keys_(clock) {
  static constexpr std::string_view kSessions = "sluice";  // OpenSSL wants a name for whose sessions they are
  SSL_CTX* const context = context_.get();
  SSL_CTX_set_app_data(context, this);
  SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);  // tickets alone
  SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>(kSessions.data()), kSessions.size());
  SSL_CTX_set_timeout(context, std::chrono::seconds(kTicketLifetime).count());
  SSL_CTX_set_num_tickets(context, 1);
  SSL_CTX_set_client_hello_cb(context, OnClientHello, nullptr);
  SSL_CTX_set_cert_cb(context, OnCertificate, nullptr);
  SSL_CTX_set_alpn_select_cb(context, SelectAlpn, nullptr);
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, OnTicketKey);
  SSL_CTX_set_session_ticket_cb(context, OnTicketSealed, OnTicketOpened, nullptr);
}

absl::StatusOr<std::unique_ptr<TlsServer>> TlsServer::Make(const std::vector<CertificateFiles>& own,
                                                           const Clock& clock) {
  if (own.empty()) return absl::InvalidArgumentError("a TLS server needs a certificate");
  std::unique_ptr<TlsServer> server(new TlsServer(clock));
  for (const CertificateFiles& files : own) {
    auto certificate = Certificate::Load(files);
    if (!certificate.ok()) return certificate.status();
    for (const std::string& name : (*certificate)->DnsNames()) server->own_.Add(name, *certificate);
    if (&files == &own.front()) server->own_.Add("*", *certificate);
  }
  return server;
}

Task<TlsAccepted> AcceptTls(std::unique_ptr<Stream> plain, const TlsServer& server, const CertificateSource& source,
                            MonotonicTime deadline) {
  auto stream = std::make_unique<TlsStream>(std::move(plain), server.context());
  ServerHandshake handshake{server, source, ""};
  SSL_set_app_data(stream->ssl(), &handshake);
  SSL_set_accept_state(stream->ssl());
  const IoError error = co_await Handshake(*stream, deadline);
  SSL_set_app_data(stream->ssl(), nullptr);
  TlsAccepted result;
  result.server_name = std::move(handshake.name);
  if (error != IoError::kNone) {
    result.error = FailureOf(*stream, error);
    co_return result;
  }
  result.alpn = SelectedAlpn(*stream);
  result.resumed = SSL_session_reused(stream->ssl()) == 1;
  result.stream = std::move(stream);
  co_return result;
}

}  // namespace sluice::io
