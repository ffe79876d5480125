#include "data-plane/io/tls_stream.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstdint>

#include "data-plane/io/tls.h"

namespace sluice::io {

const BIO_METHOD* TlsStream::BioMethod() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream");
    SLUICE_CHECK(made != nullptr);
    BIO_meth_set_read(made, BioRead);
    BIO_meth_set_write(made, BioWrite);
    BIO_meth_set_ctrl(made, BioControl);
    return made;
  }();
  return method;
}

int TlsStream::BioRead(BIO* bio, char* out, int size) {
  auto& self = *static_cast<TlsStream*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (size <= 0) return 0;
  if (self.key_updates_ > kMaxKeyUpdates) {
    self.transport_ = IoError::kTls;
    return -1;
  }
  const IoResult result = self.plain_->TryRead({out, static_cast<size_t>(size)});
  if (result.ok()) return static_cast<int>(result.bytes);
  if (result.error == IoError::kWouldBlock) {
    BIO_set_retry_read(bio);
    return -1;
  }
  self.transport_ = result.error;
  return result.error == IoError::kEnd ? 0 : -1;
}

int TlsStream::BioWrite(BIO* bio, const char* data, int size) {
  auto& self = *static_cast<TlsStream*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (size <= 0) return 0;
  const IoResult result = self.plain_->TryWrite({data, static_cast<size_t>(size)});
  if (result.ok()) return static_cast<int>(result.bytes);
  if (result.error == IoError::kWouldBlock) {
    BIO_set_retry_write(bio);
  } else {
    self.transport_ = result.error;
  }
  return -1;
}

long TlsStream::BioControl(BIO* bio, int command, long, void*) {
  const auto& self = *static_cast<TlsStream*>(BIO_get_data(bio));
  switch (command) {
    case BIO_CTRL_FLUSH:
      return 1;
    case BIO_CTRL_EOF:
      return self.transport_ == IoError::kEnd ? 1 : 0;
    default:
      return 0;
  }
}

void TlsStream::OnMessage(int sent, int, int type, const void* bytes, size_t size, SSL*, void* self) {
  if (sent == 0 && type == SSL3_RT_HANDSHAKE && size > 0 && *static_cast<const uint8_t*>(bytes) == SSL3_MT_KEY_UPDATE) {
    ++static_cast<TlsStream*>(self)->key_updates_;
  }
}

TlsStream::TlsStream(std::unique_ptr<Stream> plain, SSL_CTX* context) : plain_(std::move(plain)),
    ssl_(SSL_new(context)) {
  SLUICE_CHECK(ssl_ != nullptr);
  BIO* bio = BIO_new(BioMethod());
  SLUICE_CHECK(bio != nullptr);
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_, bio, bio);
  SSL_set_msg_callback(ssl_, OnMessage);
  SSL_set_msg_callback_arg(ssl_, this);
}

TlsStream::~TlsStream() {
  CloseNotify();
  SSL_free(ssl_);
}

// Why OpenSSL stopped. A FIN that no close_notify announced may be an attacker's: kTls, never kEnd.
IoError TlsStream::ErrorOf(int result) {
  const int error = SSL_get_error(ssl_, result);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return IoError::kWouldBlock;
  if (error == SSL_ERROR_ZERO_RETURN) return failure_ = IoError::kEnd;
  if (const unsigned long code = ERR_peek_error(); code != 0) {
    const char* text = ERR_reason_error_string(code);
    if (text != nullptr) failure_text_ = text;
  }
  ERR_clear_error();
  const bool told = transport_ != IoError::kNone && transport_ != IoError::kEnd;
  failure_ = told ? transport_ : IoError::kTls;
  return failure_;
}

IoError TlsStream::StepHandshake(bool& wants_write) {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_);
  if (result == 1) {
    established_ = true;
    buffered_ = SSL_has_pending(ssl_) == 1;
    return IoError::kNone;
  }
  wants_write = SSL_get_error(ssl_, result) == SSL_ERROR_WANT_WRITE;
  return ErrorOf(result);
}

std::string TlsStream::FailureText() const {
  const long verdict = SSL_get_verify_result(ssl_);
  if (verdict != X509_V_OK) return X509_verify_cert_error_string(verdict);
  if (!failure_text_.empty()) return failure_text_;
  return transport_ == IoError::kEnd ? "closed during the handshake" : std::string(ToString(failure_));
}

IoResult TlsStream::TryRead(std::span<char> out) {
  SLUICE_CHECK(!out.empty());
  if (cancelled_) return {0, IoError::kCancelled};
  if (failure_ != IoError::kNone) return {0, failure_};
  ERR_clear_error();
  const int size = static_cast<int>(std::min<size_t>(out.size(), INT32_MAX));
  const int count = SSL_read(ssl_, out.data(), size);
  if (count > 0) {
    buffered_ = SSL_has_pending(ssl_) == 1;
    return {static_cast<size_t>(count), IoError::kNone};
  }
  const IoError error = ErrorOf(count);
  buffered_ = error != IoError::kWouldBlock;
  return {0, error};
}

IoResult TlsStream::TryWrite(std::string_view data) {
  if (cancelled_) return {0, IoError::kCancelled};
  if (failure_ != IoError::kNone && failure_ != IoError::kEnd) return {0, failure_};
  if (notified_) return {0, IoError::kReset};
  size_t written = 0;
  while (written < data.size()) {
    ERR_clear_error();
    size_t taken = 0;
    const int result = SSL_write_ex(ssl_, data.data() + written, data.size() - written, &taken);
    if (result != 1) {
      const IoError error = ErrorOf(result);
      if (written > 0 && error == IoError::kWouldBlock) break;
      return {written, error};
    }
    written += taken;
  }
  return {written, IoError::kNone};
}

void TlsStream::CloseNotify() {
  const bool broken = failure_ != IoError::kNone && failure_ != IoError::kEnd;
  if (notified_ || !established_ || broken || cancelled_) return;
  notified_ = true;
  ERR_clear_error();
  SSL_shutdown(ssl_);
  ERR_clear_error();
}

void TlsStream::ShutdownWrite() {
  CloseNotify();
  plain_->ShutdownWrite();
}

void TlsStream::ResetOnClose() {
  notified_ = true;
  plain_->ResetOnClose();
}

bool TlsStream::IsStale() {
  if (cancelled_ || failure_ != IoError::kNone) return true;
  if (!IsReadable()) return false;
  char byte;
  ERR_clear_error();
  const int count = SSL_peek(ssl_, &byte, 1);  // takes in session tickets, which are no reason to part
  if (count > 0 || ErrorOf(count) != IoError::kWouldBlock) return true;
  buffered_ = false;
  return false;
}

namespace {

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

std::string CanonicalName(const char* name) {
  std::string canonical = name != nullptr ? name : "";
  if (canonical.ends_with('.')) canonical.pop_back();
  std::transform(canonical.begin(), canonical.end(), canonical.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  return canonical;
}

bool ExpectPeer(SSL* ssl, const std::string& server_name, bool verify) {
  X509_VERIFY_PARAM* rules = SSL_get0_param(ssl);
  const bool is_address = X509_VERIFY_PARAM_set1_ip_asc(rules, server_name.c_str()) == 1;
  if (!is_address) {
    X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    if (server_name.empty() || SSL_set_tlsext_host_name(ssl, server_name.c_str()) != 1 ||
        X509_VERIFY_PARAM_set1_host(rules, server_name.data(), server_name.size()) != 1) {
      return false;
    }
  }
  SSL_set_verify(ssl, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  return true;
}

}  // namespace

Task<TlsAccepted> AcceptTls(std::unique_ptr<Stream> plain, SSL_CTX* context, MonotonicTime deadline) {
  auto stream = std::make_unique<TlsStream>(std::move(plain), context);
  SSL_set_accept_state(stream->ssl());
  const IoError error = co_await Handshake(*stream, deadline);
  TlsAccepted result;
  result.server_name = CanonicalName(SSL_get_servername(stream->ssl(), TLSEXT_NAMETYPE_host_name));
  if (error != IoError::kNone) {
    result.error = FailureOf(*stream, error);
    co_return result;
  }
  const unsigned char* alpn = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(stream->ssl(), &alpn, &size);
  if (alpn != nullptr) result.alpn.assign(reinterpret_cast<const char*>(alpn), size);
  result.stream = std::move(stream);
  co_return result;
}

Task<TlsConnected> ConnectTls(std::unique_ptr<Stream> plain, SSL_CTX* context, std::string server_name, bool verify,
                              MonotonicTime deadline) {
  auto stream = std::make_unique<TlsStream>(std::move(plain), context);
  SSL_set_connect_state(stream->ssl());
  TlsConnected result;
  if (!ExpectPeer(stream->ssl(), CanonicalName(server_name.c_str()), verify)) {
    result.error = IoError::kTls;
    result.message = "no usable server name";
    co_return result;
  }
  result.error = co_await Handshake(*stream, deadline);
  if (result.error == IoError::kNone) {
    result.stream = std::move(stream);
  } else {
    result.message = FailureOf(*stream, result.error);
  }
  co_return result;
}

}  // namespace sluice::io
