#include "data-plane/proxy/body_reader.h"

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

}  // namespace sluice::proxy
