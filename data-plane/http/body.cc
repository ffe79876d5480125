#include "data-plane/http/body.h"

#include <algorithm>

#include "common/base/check.h"
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

void BodyDecoder::Skip(uint64_t bytes) {
  SLUICE_CHECK(bytes <= length_left());
  remaining_ -= bytes;
  decoded_ += bytes;
  done_ = remaining_ == 0;
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
  extension_ = Extension::kNameStart;
  return ++extension_bytes_ > kMaxChunkExtensionBytes ? Fail("chunk-extension") : std::string_view();
}

// Extensions mean nothing to us, but what is none must not hide a line end from readers who look at them.
std::string_view BodyDecoder::TakeExtension(char c) {
  const bool may_end =
      extension_ == Extension::kName || extension_ == Extension::kValue || extension_ == Extension::kClosed;
  if (c == '\r' && may_end) {
    state_ = State::kSizeLf;
    return {};
  }
  if (++extension_bytes_ > kMaxChunkExtensionBytes || !StepExtension(c)) return Fail("chunk-extension");
  return {};
}

bool BodyDecoder::StepExtension(char c) {
  const bool token = syntax::Is(c, syntax::kToken);
  switch (extension_) {
    case Extension::kNameStart:
      extension_ = Extension::kName;
      return token;
    case Extension::kValueStart:
      extension_ = c == '"' ? Extension::kQuoted : Extension::kValue;
      return token || c == '"';
    case Extension::kQuoted:
      if (c == '"') extension_ = Extension::kClosed;
      if (c == '\\') extension_ = Extension::kEscaped;
      return !syntax::Is(c, syntax::kControl);
    case Extension::kEscaped:
      extension_ = Extension::kQuoted;
      return !syntax::Is(c, syntax::kControl);
    case Extension::kName:
    case Extension::kValue:
      if (token) return true;
      break;
    case Extension::kClosed:
      break;
  }
  const bool has_value = extension_ != Extension::kName;
  extension_ = c == ';' ? Extension::kNameStart : Extension::kValueStart;
  return c == ';' || (c == '=' && !has_value);
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
      name_bytes_ = 0;
      return TakeTrailerName(c);
    case State::kTrailerName:
      return TakeTrailerName(c);
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

// A trailer is dropped, but one that speaks of framing is refused: it is there for somebody who believes it.
std::string_view BodyDecoder::TakeTrailerName(char c) {
  if (syntax::Is(c, syntax::kToken)) {
    if (name_bytes_ < name_.size()) name_[name_bytes_] = c;
    ++name_bytes_;
    return {};
  }
  if (c != ':' || name_bytes_ == 0) return Fail("trailer");
  const std::string_view name(name_.data(), std::min<size_t>(name_bytes_, name_.size()));
  const bool whole = name_bytes_ <= name_.size();
  if (whole && (syntax::IsAliasOf(name, "content-length") || syntax::IsAliasOf(name, "transfer-encoding"))) {
    return Fail("trailer");
  }
  state_ = State::kTrailerValue;
  return {};
}

}  // namespace sluice::http
