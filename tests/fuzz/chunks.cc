// Chunked bodies: the same data, the same end and the same error however the bytes arrive; and the data written as
// chunks is read as the same data. The first byte says how large the pieces are.

#include <string>

#include "data-plane/http/body.h"
#include "data-plane/http/writer.h"
#include "tests/fuzz/fuzz.h"

namespace sluice::fuzz {
namespace {

struct Outcome {
  std::string data;
  std::string_view error;
  bool done = false;
  size_t consumed = 0;
  bool operator==(const Outcome&) const = default;
};

Outcome Decode(std::string_view body, size_t piece) {
  http::BodyDecoder decoder({http::Framing::Kind::kChunked, 0});
  Outcome outcome;
  while (outcome.consumed < body.size() && outcome.error.empty() && !decoder.done()) {
    const http::BodyDecoder::Step step = decoder.Decode(body.substr(outcome.consumed, piece));
    SLUICE_CHECK(step.consumed > 0 || !step.error.empty());
    SLUICE_CHECK(step.data.size() <= step.consumed);
    outcome.data += step.data;
    outcome.error = step.error;
    outcome.consumed += step.consumed;
  }
  outcome.done = decoder.done();
  SLUICE_CHECK(decoder.decoded() == outcome.data.size());
  SLUICE_CHECK(!outcome.done || outcome.error.empty());
  SLUICE_CHECK(decoder.EndOfInput() == outcome.done);
  return outcome;
}

}  // namespace

void Run(std::string_view input) {
  if (input.empty()) return;
  const size_t piece = 1 + static_cast<unsigned char>(input[0]) % 64;
  input.remove_prefix(1);
  const Outcome whole = Decode(input, std::string_view::npos);
  SLUICE_CHECK(Decode(input, 1) == whole);
  SLUICE_CHECK(Decode(input, piece) == whole);
  if (!whole.done) return;

  SLUICE_CHECK(input.substr(0, whole.consumed).ends_with("\r\n\r\n"));
  std::string written;
  for (size_t at = 0; at < whole.data.size(); at += piece) {
    http::AppendChunk(written, std::string_view(whole.data).substr(at, piece));
  }
  written += http::kLastChunk;
  const Outcome again = Decode(written, std::string_view::npos);
  SLUICE_CHECK(again.done && again.consumed == written.size() && again.data == whole.data);
}

}  // namespace sluice::fuzz
