#include "data-plane/io/tls_stream.h"

#include <openssl/err.h>

#include <algorithm>
#include <cstdint>

namespace sluice::io {
namespace {

constexpr size_t kRecordBytes = SSL3_RT_MAX_PLAIN_LENGTH;
constexpr size_t kMaxSealedRecord = SSL3_RT_MAX_ENCRYPTED_LENGTH + SSL3_RT_HEADER_LENGTH;

}  // namespace

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
  if (self.key_updates_ > kMaxKeyUpdates || self.handshake_bytes_ > kMaxHandshakeBytes) {
    self.transport_ = IoError::kTls;
    return -1;
  }
  const IoResult result = self.plain_->TryRead({out, static_cast<size_t>(size)});
  if (!self.established_) self.handshake_bytes_ += result.bytes;
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
  if (self.gathering_ || !self.sealed_.empty()) {
    self.sealed_.append(data, static_cast<size_t>(size));
    if (!self.gathering_) self.FlushSealed();
    return size;
  }
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

TlsStream::TlsStream(std::unique_ptr<Stream> plain, SSL_CTX* context)
    : plain_(std::move(plain)), ssl_(SSL_new(context)) {
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

void TlsStream::KeepSessionsIn(std::shared_ptr<TlsSession> session) {
  session_ = std::move(session);
  SSL_set_app_data(ssl_, session_.get());
}

// As many records as are here and fit: OpenSSL hands out one at a time.
IoResult TlsStream::TryRead(std::span<char> out) {
  SLUICE_CHECK(!out.empty());
  if (cancelled_) return {0, IoError::kCancelled};
  if (failure_ != IoError::kNone) return {0, failure_};
  size_t filled = 0;
  IoError error = IoError::kNone;
  do {
    ERR_clear_error();
    size_t count = 0;
    const int result = SSL_read_ex(ssl_, out.data() + filled, out.size() - filled, &count);
    if (result != 1) error = ErrorOf(result);
    filled += count;
  } while (error == IoError::kNone && filled < out.size() && SSL_has_pending(ssl_) == 1);
  buffered_ = error == IoError::kNone ? SSL_has_pending(ssl_) == 1 : error != IoError::kWouldBlock;
  if (filled > 0) return {filled, IoError::kNone};
  return {0, error};
}

IoError TlsStream::FlushSealed() {
  size_t left = 0;
  IoError error = IoError::kNone;
  while (left < sealed_.size() && error == IoError::kNone) {
    const IoResult result = plain_->TryWrite(std::string_view(sealed_).substr(left));
    left += result.bytes;
    error = result.error;
  }
  sealed_.erase(0, left);
  if (error != IoError::kNone && error != IoError::kWouldBlock) failure_ = error;
  return error;
}

// What fits into one record goes straight to the plain stream; of more, the records leave together. What was sealed and
// has not left is not told as written, so that the caller comes back for it.
IoResult TlsStream::TryWrite(std::string_view data) {
  if (cancelled_) return {0, IoError::kCancelled};
  if (failure_ != IoError::kNone && failure_ != IoError::kEnd) return {0, failure_};
  if (notified_) return {0, IoError::kReset};
  if (const IoError error = FlushSealed(); error != IoError::kNone) return {0, error};
  size_t sealed = std::exchange(unreported_, 0);
  SLUICE_CHECK(sealed <= data.size());
  size_t left = sealed;
  IoError error = IoError::kNone;
  gathering_ = data.size() - sealed > kRecordBytes;
  if (gathering_) sealed_.reserve(std::min(data.size() - sealed + kMaxSealedRecord, kMaxSealedBytes));
  while (sealed < data.size() && error == IoError::kNone) {
    ERR_clear_error();
    size_t taken = 0;
    const int result = SSL_write_ex(ssl_, data.data() + sealed, data.size() - sealed, &taken);
    if (result != 1) error = ErrorOf(result);
    sealed += taken;
    const bool full = sealed_.size() + kMaxSealedRecord > kMaxSealedBytes;
    if (error == IoError::kNone && (full || sealed == data.size())) error = FlushSealed();
    if (sealed_.empty()) left = sealed;
  }
  gathering_ = false;
  if (sealed_.empty()) sealed_ = std::string();
  unreported_ = sealed - left;
  if (left > 0 && error == IoError::kWouldBlock) error = IoError::kNone;
  return {left, error};
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

}  // namespace sluice::io
