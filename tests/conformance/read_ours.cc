#include "data-plane/http/body.h"
#include "data-plane/http/parser.h"
#include "data-plane/http/writer.h"
#include "tests/conformance/reading.h"

namespace sluice::test {
namespace {

using Kind = http::Framing::Kind;

void ReadBody(std::string_view bytes, http::Framing framing, Reading& reading) {
  http::BodyDecoder decoder(framing);
  std::string_view rest = bytes.substr(reading.size);
  while (!rest.empty() && !decoder.done() && reading.refusal.empty()) {
    const http::BodyDecoder::Step step = decoder.Decode(rest);
    reading.body += step.data;
    reading.refusal = step.error;
    reading.size += step.consumed;
    rest.remove_prefix(step.consumed);
  }
  reading.whole = reading.refusal.empty() && decoder.EndOfInput();
}

std::string_view MethodFor(Direction direction) {
  return direction == Direction::kResponseToHead ? "HEAD" : "GET";
}

void CopyFields(const http::Fields& fields, Reading& reading) {
  for (const http::Field& field : fields) reading.fields.emplace_back(field.name, field.value);
}

}  // namespace

Reading ReadAsOurs(std::string_view bytes, Direction direction) {
  Reading reading;
  size_t scanned = 0;
  reading.size = http::FindHeadEnd(bytes, scanned);
  if (reading.size == 0) return reading;
  const std::string_view head_bytes = bytes.substr(0, reading.size);
  http::Framing framing;
  if (direction == Direction::kRequest) {
    http::RequestHead head;
    reading.refusal = http::ParseRequestHead(head_bytes, head).reason;
    reading.method = head.method;
    reading.target = head.target;
    CopyFields(head.fields, reading);
    framing = head.framing;
  } else {
    http::ResponseHead head;
    reading.refusal = http::ParseResponseHead(head_bytes, MethodFor(direction), head).reason;
    reading.status = head.status;
    reading.reason = head.reason;
    CopyFields(head.fields, reading);
    framing = head.framing;
  }
  if (!reading.refusal.empty()) return reading;
  reading.head = true;
  ReadBody(bytes, framing, reading);
  return reading;
}

std::string WriteAsOurs(std::string_view bytes, Direction direction) {
  const Reading reading = ReadAsOurs(bytes, direction);
  size_t scanned = 0;
  const std::string_view head_bytes = bytes.substr(0, http::FindHeadEnd(bytes, scanned));
  std::string out;
  http::Framing framing;
  if (direction == Direction::kRequest) {
    http::RequestHead head;
    http::ParseRequestHead(head_bytes, head);
    framing = head.framing;
    http::AppendRequestHead(out, head.method, head.target, head.authority.empty() ? "h" : head.authority, head.fields,
                            framing);
  } else {
    http::ResponseHead head;
    http::ParseResponseHead(head_bytes, MethodFor(direction), head);
    framing = head.framing;
    http::AppendResponseHead(out, head.status, head.reason, head.fields, framing);
  }
  if (framing.kind != Kind::kChunked) return out + reading.body;
  http::AppendChunk(out, reading.body);
  return out + std::string(http::kLastChunk);
}

}  // namespace sluice::test
