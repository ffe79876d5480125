#pragma once

// One exchange as a stream of a shared HTTP/2 connection. What arrives is kept until it is asked for, at most a
// stream's window: the upstream may send more only as far as the client has taken what came before.

#include <deque>
#include <memory>
#include <string>

#include "data-plane/http/http2_session.h"
#include "data-plane/limit/buffered.h"
#include "data-plane/proxy/http2_upstream_connection.h"
#include "data-plane/proxy/upstream_stream.h"

namespace sluice::proxy {

class Http2Upstream final : public UpstreamStream, private http::Http2StreamObserver {
 public:
  // Takes a place on the connection, which must have one.
  Http2Upstream(Worker& worker, std::shared_ptr<Http2UpstreamConnection> connection,
                const std::shared_ptr<const Gateway>& gateway);
  ~Http2Upstream() override;

  io::Task<io::IoError> SendHead(Outgoing out, Duration stall) override;
  io::Task<io::IoError> SendBody(std::string_view data, bool last, Duration stall) override;
  io::Task<HeadRead> ReadHead(http::ResponseHead& head, MonotonicTime deadline) override;
  BodyPiece TryReadBody() override;
  io::Task<BodyPiece> ReadBody(MonotonicTime deadline, io::Piped*) override;
  const http::Fields* trailers() const override { return trailers_.size() > 0 ? &trailers_ : nullptr; }
  bool answered() const override { return answered_; }
  bool refused() const override { return refused_; }
  bool out_of_room() const override { return out_of_room_; }
  void Abort() override;
  void Release() override {}  // the stream has ended by itself

 private:
  void OnResponse(http::ResponseHead head, bool end) override;
  void OnData(std::string_view data) override;
  void OnEnd(http::Fields trailers) override;
  void OnSent() override;
  void OnClosed(http::Http2Error error) override;
  io::Task<io::IoError> WaitUntilSent(Duration stall);

  Worker& worker_;
  const std::shared_ptr<Http2UpstreamConnection> connection_;
  http::Http2Stream* stream_ = nullptr;   // null before it is opened and after it is closed
  std::deque<http::ResponseHead> heads_;  // not read yet
  std::string arrived_;                   // of the body, not given out yet
  std::string given_;                     // what the last piece points into
  std::string unsent_;                    // of what is being sent, where the caller's bytes could not stay
  limit::Buffered arriving_;              // arrived_ and given_
  limit::Buffered leaving_;               // unsent_
  http::Fields trailers_;
  io::Event news_;  // for who reads
  io::Event sent_;  // for who sends
  bool asked_ = false;
  bool ended_ = false;  // the answer is whole
  bool closed_ = false;
  bool malformed_ = false;
  bool out_of_room_ = false;
  bool answered_ = false;
  bool refused_ = false;
};

}  // namespace sluice::proxy
