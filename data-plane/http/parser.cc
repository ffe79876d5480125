#include "data-plane/http/parser.h"

#include <cstring>

#include "data-plane/http/parse_head.h"
#include "data-plane/http/syntax.h"
#include "data-plane/http/target.h"
#include "data-plane/http/writer.h"

namespace sluice::http {
namespace {

using internal::FieldBlock;
using internal::LineReader;

constexpr ParseError kOk{};

// Splits absolute-form "http://authority/path" in place; the bytes are the head's own. Where the path is empty, the
// authority moves one byte to the left, over the last slash of the scheme, and leaves room for the path's slash.
ParseError SplitAbsoluteForm(char* begin, size_t size, RequestHead& out) {
  const std::string_view whole(begin, size);
  size_t scheme = 0;
  for (std::string_view known : {"http://", "https://"}) {
    if (EqualsIgnoreCase(whole.substr(0, known.size()), known)) scheme = known.size();
  }
  if (scheme == 0) return {400, "target"};
  size_t end = whole.find_first_of("/?", scheme);
  if (end == std::string_view::npos) end = size;
  out.authority = whole.substr(scheme, end - scheme);
  if (out.authority.empty()) return {400, "target"};
  if (end < size && begin[end] == '/') {
    out.target = whole.substr(end);
    return kOk;
  }
  std::memmove(begin + scheme - 1, begin + scheme, end - scheme);
  begin[end - 1] = '/';
  out.authority = whole.substr(scheme - 1, end - scheme);
  out.target = whole.substr(end - 1);
  if (out.method == "OPTIONS" && end == size) {  // RFC 9112 section 3.2.4: the server as a whole
    begin[end - 1] = '*';
  }
  return kOk;
}

ParseError ParseTarget(char* begin, size_t size, RequestHead& out) {
  const std::string_view target(begin, size);
  if (target.empty() || !syntax::AllOf(target, syntax::kTarget)) return {400, "target"};
  if (target[0] == '/' || (target == "*" && out.method == "OPTIONS")) {
    out.target = target;
  } else if (out.method != "CONNECT") {
    if (const ParseError error = SplitAbsoluteForm(begin, size, out)) return error;
  }
  const size_t question = out.target.find('?');
  out.path = out.target.substr(0, question);
  out.has_query = question != std::string_view::npos;
  if (out.has_query) out.query = out.target.substr(question + 1);
  return kOk;
}

ParseError ParseRequestLine(char* begin, size_t size, RequestHead& out) {
  if (size > kMaxRequestLine) return {414, "request-line-too-long"};
  const std::string_view line(begin, size);
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return {400, "request-line"};
  out.method = line.substr(0, first);
  if (!IsToken(out.method)) return {400, "method"};
  const std::string_view version = line.substr(last + 1);
  if (const ParseError error = internal::ParseVersion(version, out.protocol)) {
    const bool three_words = line.find(' ', first + 1) == last;
    return three_words && line.find('/') == std::string_view::npos ? ParseError{400, kForeignProtocol} : error;
  }
  if (const ParseError error = ParseTarget(begin + first + 1, last - first - 1, out)) return error;
  if (out.method == "CONNECT") return {405, "connect"};
  return kOk;
}

ParseError CheckHost(const FieldBlock& block, RequestHead& out) {
  if (block.hosts > 1) return {400, "duplicate-host"};
  if (block.hosts == 0) {
    return out.protocol == Protocol::kHttp10 && out.authority.empty() ? kOk : ParseError{400, "no-host"};
  }
  std::string_view host;
  int port;
  if (!SplitAuthority(block.host, host, port)) return {400, "host"};
  if (!out.authority.empty() && !EqualsIgnoreCase(out.authority, block.host)) return {400, "authority-differs"};
  out.authority = block.host;
  return kOk;
}

ParseError CheckConnection(const FieldBlock& block, RequestHead& out) {
  if (block.protected_named) return {400, "connection-names-protected"};
  if (block.bad_connection) return {400, "connection"};
  out.keep_alive = out.protocol == Protocol::kHttp11 ? !block.close : block.keep_alive && !block.close;
  return kOk;
}

ParseError CheckExpect(const FieldBlock& block, RequestHead& out) {
  if (block.expects == 0) return kOk;
  if (block.expects > 1 || !EqualsIgnoreCase(block.expect, "100-continue")) return {417, "expect"};
  out.expect_continue = out.protocol == Protocol::kHttp11;
  return kOk;
}

}  // namespace

size_t FindHeadEnd(std::string_view buffer, size_t& scanned) {
  const char* const data = buffer.data();
  size_t from = scanned;
  while (from < buffer.size()) {
    const void* found = std::memchr(data + from, '\n', buffer.size() - from);
    if (found == nullptr) break;
    const size_t lf = static_cast<size_t>(static_cast<const char*>(found) - data);
    if (lf == 0 || data[lf - 1] != '\r') return lf + 1;
    if (lf >= 2 && data[lf - 2] == '\n') return lf + 1;
    from = lf + 1;
  }
  // Incomplete. A CR that no LF follows will not get better by waiting.
  for (size_t i = scanned > 0 ? scanned - 1 : 0; i + 1 < buffer.size(); ++i) {
    const void* found = std::memchr(data + i, '\r', buffer.size() - 1 - i);
    if (found == nullptr) break;
    i = static_cast<size_t>(static_cast<const char*>(found) - data);
    if (data[i + 1] != '\n') return buffer.size();
  }
  scanned = buffer.size();
  return 0;
}

ParseError CheckIncompleteHead(std::string_view buffer) {
  if (buffer.starts_with("\r\n")) buffer.remove_prefix(2);
  const std::string_view start = buffer.substr(0, kMaxRequestLine + 2);
  if (start.size() > kMaxRequestLine + 1 && start.find('\n') == std::string_view::npos) {
    return {414, "request-line-too-long"};
  }
  if (buffer.size() > kMaxHeadBytes + kMaxRequestLine) return {431, "head-too-large"};
  return kOk;
}

ParseError ParseRequestHead(std::string_view head, RequestHead& out) {
  if (head.size() > kMaxHeadBytes + kMaxRequestLine) return {431, "head-too-large"};
  LineReader lines(head, out.bytes);
  lines.SkipEmptyLine();
  const LineReader::Line line = lines.Next();
  if (line.error != nullptr) return {400, line.error};
  if (line.size == 0) return {400, "request-line"};
  if (const ParseError error = ParseRequestLine(line.begin, line.size, out)) return error;
  FieldBlock block;
  if (const ParseError error = internal::ParseFields(lines, out.fields, block)) return error;
  if (const ParseError error = CheckHost(block, out)) return error;
  if (const ParseError error = internal::DecideFraming(block, out.protocol, out.framing)) return error;
  if (const ParseError error = CheckConnection(block, out)) return error;
  if (const ParseError error = CheckExpect(block, out)) return error;
  out.upgrade_websocket = block.upgrade && block.upgrades == 1 && EqualsIgnoreCase(block.upgrade_to, "websocket") &&
                          out.method == "GET" && out.protocol == Protocol::kHttp11 &&
                          out.framing.kind == Framing::Kind::kNone;
  return kOk;
}

}  // namespace sluice::http
