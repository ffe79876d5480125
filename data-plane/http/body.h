#pragma once

// The bytes of a body out of a connection's bytes: by length, chunked, or until close. Pure state machine, no I/O, so
// that fuzzers and tests drive it directly; the proxy feeds it. Trailers and chunk extensions are checked and dropped:
// extensions are `;name`, `;name=token` or `;name="quoted"` without blanks, and a trailer says nothing of framing.

#include <array>
#include <cstdint>
#include <string_view>

#include "data-plane/http/head.h"

namespace sluice::http {

inline constexpr size_t kMaxChunkSizeDigits = 16;
inline constexpr size_t kMaxChunkExtensionBytes = 4 * 1024;  // a body
inline constexpr size_t kMaxTrailerBytes = 8 * 1024;

class BodyDecoder {
 public:
  explicit BodyDecoder(Framing framing);

  struct Step {
    std::string_view data;  // of the body, a view into `input`; may be empty
    size_t consumed = 0;    // bytes of `input` used up; call again with the rest while it makes progress
    std::string_view error;  // "" or the reason: "chunk-size", "chunk-extension", "chunk-end", "trailer"
  };
  // Decodes the next piece. Bytes behind the body's end are never consumed: they belong to the next message.
  Step Decode(std::string_view input);
  // So many bytes of a body with a length went another way: no more than `length_left`.
  void Skip(uint64_t bytes);
  // What is missing of a body with a length; 0 for any other.
  uint64_t length_left() const { return framing_.kind == Framing::Kind::kLength ? remaining_ : 0; }
  // What the end of the connection means: true where it ends the body (kUntilClose), false where it cuts it short.
  bool EndOfInput();

  bool done() const { return done_; }
  uint64_t decoded() const { return decoded_; }

 private:
  enum class State : uint8_t {
    kSize, kExtension, kSizeLf, kData, kDataCr, kDataLf,
    kTrailerStart, kTrailerName, kTrailerValue, kTrailerLf, kEndLf, kRaw,
  };
  enum class Extension : uint8_t { kNameStart, kName, kValueStart, kValue, kQuoted, kEscaped, kClosed };
  std::string_view Fail(std::string_view reason);
  std::string_view TakeSize(char c);
  std::string_view TakeExtension(char c);
  bool StepExtension(char c);  // false where the grammar has no place for it
  std::string_view TakeTrailer(char c);
  std::string_view TakeTrailerName(char c);
  std::string_view TakeControl(char c);  // any byte of a chunked body that is not data

  Framing framing_;
  State state_;
  bool done_ = false;
  Extension extension_ = Extension::kNameStart;
  uint64_t remaining_ = 0;  // of the body, or of the chunk
  uint64_t decoded_ = 0;
  uint32_t digits_ = 0;
  uint32_t extension_bytes_ = 0;
  uint32_t trailer_bytes_ = 0;
  uint32_t name_bytes_ = 0;      // of the trailer's name
  std::array<char, 17> name_{};  // its first bytes: enough to know the names that it may not have
  std::string_view failure_;  // once wrong, always wrong
};

}  // namespace sluice::http
