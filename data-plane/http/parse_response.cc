#include "data-plane/http/parse_head.h"
#include "data-plane/http/syntax.h"

namespace sluice::http {
namespace {

using internal::FieldBlock;
using internal::LineReader;

ParseError Bad(const ParseError& error) { return {502, error.reason}; }

// "HTTP/1.1 200 OK"; the reason may be absent, with or without its blank.
ParseError ParseStatusLine(std::string_view line, ResponseHead& out) {
  if (line.size() > kMaxRequestLine) return {502, "status-line-too-long"};
  if (line.size() < 12 || line[8] != ' ' || (line.size() > 12 && line[12] != ' ')) return {502, "status-line"};
  if (internal::ParseVersion(line.substr(0, 8), out.protocol)) return {502, "version"};
  const std::string_view digits = line.substr(9, 3);
  if (!syntax::AllOf(digits, syntax::kDigit) || digits[0] == '0') return {502, "status"};
  out.status = (digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0');
  if (line.size() > 13) out.reason = line.substr(13);
  if (syntax::HasControl(out.reason)) return {502, "status-line"};
  return {};
}

bool HasNoBody(int status, std::string_view request_method) {
  return status < 200 || status == 204 || status == 304 || request_method == "HEAD";
}

}  // namespace

ParseError ParseResponseHead(std::string_view head, std::string_view request_method, ResponseHead& out) {
  if (head.size() > kMaxHeadBytes + kMaxRequestLine) return {502, "head-too-large"};
  LineReader lines(head, out.bytes);
  const LineReader::Line line = lines.Next();
  if (line.error != nullptr) return {502, line.error};
  if (const ParseError error = ParseStatusLine(line.text(), out)) return error;
  FieldBlock block;
  if (const ParseError error = internal::ParseFields(lines, out.fields, block)) return Bad(error);
  if (const ParseError error = internal::DecideFraming(block, out.protocol, out.framing)) return Bad(error);
  if (block.bad_connection) return {502, "connection"};
  out.keep_alive = out.protocol == Protocol::kHttp11 ? !block.close : block.keep_alive && !block.close;
  if (HasNoBody(out.status, request_method)) {
    out.framing = {};
  } else if (out.framing.kind == Framing::Kind::kNone) {
    out.framing.kind = Framing::Kind::kUntilClose;
    out.keep_alive = false;
  }
  return {};
}

}  // namespace sluice::http
