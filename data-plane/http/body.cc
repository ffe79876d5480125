#include "data-plane/http/body.h"

#include <algorithm>

#include "data-plane/http/syntax.h"

namespace sluice::http {
namespace {
constexpr uint64_t kMaxChunkSize = INT64_MAX;
}  // namespace

BodyDecoder::BodyDecoder(Framing framing) : framing_(framing), state_(State::kRaw) {
  switch (framing.kind) {
    case Framing::Kind::kNone:
      done_ = true;
      break;
    case Framing::Kind::kLength:
      remaining_ = framing.length;
      done_ = framing.length == 0;
      break;
    case Framing::Kind::kChunked:
      state_ = State::kSize;
      break;
    case Framing::Kind::kUntilClose:
      remaining_ = UINT64_MAX;
      break;
  }
}

BodyDecoder::Step BodyDecoder::Decode(std::string_view input) {
  Step step;
  step.error = failure_;
  if (done_ || !failure_.empty()) return step;
  while (step.consumed < input.size()) {
    if (state_ == State::kRaw || state_ == State::kData) {
      const size_t take = std::min<uint64_t>(remaining_, input.size() - step.consumed);
      step.data = input.substr(step.consumed, take);
      step.consumed += take;
      decoded_ += take;
      if (framing_.kind == Framing::Kind::kUntilClose) return step;
      remaining_ -= take;
      if (remaining_ > 0) return step;
      if (state_ == State::kData) {
        state_ = State::kDataCr;
      } else {
        done_ = true;
      }
      return step;
    }
    step.error = TakeControl(input[step.consumed++]);
    if (!step.error.empty() || done_) return step;
  }
  return step;
}

bool BodyDecoder::EndOfInput() {
  if (framing_.kind == Framing::Kind::kUntilClose) done_ = true;
  return done_;
}

std::string_view BodyDecoder::Fail(std::string_view reason) { return failure_ = reason; }

std::string_view BodyDecoder::TakeControl(char c) {
  switch (state_) {
    case State::kSize:
      return TakeSize(c);
    case State::kExtension:
      return TakeExtension(c);
    case State::kSizeLf:
      if (c != '\n') return Fail("chunk-size");
      state_ = remaining_ > 0 ? State::kData : State::kTrailerStart;
      digits_ = 0;
      return {};
    case State::kDataCr:
      if (c != '\r') return Fail("chunk-end");
      state_ = State::kDataLf;
      return {};
    case State::kDataLf:
      if (c != '\n') return Fail("chunk-end");
      state_ = State::kSize;
      return {};
    default:
      return TakeTrailer(c);
  }
}

std::string_view BodyDecoder::TakeSize(char c) {
  if (syntax::Is(c, syntax::kHex)) {
    if (++digits_ > kMaxChunkSizeDigits) return Fail("chunk-size");
    if (remaining_ > (kMaxChunkSize >> 4)) return Fail("chunk-size");
    remaining_ = remaining_ * 16 + static_cast<uint64_t>(syntax::HexValue(c));
    return {};
  }
  if (digits_ == 0) return Fail("chunk-size");
  if (c == '\r') {
    state_ = State::kSizeLf;
    return {};
  }
  if (c != ';') return Fail("chunk-size");
  state_ = State::kExtension;
  return TakeExtension(c);
}

// Extensions mean nothing to us, but a quoted one must not hide a line end from readers who honour quotes.
std::string_view BodyDecoder::TakeExtension(char c) {
  if (c == '\r' && !in_quotes_) {
    state_ = State::kSizeLf;
    return {};
  }
  if (++extension_bytes_ > kMaxChunkExtensionBytes || syntax::Is(c, syntax::kControl)) return Fail("chunk-extension");
  if (escaped_) {
    escaped_ = false;
  } else if (c == '"') {
    in_quotes_ = !in_quotes_;
  } else if (c == '\\' && in_quotes_) {
    escaped_ = true;
  }
  return {};
}

std::string_view BodyDecoder::TakeTrailer(char c) {
  if (++trailer_bytes_ > kMaxTrailerBytes) return Fail("trailer");
  switch (state_) {
    case State::kTrailerStart:
      if (c == '\r') {
        state_ = State::kEndLf;
        return {};
      }
      state_ = State::kTrailerName;
      return syntax::Is(c, syntax::kToken) ? std::string_view() : Fail("trailer");
    case State::kTrailerName:
      if (c == ':') {
        state_ = State::kTrailerValue;
        return {};
      }
      return syntax::Is(c, syntax::kToken) ? std::string_view() : Fail("trailer");
    case State::kTrailerValue:
      if (c == '\r') {
        state_ = State::kTrailerLf;
        return {};
      }
      return syntax::Is(c, syntax::kControl) ? Fail("trailer") : std::string_view();
    case State::kTrailerLf:
      state_ = State::kTrailerStart;
      return c == '\n' ? std::string_view() : Fail("trailer");
    default:
      done_ = c == '\n';
      return done_ ? std::string_view() : Fail("chunk-end");
  }
}

}  // namespace sluice::http
