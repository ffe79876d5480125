#include "data-plane/io/tls_context.h"

#include <openssl/err.h>

namespace sluice::io {
namespace {

// Of TLS 1.2, by key exchange and certificate: ECDSA is the cheaper one where a client can take it.
constexpr char kCiphers[] = "ECDHE+aECDSA+AESGCM:ECDHE+aECDSA+CHACHA20:ECDHE+aRSA+AESGCM:ECDHE+aRSA+CHACHA20";

}  // namespace

void TlsContextDeleter::operator()(SSL_CTX* context) const {
  SSL_CTX_free(context);
}

TlsContext NewTlsContext(const SSL_METHOD* method) {
  TlsContext context(SSL_CTX_new(method));
  SLUICE_CHECK(context != nullptr);
  ERR_clear_error();
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_security_level(context.get(), 2);  // no SHA-1 signatures, no RSA below 2048 bits
  SSL_CTX_set_options(context.get(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context.get(), 1);
  SLUICE_CHECK(SSL_CTX_set_cipher_list(context.get(), kCiphers) == 1);
  return context;
}

Task<IoError> Handshake(TlsStream& stream, MonotonicTime deadline) {
  for (;;) {
    bool wants_write = false;
    const IoError error = stream.StepHandshake(wants_write);
    if (error != IoError::kWouldBlock) co_return error;
    IoError waited;
    if (wants_write) {
      waited = co_await stream.Writable(deadline);
    } else {
      waited = co_await stream.Readable(deadline);
    }
    if (waited != IoError::kNone) co_return waited;
  }
}

std::string FailureOf(const TlsStream& stream, IoError error) {
  return error == IoError::kTls ? stream.FailureText() : std::string(ToString(error));
}

std::string SelectedAlpn(const TlsStream& stream) {
  const unsigned char* alpn = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(stream.ssl(), &alpn, &size);
  return alpn != nullptr ? std::string(reinterpret_cast<const char*>(alpn), size) : std::string();
}

}  // namespace sluice::io
