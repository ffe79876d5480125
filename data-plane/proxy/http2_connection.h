#pragma once

// One client's connection over HTTP/2: one coroutine reads, one writes, and each stream has one that runs its exchange.
// What all streams send in a turn of the loop leaves as one write. Owned by the connection's coroutine, whose end waits
// for all the others; its worker's thread only.

#include <memory>
#include <string>

#include "data-plane/http/http2_session.h"
#include "data-plane/io/loop.h"
#include "data-plane/io/stream.h"
#include "data-plane/plugin/exchange.h"
#include "data-plane/proxy/client_connection.h"
#include "data-plane/proxy/connection_limits.h"
#include "data-plane/proxy/reader.h"

namespace sluice::proxy {

class Http2Downstream;
class Worker;

class Http2Connection final : public ClientConnection, private http::Http2Observer {
 public:
  // What is pending in `reader` is where the preface begins.
  Http2Connection(Worker& worker, io::Stream& stream, Reader& reader, Client client, Admission& admission);
  ~Http2Connection() override;

  // Until the connection has ended; the transport is the caller's to close.
  io::Task<void> Serve();

  void CloseIfIdle() override;

  // For its streams.
  http::Http2Session& session() { return session_; }
  // Takes what the session has to send; the writer runs later in this turn.
  void Flush();

 private:
  http::Http2StreamObserver* OnRequest(http::Http2Stream& stream, http::RequestHead head,
                                       http::ParseError refused) override;
  void OnGoAway() override {}
  io::Task<void> ServeStream(std::unique_ptr<Http2Downstream> downstream, http::RequestHead head,
                             http::ParseError refused);
  io::Task<void> Read();
  io::Task<void> Write();
  void StartEnding();
  MonotonicTime NextDeadline();
  void MeetDeadline();

  Worker& worker_;
  io::Stream& stream_;
  Reader& reader_;
  Client client_;
  Admission& admission_;
  http::Http2Session session_;
  std::string out_;
  io::Event wake_;     // for the writer
  io::Event written_;  // the writer has ended
  io::Event quiet_;    // no exchange is left
  size_t exchanges_ = 0;
  bool ending_ = false;
  const MonotonicTime opened_;
  const Duration idle_;  // how long a connection without streams is kept
  MonotonicTime idle_since_;
  MonotonicTime block_since_{};  // of a header block that is incomplete; zero: none
  MonotonicTime ending_since_{};
};

}  // namespace sluice::proxy
