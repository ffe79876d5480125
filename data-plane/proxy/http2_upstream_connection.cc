#include "data-plane/proxy/http2_upstream_connection.h"

#include <algorithm>

#include "data-plane/proxy/http2_pool.h"
#include "data-plane/proxy/worker.h"

namespace sluice::proxy {

using http::Http2Error;

Http2UpstreamConnection::Http2UpstreamConnection(Worker& worker, std::unique_ptr<io::Stream> stream, PoolKey key,
                                                 limit::Slot slot)
    : worker_(worker),
      loop_(worker.loop()),
      pool_(&worker.http2_pool()),
      stream_(std::move(stream)),
      key_(std::move(key)),
      slot_(std::move(slot)),
      session_(http::Http2Session::Role::kClient, *this),
      wake_writer_(worker.loop()),
      opened_(worker.loop().Now()),
      heard_(opened_),
      used_(opened_) {}

std::shared_ptr<Http2UpstreamConnection> Http2UpstreamConnection::Open(Worker& worker,
                                                                       std::unique_ptr<io::Stream> stream, PoolKey key,
                                                                       limit::Slot slot) {
  auto self = std::make_shared<Http2UpstreamConnection>(worker, std::move(stream), std::move(key), std::move(slot));
  worker.http2_pool().Add(self);
  worker.loop().Spawn(Read(self));
  worker.loop().Spawn(Write(self));
  return self;
}

size_t Http2UpstreamConnection::capacity() const {
  if (draining_ || lost_ || loop_.Now() - opened_ >= worker_.times().connection_age) return 0;
  const size_t open = settled_ ? session_.capacity() : 1 - std::min<size_t>(1, session_.streams());
  return open - std::min(open, reserved_);
}

http::Http2Stream* Http2UpstreamConnection::Ask(const http::Http2Session::Request& request,
                                                http::Http2StreamObserver& observer) {
  --reserved_;
  return draining_ || lost_ ? nullptr : session_.Ask(request, observer);
}

void Http2UpstreamConnection::Leave(bool asked) {
  if (!asked) --reserved_;
  used_ = loop_.Now();
  Changed();
}

void Http2UpstreamConnection::Flush() {
  if (written_ >= kMaxHttp2Output) {
    out_.erase(0, written_);
    written_ = 0;
  }
  if (out_.size() - written_ < kMaxHttp2Output) session_.Pull(out_, written_ + kMaxHttp2Output, loop_.Now());
  if (written_ < out_.size() || session_.finished()) wake_writer_.Set();
}

// After anything that may have ended streams.
void Http2UpstreamConnection::Changed() {
  if (draining_ && !busy()) session_.Terminate(Http2Error::kNone);
  Flush();
  if (pool_ != nullptr && capacity() > 0) pool_->OnRoom(*this);
}

void Http2UpstreamConnection::Drain() {
  draining_ = true;
  LeavePool();
  Changed();
}

void Http2UpstreamConnection::Close() {
  session_.Terminate(Http2Error::kNone);
  Lose();
  slot_.Release();
}

void Http2UpstreamConnection::LeavePool() {
  if (pool_ != nullptr) std::exchange(pool_, nullptr)->Remove(*this);
}

// Upstreams push nothing: the session's settings forbid it.
http::Http2StreamObserver* Http2UpstreamConnection::OnRequest(http::Http2Stream&, http::RequestHead, http::ParseError) {
  return nullptr;
}

void Http2UpstreamConnection::OnGoAway() {
  draining_ = true;
  LeavePool();
}

io::Task<void> Http2UpstreamConnection::Read(std::shared_ptr<Http2UpstreamConnection> self) {
  Worker& worker = self->worker_;
  const Duration tick = std::min(worker.times().upstream_idle, worker.times().upstream_ping);
  for (;;) {
    const MonotonicTime deadline = worker.loop().Now() + tick;
    const io::IoResult got = co_await io::ReadSome(*self->stream_, worker.scratch(), deadline);
    if (got.error == io::IoError::kTimeout) {
      if (!self->LookAround()) break;
      continue;
    }
    if (!got.ok()) break;
    self->heard_ = worker.loop().Now();
    self->pinged_ = false;
    self->session_.Receive({worker.scratch().data(), got.bytes}, self->heard_);
    if (self->session_.deaf()) break;
    self->settled_ = true;
    self->Changed();
  }
  self->Lose();
  self->Ended();
}

// False where the upstream is silent although it was asked for a sign of life.
bool Http2UpstreamConnection::LookAround() {
  const MonotonicTime now = loop_.Now();
  const bool idle = !busy() && now - used_ >= worker_.times().upstream_idle;
  if (idle || now - opened_ >= worker_.times().connection_age) Drain();
  if (!busy() || now - heard_ < worker_.times().upstream_ping) return true;
  if (pinged_) return false;
  pinged_ = true;
  session_.Ping();
  Flush();
  return true;
}

io::Task<void> Http2UpstreamConnection::Write(std::shared_ptr<Http2UpstreamConnection> self) {
  self->Flush();
  for (;;) {
    if (self->written_ == self->out_.size()) {
      self->out_.clear();
      self->written_ = 0;
      self->Flush();
      if (self->out_.empty()) {
        if (self->lost_ || self->session_.finished()) break;
        if (!self->busy()) std::string().swap(self->out_);
        co_await self->wake_writer_.Wait();
        self->wake_writer_.Reset();
        continue;
      }
    }
    const io::IoResult put = self->stream_->TryWrite(std::string_view(self->out_).substr(self->written_));
    self->written_ += put.bytes;
    if (put.error == io::IoError::kWouldBlock) {
      const MonotonicTime deadline = self->loop_.Now() + self->worker_.times().write_stall;
      const io::IoError error = co_await self->stream_->Writable(deadline);
      if (error != io::IoError::kNone) break;
    } else if (!put.ok()) {
      break;
    }
  }
  self->stream_->Cancel();
  self->Lose();
  self->Ended();
}

// What is in the output still goes, as a last word to an upstream that broke the rules.
void Http2UpstreamConnection::Lose() {
  if (lost_) return;
  Flush();
  lost_ = true;
  LeavePool();
  session_.CloseStreams(Http2Error::kInternal);
  wake_writer_.Set();
}

void Http2UpstreamConnection::Ended() {
  if (--running_ > 0) return;
  stream_.reset();
  slot_.Release();
}

}  // namespace sluice::proxy
