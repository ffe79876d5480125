#pragma once

// Carries the rest of a request's body upstream while the response is already awaited. A coroutine of its own beside
// the exchange's, which must see it ended before it goes.

#include "data-plane/io/loop.h"
#include "data-plane/plugin/exchange.h"
#include "data-plane/proxy/downstream.h"
#include "data-plane/proxy/plugin_run.h"
#include "data-plane/proxy/upstream_stream.h"

namespace sluice::proxy {

class Worker;

class RequestPump {
 public:
  enum class End : uint8_t {
    kRunning,
    kDone,            // the whole body went upstream
    kClient,          // the client failed: see body_error()
    kRejected,        // a plugin answered: see verdict()
    kUpstream,        // the upstream takes no more; it may have answered
    kUpstreamStalls,  // nothing went for the write timeout
    kDiscarded,       // the response was complete before the body
  };

  RequestPump(Worker& worker, Exchange& exchange, Downstream& downstream, const PluginRun& plugins);
  RequestPump(const RequestPump&) = delete;

  // Spawned at most once. `upstream` must live until the end; it is aborted where the request cannot be completed.
  void Start(UpstreamStream& upstream, Duration write_timeout);
  // The same for what a client sends through a tunnel, which concerns no plugin.
  void StartTunnel(UpstreamStream& upstream, Duration write_timeout);
  bool started() const { return started_; }
  bool running() const { return started_ && end_ == End::kRunning; }
  End end() const { return end_; }
  BodyError body_error() const { return body_error_; }
  Verdict& verdict() { return verdict_; }
  MonotonicTime ended_at() const { return ended_at_; }
  MonotonicTime moved_at() const { return moved_at_; }  // when it last passed something on

  // The body is of no use any more: from now on it is read away, within bounds, and nothing is sent.
  void Abandon();
  io::Task<void> Join();
  // Until the end, or `deadline`.
  io::Task<void> WaitForEnd(MonotonicTime deadline);

 private:
  io::Task<void> Run();
  io::Task<End> Copy();
  io::Task<void> Discard();

  Worker& worker_;
  Exchange& exchange_;
  Downstream& downstream_;
  const PluginRun& plugins_;
  UpstreamStream* upstream_ = nullptr;
  bool tunnel_ = false;
  Duration write_timeout_{};
  bool started_ = false;
  bool discard_ = false;
  End end_ = End::kRunning;
  BodyError body_error_ = BodyError::kNone;
  Verdict verdict_;
  MonotonicTime ended_at_{};
  MonotonicTime moved_at_{};
  MonotonicTime discard_until_{};
  io::Event ended_;
};

}  // namespace sluice::proxy
