#pragma once

// One exchange's client side on an HTTP/1.1 connection. Decides whether the connection can carry another request
// after it. Lives for one request; its worker's thread only.

#include <string>

#include "data-plane/io/stream.h"
#include "data-plane/limit/payload.h"
#include "data-plane/proxy/body_reader.h"
#include "data-plane/proxy/downstream.h"
#include "data-plane/proxy/reader.h"

namespace sluice::proxy {

class Worker;

class Http1Downstream final : public Downstream {
 public:
  // `may_keep`: the connection has requests and time left. `received_before`: the reader's count when the head began.
  Http1Downstream(Worker& worker, io::Stream& stream, Reader& reader, bool may_keep, uint64_t received_before);

  // Once the head is known; without it (a head that was refused) the connection ends after the answer.
  void Begin(const http::RequestHead& request);
  // After the response: reads away what is left of a small body. False where the connection cannot be used again.
  io::Task<bool> Finish();

  void SetMaxBody(uint64_t bytes) override { max_body_ = bytes; }
  BodyRead TryReadBody() override;
  io::Task<BodyRead> ReadBody(io::Piped* piped) override;
  bool body_done() const override { return body_.done(); }
  uint64_t body_received() const override { return body_.decoded(); }
  bool Gone() override;
  io::Task<bool> SendInterim(const http::ResponseHead& head) override;
  io::Task<bool> SendHead(Outgoing out) override;
  io::Task<bool> SendBody(std::string_view data, bool last) override;
  bool TakesPiped() const override { return !chunked_out_ && !tunnel_ && stream_.Plain() != nullptr; }
  io::Task<bool> SendPiped(io::Piped& piped, bool last) override;
  io::Task<bool> SendTrailers(const http::Fields& trailers) override;
  void Abort() override;
  void EndAfterResponse() override;
  bool head_sent() const override { return head_sent_; }
  uint64_t bytes_received() const override { return reader_.received() - received_before_ - reader_.pending().size(); }
  uint64_t bytes_sent() const override { return sent_; }

 private:
  bool DrainIsShort() const;
  BodyRead Broken(BodyError error);
  io::Task<bool> SendContinue();
  io::Task<BodyRead> ReadTunnel();
  io::Task<bool> Write(std::string_view bytes);
  bool Wrote(io::IoResult result);
  io::Task<bool> Drain();

  Worker& worker_;
  io::Stream& stream_;
  Reader& reader_;
  http::Framing framing_;
  BodyReader body_;
  limit::RateFloor floor_;
  uint64_t max_body_ = 0;
  uint64_t received_before_;
  uint64_t sent_ = 0;
  http::Protocol protocol_ = http::Protocol::kHttp11;
  bool asked_to_keep_ = false;
  bool keep_;
  bool awaits_continue_ = false;
  bool broken_ = false;  // the body's end will never be found
  bool tunnel_ = false;
  bool chunked_out_ = false;
  bool head_sent_ = false;
  bool complete_ = false;  // the response was sent whole
};

}  // namespace sluice::proxy
