#pragma once

// TLS over a plain stream, with OpenSSL: 1.2 and 1.3, no renegotiation, no early data, no compression, no tickets yet.
// A context is immutable and may be shared by every worker; it must live until the handshakes that use it have ended. A
// stream belongs to its loop.

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "data-plane/io/stream.h"

typedef struct ssl_ctx_st SSL_CTX;

namespace sluice::io {

struct TlsContextDeleter {
  void operator()(SSL_CTX* context) const;
};
using TlsContext = std::unique_ptr<SSL_CTX, TlsContextDeleter>;

// Certificates of a server by name: an exact name first, then `*.suffix` of one label, then the first certificate.
struct CertificateFiles {
  std::string certificate_path;  // PEM chain
  std::string key_path;
};
// Errors name the file and what is wrong with it. Offers http/1.1 by ALPN.
absl::StatusOr<TlsContext> MakeServerContext(const std::vector<CertificateFiles>& certificates);
// Verifies the peer against the system's authorities (SSL_CERT_FILE and SSL_CERT_DIR move them).
absl::StatusOr<TlsContext> MakeClientContext();

struct TlsAccepted {
  std::unique_ptr<Stream> stream;  // null where the handshake failed
  std::string server_name;         // SNI, canonical (lower case, no trailing dot); "" where absent
  std::string alpn;
  std::string error;               // for the gateway's own log
};
Task<TlsAccepted> AcceptTls(std::unique_ptr<Stream> plain, SSL_CTX* context, MonotonicTime deadline);

struct TlsConnected {
  std::unique_ptr<Stream> stream;
  IoError error = IoError::kNone;
  std::string message;  // for the gateway's own log, never for clients
};
// `server_name`: a name (sent as SNI) or an address literal; the certificate must be for it. `verify` off accepts any.
Task<TlsConnected> ConnectTls(std::unique_ptr<Stream> plain, SSL_CTX* context, std::string server_name, bool verify,
                              MonotonicTime deadline);

// A peer may ask for new keys so often; then the connection is broken with kTls.
inline constexpr int kMaxKeyUpdates = 64;

}  // namespace sluice::io
