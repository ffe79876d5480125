#pragma once

// The stream of a TLS connection, over a plain one that it owns. Private to this folder; others use AcceptTls and
// ConnectTls. OpenSSL reads and writes through the plain stream's Try*, so that its readiness rules hold. Records of a
// large write leave together; an idle stream holds no buffer.

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "data-plane/io/stream.h"
#include "data-plane/io/tls.h"

namespace sluice::io {

class TlsStream final : public Stream {
 public:
  TlsStream(std::unique_ptr<Stream> plain, SSL_CTX* context);
  ~TlsStream() override;

  // One step of the handshake: kNone when done, kWouldBlock with `wants_write` set or not, or why it failed.
  IoError StepHandshake(bool& wants_write);
  // What OpenSSL says about the failure; never for clients.
  std::string FailureText() const;
  SSL* ssl() const { return ssl_; }
  // A client's: what the server sends for resuming goes there, as long as this stream lives.
  void KeepSessionsIn(std::shared_ptr<TlsSession> session);

  IoResult TryRead(std::span<char> out) override;
  IoResult TryWrite(std::string_view data) override;
  void ShutdownWrite() override;
  void ResetOnClose() override;
  Loop& loop() override { return plain_->loop(); }
  bool IsStale() override;

 protected:
  bool IsReadable() const override { return buffered_ || Stream::IsReadable(*plain_); }
  bool IsWritable() const override { return Stream::IsWritable(*plain_); }
  Stream& Transport() override { return *plain_; }

 private:
  static const BIO_METHOD* BioMethod();
  static int BioRead(BIO* bio, char* out, int size);
  static int BioWrite(BIO* bio, const char* data, int size);
  static long BioControl(BIO* bio, int command, long number, void* pointer);
  static void OnMessage(int sent, int version, int type, const void* bytes, size_t size, SSL* ssl, void* self);
  IoError ErrorOf(int result);
  void CloseNotify();
  // kNone where nothing waits any more.
  IoError FlushSealed();

  std::unique_ptr<Stream> plain_;
  SSL* ssl_;
  IoError failure_ = IoError::kNone;    // for good
  IoError transport_ = IoError::kNone;  // what the plain stream said last, where it is the end
  std::string failure_text_;
  std::string sealed_;     // records that the plain stream has not taken yet
  size_t unreported_ = 0;  // bytes of the caller's that are in them
  std::shared_ptr<TlsSession> session_;
  size_t handshake_bytes_ = 0;
  bool established_ = false;
  bool buffered_ = false;   // OpenSSL may hold bytes that it has not handed out
  bool notified_ = false;   // close_notify was sent, or must not be
  bool gathering_ = false;  // records are kept for one write of the plain stream
  int key_updates_ = 0;
};

}  // namespace sluice::io
