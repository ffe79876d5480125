#include "data-plane/proxy/body_reader.h"

#include "data-plane/proxy/limits.h"

namespace sluice::proxy {

BodyReader::Piece BodyReader::Take() {
  Piece piece;
  bool joined = false;
  while (!malformed_ && !decoder_.done() && !reader_.pending().empty()) {
    const http::BodyDecoder::Step step = decoder_.Decode(reader_.pending());
    if (!step.error.empty()) {
      malformed_ = true;
      break;
    }
    if (!step.data.empty() && !piece.data.empty()) {
      if (!joined) joined_.assign(piece.data);
      joined = true;
      joined_.append(step.data);
      piece.data = joined_;
    } else if (!step.data.empty()) {
      piece.data = step.data;
    }
    reader_.Consume(step.consumed);
  }
  piece.malformed = malformed_;
  reader_.Hold();
  return piece;
}

io::Task<io::IoError> BodyReader::Fill(MonotonicTime deadline, io::Piped* piped) {
  return piped != nullptr && decoder_.length_left() >= kMinPiped ? Fill(deadline, *piped) : reader_.Fill(deadline);
}

io::Task<io::IoError> BodyReader::Fill(MonotonicTime deadline, io::Piped& piped) {
  const io::IoError error = co_await reader_.Fill(deadline, piped, decoder_.length_left());
  decoder_.Skip(piped.bytes());
  co_return error;
}

}  // namespace sluice::proxy
