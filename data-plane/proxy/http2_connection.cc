#include "data-plane/proxy/http2_connection.h"

#include <algorithm>

#include "data-plane/proxy/exchange.h"
#include "data-plane/proxy/http2_downstream.h"
#include "data-plane/proxy/worker.h"

namespace sluice::proxy {

using http::Http2Error;

Http2Connection::Http2Connection(Worker& worker, io::Stream& stream, Reader& reader, Client client,
                                 Admission& admission)
    : worker_(worker),
      stream_(stream),
      reader_(reader),
      client_(std::move(client)),
      admission_(admission),
      session_(http::Http2Session::Role::kServer, *this),
      wake_(worker.loop()),
      written_(worker.loop()),
      quiet_(worker.loop()),
      opened_(worker.loop().Now()),
      idle_(std::chrono::duration_cast<Duration>(worker.times().keep_alive_idle * (1.0 - worker.Jitter() / 10))),
      idle_since_(opened_) {
  worker_.Enter(this);
  ++worker_.stats().http2_connections;
}

Http2Connection::~Http2Connection() {
  worker_.Leave(this);
}

io::Task<void> Http2Connection::Serve() {
  worker_.loop().Spawn(Write());
  co_await Read();
  if (session_.flooded()) ++worker_.stats().http2_floods;
  Flush();
  session_.CloseStreams(Http2Error::kCancel);
  ending_ = true;
  wake_.Set();
  co_await written_.Wait();
  while (exchanges_ > 0) {
    quiet_.Reset();
    co_await quiet_.Wait();
  }
}

io::Task<void> Http2Connection::Read() {
  for (;;) {
    const std::string_view pending = reader_.pending();
    session_.Receive(pending, worker_.loop().Now());
    reader_.Consume(pending.size());
    worker_.stats().http2_streams_refused += session_.TakeRefused();
    Flush();
    if (session_.deaf()) co_return;
    const MonotonicTime deadline = NextDeadline();
    const io::IoError error = co_await reader_.Fill(deadline);
    if (error == io::IoError::kTimeout) {
      MeetDeadline();
    } else if (error != io::IoError::kNone) {
      co_return;
    }
  }
}

MonotonicTime Http2Connection::NextDeadline() {
  const Times& times = worker_.times();
  MonotonicTime deadline = opened_ + times.connection_age;
  if (!session_.in_header_block()) {
    block_since_ = {};
  } else if (block_since_ == MonotonicTime{}) {
    block_since_ = worker_.loop().Now();
  }
  const MonotonicTime now = worker_.loop().Now();
  if (session_.going_away()) deadline = session_.goaway_finished() ? io::kNever : ending_since_ + times.linger;
  if (block_since_ != MonotonicTime{}) deadline = std::min(deadline, block_since_ + times.head_read);
  // Streams may end while the reader waits: it looks again when as much time has passed.
  const bool idle = exchanges_ == 0 && !session_.goaway_finished();
  return std::min(deadline, (idle ? idle_since_ : now) + idle_);
}

void Http2Connection::MeetDeadline() {
  const MonotonicTime now = worker_.loop().Now();
  if (block_since_ != MonotonicTime{} && now >= block_since_ + worker_.times().head_read) {
    ++worker_.stats().http2_floods;
    session_.Terminate(Http2Error::kCalm);
  } else if (session_.going_away()) {
    session_.FinishGoAway();
  } else if (exchanges_ == 0 && now >= idle_since_ + idle_) {
    ++worker_.stats().connections_ended_idle;
    session_.FinishGoAway();
  } else if (now >= opened_ + worker_.times().connection_age) {
    ++worker_.stats().connections_ended_age;
    StartEnding();
  }
}

void Http2Connection::StartEnding() {
  if (session_.going_away()) return;
  session_.BeginGoAway();
  ending_since_ = worker_.loop().Now();
}

void Http2Connection::CloseIfIdle() {
  if (!session_.going_away()) {
    StartEnding();
    Flush();
    return;
  }
  if (worker_.loop().Now() < ending_since_ + worker_.times().linger && !session_.deaf()) return;
  session_.FinishGoAway();
  Flush();
  if (exchanges_ == 0 && out_.empty()) stream_.Cancel();
}

http::Http2StreamObserver* Http2Connection::OnRequest(http::Http2Stream& stream, http::RequestHead head,
                                                      http::ParseError refused) {
  if (exchanges_ >= kMaxHttp2Exchanges) return nullptr;
  ++exchanges_;
  if (++client_.requests_on_connection == worker_.max_requests_per_connection()) {
    ++worker_.stats().connections_ended_requests;
    StartEnding();
  }
  auto downstream = std::make_unique<Http2Downstream>(worker_, *this, stream, head);
  http::Http2StreamObserver* const observer = downstream.get();
  worker_.loop().Spawn(ServeStream(std::move(downstream), std::move(head), refused));
  return observer;
}

io::Task<void> Http2Connection::ServeStream(std::unique_ptr<Http2Downstream> downstream, http::RequestHead head,
                                            http::ParseError refused) {
  // A stream that its client has reset already costs nobody an exchange.
  if (!downstream->Gone()) {
    ProxyExchange exchange(worker_, *downstream, admission_);
    exchange.client = client_;
    exchange.request = std::move(head);
    if (refused) {
      co_await exchange.Refuse(refused.status, refused.reason);
    } else {
      co_await exchange.Run();
    }
  }
  downstream->Finish();
  idle_since_ = worker_.loop().Now();
  if (--exchanges_ == 0) quiet_.Set();
}

void Http2Connection::Flush() {
  if (ending_) return;
  session_.Pull(out_, kMaxHttp2Output, worker_.loop().Now());
  if (!out_.empty()) wake_.Set();
}

io::Task<void> Http2Connection::Write() {
  io::IoError error = io::IoError::kNone;
  for (;;) {
    if (!ending_) session_.Pull(out_, kMaxHttp2Output, worker_.loop().Now());
    if (out_.empty()) {
      if (!ending_ && session_.finished()) stream_.ShutdownWrite();
      if (ending_ || session_.finished()) break;
      out_.shrink_to_fit();
      wake_.Reset();
      co_await wake_.Wait();
      continue;
    }
    const io::IoResult result = stream_.TryWrite(out_);
    if (!result.ok() && result.error != io::IoError::kWouldBlock) break;
    out_.erase(0, result.bytes);
    if (out_.empty()) continue;
    error = co_await stream_.Writable(worker_.loop().Now() + worker_.times().write_stall);
    if (error == io::IoError::kTimeout) ++worker_.stats().writes_stalled;
    if (error != io::IoError::kNone) break;
  }
  if (!out_.empty()) stream_.Cancel();
  written_.Set();
}

}  // namespace sluice::proxy
