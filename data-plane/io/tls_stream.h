#pragma once

// The stream of a TLS connection, over a plain one that it owns. Private to this folder; others use AcceptTls and
// ConnectTls. OpenSSL reads and writes through the plain stream's Try*, so that its readiness rules hold.

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "data-plane/io/stream.h"

namespace sluice::io {

class TlsStream final : public Stream {
 public:
  TlsStream(std::unique_ptr<Stream> plain, SSL_CTX* context);
  ~TlsStream() override;

  // One step of the handshake: kNone when done, kWouldBlock with `wants_write` set or not, or why it failed.
  IoError StepHandshake(bool& wants_write);
  // What OpenSSL says about the failure; never for clients.
  std::string FailureText() const;
  SSL* ssl() { return ssl_; }

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

  std::unique_ptr<Stream> plain_;
  SSL* ssl_;
  IoError failure_ = IoError::kNone;    // for good
  IoError transport_ = IoError::kNone;  // what the plain stream said last, where it is the end
  std::string failure_text_;
  bool established_ = false;
  bool buffered_ = false;  // OpenSSL may hold bytes that it has not handed out
  bool notified_ = false;  // close_notify was sent, or must not be
  int key_updates_ = 0;
};

}  // namespace sluice::io
