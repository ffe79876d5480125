#include "deploy/demo-upstream/connection.h"

#include <algorithm>
#include <cstring>
#include <span>

#include "data-plane/http/body.h"
#include "data-plane/http/parser.h"
#include "data-plane/http/writer.h"
#include "deploy/demo-upstream/answer.h"

namespace sluice::demo {
namespace {

constexpr size_t kBufferBytes = 64 * 1024;  // holds the longest head
constexpr std::chrono::seconds kLinger{1};  // after a refusal, so that the client gets to read it
constexpr int kMaxLingerReads = 64;
constexpr size_t kPieceBytes = 64 * 1024;  // of long answers

class Connection {
 public:
  Connection(std::unique_ptr<io::Stream> stream, std::string origin)
      : stream_(std::move(stream)), loop_(stream_->loop()), origin_(std::move(origin)) {}

  io::Task<void> Serve() {
    bool more = true;
    while (more) more = co_await ServeOne();
  }

 private:
  io::Task<bool> ServeOne() {
    http::RequestHead request;
    const http::ParseError error = co_await ReadHead(request);
    if (error) {
      if (error.status > 0) co_await Refuse(error);
      co_return false;
    }
    if (request.expect_continue && begin_ == end_) {
      const io::IoResult sent = co_await io::WriteAll(*stream_, "HTTP/1.1 100 Continue\r\n\r\n", kStallTimeout);
      if (!sent.ok()) co_return false;
    }
    uint64_t body_bytes = 0;
    const http::ParseError broken = co_await DropBody(request.framing, body_bytes);
    if (broken) {
      if (broken.status > 0) co_await Refuse(broken);
      co_return false;
    }
    const Answer answer = AnswerTo(request, body_bytes, origin_);
    const bool sent = co_await Send(request, answer);
    co_return sent && request.keep_alive;
  }

  // An error of status -1 is a connection that ended.
  io::Task<http::ParseError> ReadHead(http::RequestHead& request) {
    static constexpr http::ParseError kGone{-1, "gone"};
    size_t scanned = 0;
    const MonotonicTime deadline = loop_.Now() + kIdleTimeout;
    for (;;) {
      const size_t end = http::FindHeadEnd(Unused(), scanned);
      if (end > 0) {
        const http::ParseError error = http::ParseRequestHead(Unused().substr(0, end), request);
        begin_ += end;
        co_return error;
      }
      const http::ParseError error = http::CheckIncompleteHead(Unused());
      if (error) co_return error;
      const bool read = co_await ReadMore(deadline);
      if (!read) co_return kGone;
    }
  }

  std::string_view Unused() const { return {buffer_.get() + begin_, end_ - begin_}; }

  io::Task<bool> ReadMore(MonotonicTime deadline) {
    if (begin_ > 0) {
      std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    const std::span<char> room(buffer_.get() + end_, kBufferBytes - end_);
    const io::IoResult result = co_await io::ReadSome(*stream_, room, deadline);
    end_ += result.bytes;
    co_return result.ok();
  }

  io::Task<http::ParseError> DropBody(http::Framing framing, uint64_t& body_bytes) {
    static constexpr http::ParseError kGone{-1, "gone"};
    http::BodyDecoder decoder(framing);
    while (!decoder.done()) {
      if (begin_ == end_) {
        const bool read = co_await ReadMore(loop_.Now() + kStallTimeout);
        if (!read) co_return kGone;
      }
      const http::BodyDecoder::Step step = decoder.Decode(Unused());
      if (!step.error.empty()) co_return http::ParseError{400, step.error};
      begin_ += step.consumed;
    }
    body_bytes = decoder.decoded();
    co_return http::ParseError{};
  }

  io::Task<void> Refuse(http::ParseError error) {
    http::Fields fields;
    fields.AppendView("Content-Type", "text/plain");
    out_.clear();
    const http::Framing framing{http::Framing::Kind::kLength, error.reason.size()};
    http::AppendResponseHead(out_, error.status, {}, fields, framing, "close");
    out_ += error.reason;
    co_await Flush();
    stream_->ShutdownWrite();
    const MonotonicTime deadline = loop_.Now() + kLinger;
    bool more = true;
    for (int i = 0; i < kMaxLingerReads && more; ++i) {
      begin_ = end_ = 0;
      more = co_await ReadMore(deadline);
    }
  }

  io::Task<bool> Flush() {
    const io::IoResult result = co_await io::WriteAll(*stream_, out_, kStallTimeout);
    out_.clear();
    co_return result.ok();
  }

  io::Task<bool> Send(const http::RequestHead& request, const Answer& answer) {
    if (answer.delay.count() > 0) co_await loop_.SleepUntil(loop_.Now() + answer.delay);
    const uint64_t length = answer.filler + answer.drip + answer.body.size();
    http::Framing framing{http::Framing::Kind::kLength, length};
    if (answer.lines > 0) {
      const bool chunked = request.protocol != http::Protocol::kHttp10;
      framing = {chunked ? http::Framing::Kind::kChunked : http::Framing::Kind::kUntilClose, 0};
    }
    if (answer.status == 204 || answer.status == 304) framing = {};
    http::Fields fields;
    fields.AppendView("Content-Type", answer.content_type);
    fields.AppendView("Server", "sluice-demo-upstream");
    const bool until_close = framing.kind == http::Framing::Kind::kUntilClose;
    out_.clear();
    http::AppendResponseHead(out_, answer.status, {}, fields, framing,
                             until_close || !request.keep_alive ? std::string_view("close") : std::string_view());
    if (request.method != "HEAD") {
      out_ += answer.body;
      bool sent = true;
      if (answer.filler > 0) sent = co_await SendFiller(answer.filler);
      if (answer.drip > 0) sent = co_await SendDrip(answer);
      if (answer.lines > 0) sent = co_await SendLines(answer.lines, !until_close);
      if (!sent) co_return false;
    }
    const bool flushed = co_await Flush();
    co_return flushed && !until_close;
  }

  io::Task<bool> SendFiller(uint64_t left) {
    while (left > 0) {
      const size_t piece = static_cast<size_t>(std::min<uint64_t>(left, kPieceBytes));
      out_.append(piece, 'x');
      left -= piece;
      const bool sent = co_await Flush();
      if (!sent) co_return false;
    }
    co_return true;
  }

  io::Task<bool> SendDrip(const Answer& answer) {
    for (uint64_t i = 0; i < answer.drip; ++i) {
      out_ += '*';
      const bool sent = co_await Flush();
      if (!sent) co_return false;
      const bool last = i + 1 == answer.drip;
      if (!last && answer.drip_pause.count() > 0) co_await loop_.SleepUntil(loop_.Now() + answer.drip_pause);
    }
    co_return true;
  }

  io::Task<bool> SendLines(uint64_t lines, bool chunked) {
    for (uint64_t i = 0; i < lines; ++i) {
      const std::string line = "{\"line\":" + std::to_string(i) + "}\n";
      if (chunked) {
        http::AppendChunk(out_, line);
      } else {
        out_ += line;
      }
      if (out_.size() < kPieceBytes) continue;
      const bool sent = co_await Flush();
      if (!sent) co_return false;
    }
    if (chunked) out_ += http::kLastChunk;
    co_return true;
  }

  std::unique_ptr<io::Stream> stream_;
  io::Loop& loop_;
  const std::string origin_;
  std::unique_ptr<char[]> buffer_ = std::make_unique_for_overwrite<char[]>(kBufferBytes);
  size_t begin_ = 0;  // of what was read and not used up
  size_t end_ = 0;
  std::string out_;  // to be written
};

}  // namespace

io::Task<void> ServeConnection(std::unique_ptr<io::Stream> stream, std::string origin) {
  Connection connection(std::move(stream), std::move(origin));
  co_await connection.Serve();
}

}  // namespace sluice::demo
