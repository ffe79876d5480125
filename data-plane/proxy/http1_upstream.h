#pragma once

// One exchange on a pooled HTTP/1.1 connection.

#include <memory>

#include "data-plane/proxy/body_reader.h"
#include "data-plane/proxy/upstream_pool.h"
#include "data-plane/proxy/upstream_stream.h"

namespace sluice::proxy {

class Worker;

class Http1Upstream final : public UpstreamStream {
 public:
  Http1Upstream(Worker& worker, std::unique_ptr<UpstreamConnection> connection);

  io::Task<io::IoError> SendHead(Outgoing out, Duration stall) override;
  io::Task<io::IoError> SendBody(std::string_view data, bool last, Duration stall) override;
  bool TakesPiped() const override { return !chunked_out_ && !tunnel_ && connection_->stream->Plain() != nullptr; }
  io::Task<io::IoError> SendPiped(io::Piped& piped, Duration stall) override;
  io::Task<HeadRead> ReadHead(http::ResponseHead& head, MonotonicTime deadline) override;
  BodyPiece TryReadBody() override;
  io::Task<BodyPiece> ReadBody(MonotonicTime deadline, io::Piped* piped) override;
  void BecomeTunnel() override;
  bool answered() const override { return connection_->reader.received() != received_before_; }
  void Abort() override;
  void Release() override;

 private:
  BodyPiece Take();

  Worker& worker_;
  std::unique_ptr<UpstreamConnection> connection_;
  BodyReader body_;
  const uint64_t received_before_;
  size_t scanned_ = 0;  // of the head that is arriving
  std::string method_;  // decides whether the answer has a body
  bool chunked_out_ = false;
  bool tunnel_ = false;
  bool ended_ = false;  // the body ended with the connection
  bool keep_alive_ = false;
};

}  // namespace sluice::proxy
