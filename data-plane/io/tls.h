#pragma once

// TLS over a plain stream, with OpenSSL: 1.2 and 1.3, no renegotiation, no early data, no compression. A server and a
// client's context are immutable, shared by every worker, and must outlive the connections made with them. A stream and
// a TlsSession belong to their loop.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "data-plane/io/certificate.h"
#include "data-plane/io/stream.h"
#include "data-plane/io/ticket_keys.h"

typedef struct ssl_ctx_st SSL_CTX;
typedef struct ssl_session_st SSL_SESSION;

namespace sluice::io {

struct TlsContextDeleter {
  void operator()(SSL_CTX* context) const;
};
using TlsContext = std::unique_ptr<SSL_CTX, TlsContextDeleter>;

// Protocols as ALPN lists them (RFC 7301 section 3.1), the preferred one first.
inline constexpr std::string_view kAlpnHttp1 = "\x08http/1.1";
inline constexpr std::string_view kAlpnHttp2 = "\x02h2";
inline constexpr std::string_view kAlpnAny = "\x02h2\x08http/1.1";  // in order of preference

// A peer may ask for new keys so often; then the connection is broken with kTls.
inline constexpr int kMaxKeyUpdates = 64;
// Of a peer's side of a handshake, with whatever came behind it.
inline constexpr size_t kMaxHandshakeBytes = 64 * 1024;
// A session may be resumed for so long, and no longer than the key that sealed its ticket lives.
inline constexpr std::chrono::hours kTicketLifetime{16};
static_assert(kTicketLifetime <= (TicketKeys::kKeys - 1) * TicketKeys::kRotation);
// Sealed records that leave in one write of the plain stream: 64 KiB, what frames them, and some. What it does not take
// waits in the connection.
inline constexpr size_t kMaxSealedBytes = 96 * 1024;

// Who answers to a server name. Valid until its source changes, at the earliest when the caller suspends.
struct ServerIdentity {
  std::string_view owner;  // sessions are resumed with the same one alone; "": nobody's
  std::span<const std::shared_ptr<const Certificate>> certificates;  // empty: the server's own for that name
};

class CertificateSource {
 public:
  virtual ~CertificateSource() = default;
  // `server_name` is canonical and not empty. Called on the handshake's thread, before anything is sent.
  virtual ServerIdentity Identify(std::string_view server_name) const = 0;
};

class TlsServer {
 public:
  // Its own certificates are found by the names inside them; the first one answers to every other name. Errors name the
  // file and what is wrong with it.
  static absl::StatusOr<std::unique_ptr<TlsServer>> Make(const std::vector<CertificateFiles>& own, const Clock& clock);
  TlsServer(const TlsServer&) = delete;
  SSL_CTX* context() const { return context_.get(); }
  const CertificateTable& own() const { return own_; }
  TicketKeys& ticket_keys() { return ticket_keys_; }

 private:
  explicit TlsServer(const Clock& clock);
  TlsContext context_;
  CertificateTable own_;
  TicketKeys ticket_keys_;
};

struct TlsAccepted {
  std::unique_ptr<Stream> stream;  // null where the handshake failed
  std::string server_name;         // SNI, canonical (lower case, no trailing dot); "" where absent
  std::string alpn;
  bool resumed = false;
  std::string error;  // for the gateway's own log
};
Task<TlsAccepted> AcceptTls(std::unique_ptr<Stream> plain, const TlsServer& server, const CertificateSource& source,
                            MonotonicTime deadline);

// A context that verifies against the system's authorities (SSL_CERT_FILE and SSL_CERT_DIR move them).
absl::StatusOr<TlsContext> MakeClientContext();

// What is expected of a server and shown to it.
struct TlsRules {
  bool verify = true;                                 // false accepts any certificate
  std::optional<int> verify_depth;                    // intermediate certificates between the leaf and its authority
  std::shared_ptr<const Certificate> certificate;     // null: none is shown
  std::shared_ptr<const TlsAuthorities> authorities;  // null: the system's

  // Connections and sessions made by rules of another fingerprint must not be used. "" for the default ones.
  std::string Fingerprint() const;
};

// What lets later connections to the same server resume: each that is given it takes from it and renews it.
class TlsSession {
 public:
  TlsSession() = default;
  TlsSession(const TlsSession&) = delete;
  ~TlsSession();
  void Keep(SSL_SESSION* session);  // takes it over
  SSL_SESSION* get() const { return session_; }

 private:
  SSL_SESSION* session_ = nullptr;
};

struct TlsRequest {
  std::string server_name;                // a name (sent as SNI) or an address literal; the certificate must be for it
  std::shared_ptr<const TlsRules> rules;  // null: the default ones
  std::shared_ptr<TlsSession> session;    // of that server, that name and those rules; null: nothing is resumed
  std::string_view alpn = kAlpnHttp1;     // outlives the handshake
};
struct TlsConnected {
  std::unique_ptr<Stream> stream;
  std::string alpn;  // "" where the server chose none
  bool resumed = false;
  IoError error = IoError::kNone;
  std::string message;  // for the gateway's own log, never for clients
};
Task<TlsConnected> ConnectTls(std::unique_ptr<Stream> plain, SSL_CTX* context, TlsRequest request,
                              MonotonicTime deadline);

}  // namespace sluice::io
