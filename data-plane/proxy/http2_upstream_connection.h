#pragma once

// One HTTP/2 connection to an upstream, shared by many exchanges of one gateway: a session, a coroutine that reads and
// one that writes. Held by these two, by the pool while it takes requests, and by the exchanges on it. Its worker's
// thread only.

#include <memory>
#include <string>

#include "data-plane/http/http2_session.h"
#include "data-plane/io/loop.h"
#include "data-plane/io/stream.h"
#include "data-plane/limit/slot.h"
#include "data-plane/proxy/upstream_pool.h"

namespace sluice::proxy {

class Http2Pool;
class Worker;

class Http2UpstreamConnection final : public http::Http2Observer {
 public:
  // Use Open. `slot` counts it among the gateway's upstream connections.
  Http2UpstreamConnection(Worker& worker, std::unique_ptr<io::Stream> stream, PoolKey key, limit::Slot slot);
  static std::shared_ptr<Http2UpstreamConnection> Open(Worker& worker, std::unique_ptr<io::Stream> stream, PoolKey key,
                                                       limit::Slot slot);

  const PoolKey& key() const { return key_; }
  // How many requests may be added now. One until the upstream's settings are known.
  size_t capacity() const;
  // The upstream has said something, and so its settings.
  bool settled() const { return settled_; }
  bool busy() const { return session_.streams() + reserved_ > 0; }
  // The transport or the protocol broke: what its streams hear is not the upstream's word about them.
  bool lost() const { return lost_; }

  // An exchange will ask (Ask ends the reservation), or has gone without.
  void Reserve() { ++reserved_; }
  http::Http2Stream* Ask(const http::Http2Session::Request& request, http::Http2StreamObserver& observer);
  void Leave(bool asked);

  http::Http2Session& session() { return session_; }
  // What was asked of the session goes out. Not from within an observer.
  void Flush();

  // Takes no more requests and closes with its last one.
  void Drain();
  // At once; there is no request on it.
  void Close();
  // The pool goes, or lets go of it.
  void Disown() { pool_ = nullptr; }

 private:
  http::Http2StreamObserver* OnRequest(http::Http2Stream&, http::RequestHead, http::ParseError) override;
  void OnGoAway() override;

  static io::Task<void> Read(std::shared_ptr<Http2UpstreamConnection> self);
  static io::Task<void> Write(std::shared_ptr<Http2UpstreamConnection> self);
  bool LookAround();
  void Changed();
  void LeavePool();
  void Lose();
  void Ended();

  Worker& worker_;
  io::Loop& loop_;  // outlives what the worker gives up before it
  Http2Pool* pool_;
  std::unique_ptr<io::Stream> stream_;  // null once both coroutines have ended
  const PoolKey key_;
  limit::Slot slot_;
  http::Http2Session session_;
  std::string out_;
  size_t written_ = 0;  // of out_
  io::Event wake_writer_;
  const MonotonicTime opened_;
  MonotonicTime heard_;  // from the upstream
  MonotonicTime used_;
  size_t reserved_ = 0;
  int running_ = 2;
  bool pinged_ = false;  // and not heard of it
  bool settled_ = false;
  bool draining_ = false;
  bool lost_ = false;
};

}  // namespace sluice::proxy
