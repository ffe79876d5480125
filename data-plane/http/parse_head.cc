#include "data-plane/http/parse_head.h"

#include <cstring>

#include "data-plane/http/syntax.h"
#include "data-plane/http/writer.h"

namespace sluice::http::internal {
namespace {

constexpr size_t kTypicalFields = 24;
constexpr uint64_t kMaxLength = INT64_MAX;

void NoteConnection(std::string_view value, FieldBlock& block) {
  syntax::ForEachElement(value, [&block](std::string_view element) {
    if (EqualsIgnoreCase(element, "close")) {
      block.close = true;
    } else if (EqualsIgnoreCase(element, "keep-alive")) {
      block.keep_alive = true;
    } else if (EqualsIgnoreCase(element, "upgrade")) {
      block.upgrade = true;
    } else if (!IsToken(element)) {
      block.bad_connection = true;
    } else if (IsProtectedFromConnection(element)) {
      block.protected_named = true;
    }
  });
}

void NoteField(const Field& field, FieldBlock& block) {
  const auto note = [&field, &block](const char* name, uint32_t& count, std::string_view& value) {
    if (!EqualsIgnoreCase(field.name, name)) {
      block.alias |= syntax::IsAliasOf(field.name, name);
      return;
    }
    ++count;
    value = field.value;
  };
  switch (field.name.size()) {
    case 4:
      return note("host", block.hosts, block.host);
    case 6:
      return note("expect", block.expects, block.expect);
    case 7:
      return note("upgrade", block.upgrades, block.upgrade_to);
    case 10:
      if (EqualsIgnoreCase(field.name, "connection")) NoteConnection(field.value, block);
      return;
    case 14:
      return note("content-length", block.lengths, block.length);
    case 17:
      return note("transfer-encoding", block.codings, block.coding);
    default:
      return;
  }
}

// "name: value" into its parts, or the reason why not.
const char* SplitField(std::string_view line, Field& field) {
  if (line[0] == ' ' || line[0] == '\t') return "obs-fold";
  size_t colon = 0;
  while (colon < line.size() && syntax::Is(line[colon], syntax::kToken)) ++colon;
  if (colon == 0 || colon == line.size() || line[colon] != ':') return "field-name";
  field.name = line.substr(0, colon);
  field.value = syntax::TrimBlanks(line.substr(colon + 1));
  return syntax::HasControl(field.value) ? "field-value" : nullptr;
}

}  // namespace

LineReader::LineReader(std::string_view head, std::unique_ptr<char[]>& copy) {
  copy = std::make_unique_for_overwrite<char[]>(head.size());
  std::memcpy(copy.get(), head.data(), head.size());
  at_ = copy.get();
  end_ = at_ + head.size();
}

void LineReader::SkipEmptyLine() {
  if (end_ - at_ >= 2 && at_[0] == '\r' && at_[1] == '\n') at_ += 2;
}

LineReader::Line LineReader::Next() {
  char* const begin = at_;
  char* const lf = static_cast<char*>(std::memchr(begin, '\n', static_cast<size_t>(end_ - begin)));
  if (lf == nullptr) return {.error = "bare-cr"};
  if (lf == begin || lf[-1] != '\r') return {.error = "bare-lf"};
  at_ = lf + 1;
  return {.begin = begin, .size = static_cast<size_t>(lf - 1 - begin)};
}

ParseError ParseFields(LineReader& lines, Fields& fields, FieldBlock& block) {
  fields.Reserve(kTypicalFields);
  size_t bytes = 0;
  for (;;) {
    const LineReader::Line line = lines.Next();
    if (line.error != nullptr) return {400, line.error};
    if (line.size == 0) break;
    Field field;
    if (const char* reason = SplitField(line.text(), field)) return {400, reason};
    bytes += field.name.size() + field.value.size() + kFieldOverhead;
    if (bytes > kMaxHeadBytes) return {431, "head-too-large"};
    if (fields.size() == kMaxFields) return {431, "too-many-fields"};
    fields.AppendView(field.name, field.value);
    NoteField(field, block);
  }
  if (!lines.AtEnd()) return {400, "bytes-after-head"};
  return {};
}

ParseError ParseVersion(std::string_view text, Protocol& protocol) {
  if (text == "HTTP/1.1") {
    protocol = Protocol::kHttp11;
    return {};
  }
  if (text == "HTTP/1.0") {
    protocol = Protocol::kHttp10;
    return {};
  }
  const bool is_version = text.size() == 8 && text.starts_with("HTTP/") && syntax::Is(text[5], syntax::kDigit) &&
                          text[6] == '.' && syntax::Is(text[7], syntax::kDigit);
  return is_version ? ParseError{505, "version"} : ParseError{400, "request-line"};
}

bool ParseLength(std::string_view text, uint64_t& length) {
  if (text.empty() || text.size() > 19 || (text[0] == '0' && text.size() > 1)) return false;
  uint64_t value = 0;
  for (char c : text) {
    if (!syntax::Is(c, syntax::kDigit)) return false;
    value = value * 10 + static_cast<uint64_t>(c - '0');  // 19 digits fit
  }
  length = value;
  return value <= kMaxLength;
}

ParseError DecideFraming(const FieldBlock& block, Protocol protocol, Framing& framing) {
  if (block.alias) return {400, "framing-alias"};
  if (block.codings > 0) {
    if (block.lengths > 0) return {400, "length-with-chunked"};
    if (block.codings > 1) return {400, "duplicate-transfer-encoding"};
    if (protocol == Protocol::kHttp10) return {400, "chunked-in-http-1.0"};
    if (!EqualsIgnoreCase(block.coding, "chunked")) {
      return {IsToken(block.coding) ? 501 : 400, "transfer-encoding"};
    }
    framing.kind = Framing::Kind::kChunked;
    return {};
  }
  if (block.lengths == 0) return {};
  if (block.lengths > 1) return {400, "duplicate-length"};
  if (!ParseLength(block.length, framing.length)) return {400, "length"};
  framing.kind = Framing::Kind::kLength;
  return {};
}

}  // namespace sluice::http::internal
