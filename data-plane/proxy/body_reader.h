#pragma once

// A body as it comes out of a reader: everything that one read brought, decoded, as one piece. One per message.

#include <string>
#include <string_view>

#include "data-plane/http/body.h"
#include "data-plane/proxy/reader.h"

namespace sluice::proxy {

class BodyReader {
 public:
  BodyReader(Reader& reader, http::Framing framing) : reader_(reader), decoder_(framing) {}

  struct Piece {
    std::string_view data;  // valid until the next suspension or the next call
    bool malformed = false;
  };
  void Restart(http::Framing framing) { decoder_ = http::BodyDecoder(framing); }
  // What is pending of the body. Bytes behind its end stay pending, and survive suspensions.
  Piece Take();
  // Waits for more of it, as Reader::Fill. Of a body with a length of which enough is left (kMinPiped) it may go into
  // `piped` instead, and counts as taken then; null: never. Nothing is pending before.
  io::Task<io::IoError> Fill(MonotonicTime deadline, io::Piped* piped);
  bool done() const { return decoder_.done(); }
  bool EndOfInput() { return decoder_.EndOfInput(); }
  uint64_t decoded() const { return decoder_.decoded(); }

 private:
  io::Task<io::IoError> Fill(MonotonicTime deadline, io::Piped& piped);
  Reader& reader_;
  http::BodyDecoder decoder_;
  std::string joined_;  // of several chunks in one read
  bool malformed_ = false;
};

}  // namespace sluice::proxy
