#include "data-plane/proxy/request_pump.h"

#include "data-plane/http/writer.h"
#include "data-plane/proxy/worker.h"

namespace sluice::proxy {

RequestPump::RequestPump(Worker& worker, Exchange& exchange, Downstream& downstream, const PluginRun& plugins)
    : worker_(worker), exchange_(exchange), downstream_(downstream), plugins_(plugins), ended_(worker.loop()) {}

void RequestPump::Start(io::Stream& upstream, bool chunked, Duration write_timeout) {
  started_ = true;
  upstream_ = &upstream;
  chunked_ = chunked;
  write_timeout_ = write_timeout;
  worker_.loop().Spawn(Run());
}

io::Task<void> RequestPump::Run() {
  End end = End::kDiscarded;
  if (!discard_) end = co_await Copy();
  if (discard_) {
    end = End::kDiscarded;
    co_await Discard();
  }
  if (end == End::kClient || end == End::kRejected || end == End::kUpstreamStalls) {
    // A request that was not sent whole must not look whole.
    upstream_->ResetOnClose();
    upstream_->Cancel();
  }
  end_ = end;
  ended_at_ = worker_.loop().Now();
  ended_.Set();
}

io::Task<RequestPump::End> RequestPump::Copy() {
  for (;;) {
    const BodyRead got = co_await downstream_.ReadBody();
    if (discard_) co_return End::kDiscarded;
    if (got.error != BodyError::kNone) {
      body_error_ = got.error;
      co_return End::kClient;
    }
    exchange_.request_body_bytes = downstream_.body_received();
    verdict_ = plugins_.OnRequestBody(exchange_, got.data);
    if (verdict_.has_value()) co_return End::kRejected;
    std::string_view bytes = got.data;
    if (chunked_) {
      std::string& out = worker_.out();
      out.clear();
      http::AppendChunk(out, got.data);
      if (got.end) out.append(http::kLastChunk);
      bytes = out;
    }
    const bool end = got.end;
    const io::IoResult sent = co_await io::WriteAll(*upstream_, bytes, write_timeout_);
    if (discard_) co_return End::kDiscarded;
    if (sent.error == io::IoError::kTimeout) co_return End::kUpstreamStalls;
    if (!sent.ok()) co_return End::kUpstream;
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
  upstream_->Cancel();
}

io::Task<void> RequestPump::Join() {
  if (!running()) co_return;
  Abandon();
  downstream_.EndAfterResponse();
  co_await ended_.Wait();
}

}  // namespace sluice::proxy
