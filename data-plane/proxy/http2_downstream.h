#pragma once

// One exchange's client side on a stream of HTTP/2. Received bytes wait here, never more than the stream's window; the
// window opens again when the exchange has passed them on. Owned by the stream's coroutine, which calls Finish; its
// worker's thread only.

#include <string>

#include "data-plane/http/http2_session.h"
#include "data-plane/io/loop.h"
#include "data-plane/limit/buffered.h"
#include "data-plane/limit/payload.h"
#include "data-plane/proxy/downstream.h"

namespace sluice::proxy {

class Http2Connection;
class Worker;

class Http2Downstream final : public Downstream, public http::Http2StreamObserver {
 public:
  Http2Downstream(Worker& worker, Http2Connection& connection, http::Http2Stream& stream,
                  const http::RequestHead& request);

  // The exchange is over: what is left of the stream is reset.
  void Finish();

  void SetMaxBody(uint64_t bytes) override { max_body_ = bytes; }
  bool CountBuffered(const std::shared_ptr<const Gateway>& gateway) override;
  bool out_of_room() const override { return out_of_room_; }
  void AllowSilence() override { may_pause_ = true; }
  BodyRead TryReadBody() override;
  io::Task<BodyRead> ReadBody(io::Piped*) override;
  bool body_done() const override { return ended_ && in_.empty(); }
  uint64_t body_received() const override { return handed_out_; }
  bool Gone() override { return stream_ == nullptr; }
  io::Task<bool> SendInterim(const http::ResponseHead& head) override;
  io::Task<bool> SendHead(Outgoing out) override;
  io::Task<bool> SendBody(std::string_view data, bool last) override;
  io::Task<bool> SendTrailers(const http::Fields& trailers) override;
  void Abort() override;
  void EndAfterResponse() override;
  bool head_sent() const override { return head_sent_; }
  uint64_t bytes_received() const override { return stream_ != nullptr ? stream_->bytes_received() : received_; }
  uint64_t bytes_sent() const override { return stream_ != nullptr ? stream_->bytes_sent() : sent_; }

  void OnData(std::string_view data) override;
  void OnEnd(http::Fields trailers) override;
  void OnSent() override;
  void OnClosed(http::Http2Error error) override;

 private:
  io::Task<bool> Give(std::string_view data, bool last, const http::Fields* trailers);
  io::Task<bool> WaitUntilSent();
  void PassedOn();

  Worker& worker_;
  Http2Connection& connection_;
  http::Http2Stream* stream_;  // null: closed
  std::string in_;             // received, not handed out
  std::string piece_;          // handed out last
  std::string kept_;           // given to the session, waiting for a window or for room
  limit::Buffered arriving_;   // in_ and piece_
  limit::Buffered leaving_;    // kept_
  io::Event news_;             // about the request's body
  io::Event progress_;         // of the response
  limit::RateFloor floor_;
  uint64_t max_body_ = 0;
  uint64_t arrived_ = 0;
  uint64_t handed_out_ = 0;
  uint64_t received_ = 0;  // once the stream is closed
  uint64_t sent_ = 0;
  bool ended_;  // the request is whole
  bool awaits_continue_;
  bool may_pause_ = false;
  bool out_of_room_ = false;
  bool head_sent_ = false;
  bool all_sent_ = true;
};

}  // namespace sluice::proxy
