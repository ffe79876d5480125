#include "data-plane/proxy/request_pump.h"

#include "data-plane/proxy/worker.h"

namespace sluice::proxy {

RequestPump::RequestPump(Worker& worker, Exchange& exchange, Downstream& downstream, const PluginRun& plugins)
    : worker_(worker), exchange_(exchange), downstream_(downstream), plugins_(plugins), ended_(worker.loop()) {}

void RequestPump::Start(UpstreamStream& upstream, Duration write_timeout) {
  started_ = true;
  upstream_ = &upstream;
  write_timeout_ = write_timeout;
  moved_at_ = worker_.loop().Now();
  worker_.loop().Spawn(Run());
}

void RequestPump::StartTunnel(UpstreamStream& upstream, Duration write_timeout) {
  tunnel_ = true;
  Start(upstream, write_timeout);
}

io::Task<void> RequestPump::Run() {
  End end = End::kDiscarded;
  if (!discard_) end = co_await Copy();
  if (discard_) {
    end = End::kDiscarded;
    co_await Discard();
  }
  if (end == End::kClient || end == End::kRejected || end == End::kUpstreamStalls) upstream_->Abort();
  end_ = end;
  ended_at_ = worker_.loop().Now();
  ended_.Set();
}

io::Task<RequestPump::End> RequestPump::Copy() {
  io::Piped piped(worker_.pipes());
  const bool may_pipe = !tunnel_ && !plugins_.Has(kOnRequestBody) && upstream_->TakesPiped();
  for (;;) {
    const BodyRead got = co_await downstream_.ReadBody(may_pipe ? &piped : nullptr);
    if (discard_) co_return End::kDiscarded;
    if (got.error != BodyError::kNone) {
      body_error_ = got.error;
      co_return End::kClient;
    }
    exchange_.request_body_bytes = downstream_.body_received();
    if (!tunnel_) verdict_ = plugins_.OnRequestBody(exchange_, got.data);
    if (verdict_.has_value()) co_return End::kRejected;
    const bool end = got.end;
    io::IoError error;
    if (piped.empty()) {
      error = co_await upstream_->SendBody(got.data, end, write_timeout_);
    } else {
      error = co_await upstream_->SendPiped(piped, write_timeout_);
    }
    moved_at_ = worker_.loop().Now();
    if (discard_) co_return End::kDiscarded;
    if (error == io::IoError::kTimeout) co_return End::kUpstreamStalls;
    if (error != io::IoError::kNone) co_return End::kUpstream;
    if (end) co_return End::kDone;
  }
}

io::Task<void> RequestPump::Discard() {
  const uint64_t before = downstream_.body_received();
  while (!downstream_.body_done() && worker_.loop().Now() < discard_until_) {
    const BodyRead got = co_await downstream_.ReadBody();
    if (got.error != BodyError::kNone || downstream_.body_received() - before > kMaxLingerBytes) co_return;
  }
}

void RequestPump::Abandon() {
  if (!running() || discard_) return;
  discard_ = true;
  discard_until_ = worker_.loop().Now() + worker_.times().drain_body;
  upstream_->Abort();
}

io::Task<void> RequestPump::Join() {
  if (!running()) co_return;
  Abandon();
  downstream_.EndAfterResponse();
  co_await ended_.Wait();
}

io::Task<void> RequestPump::WaitForEnd(MonotonicTime deadline) {
  if (running()) co_await ended_.Wait(deadline);
}

}  // namespace sluice::proxy
