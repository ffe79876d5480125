#include "data-plane/http/http2_head.h"

#include <cstring>

#include "data-plane/http/body.h"
#include "data-plane/http/parse_head.h"
#include "data-plane/http/syntax.h"
#include "data-plane/http/target.h"

namespace sluice::http {
namespace {

constexpr size_t kKeptCapacity = 4 * 1024;  // a builder that met a large head gives its memory back
constexpr ParseError kOk{};

bool IsLowerToken(std::string_view name) {
  if (name.empty()) return false;
  for (char c : name) {
    if (!syntax::Is(c, syntax::kToken) || (c >= 'A' && c <= 'Z')) return false;
  }
  return true;
}

// RFC 9113 section 8.2.2, and the framing of HTTP/1.1 spelt with underscores (see FieldBlock::alias).
bool IsConnectionSpecific(std::string_view name, std::string_view value) {
  switch (name.size()) {
    case 2:
      return name == "te" && !EqualsIgnoreCase(value, "trailers");
    case 7:
      return name == "upgrade";
    case 10:
      return name == "connection" || name == "keep-alive";
    case 14:
      return name != "content-length" && syntax::IsAliasOf(name, "content-length");
    case 16:
      return name == "proxy-connection";
    case 17:
      return syntax::IsAliasOf(name, "transfer-encoding");
    default:
      return false;
  }
}

void SplitTarget(std::string_view target, RequestHead& out) {
  const size_t question = target.find('?');
  out.target = target;
  out.path = target.substr(0, question);
  out.has_query = question != std::string_view::npos;
  if (out.has_query) out.query = target.substr(question + 1);
}

template <typename Buffer>
void Empty(Buffer& buffer) {
  if (buffer.capacity() * sizeof(buffer[0]) > kKeptCapacity) {
    buffer = Buffer();
  } else {
    buffer.clear();
  }
}

}  // namespace

void Http2HeadBuilder::Begin(Kind kind) {
  kind_ = kind;
  Empty(bytes_);
  Empty(cookie_);
  Empty(entries_);
  for (Text& text : pseudo_) text = {};
  counted_bytes_ = counted_fields_ = 0;
  malformed_ = too_large_ = path_too_long_ = has_length_ = expects_continue_ = false;
  hosts_ = expects_ = 0;
  host_ = {};
  length_ = 0;
}

uint32_t Http2HeadBuilder::Keep(std::string_view text) {
  const uint32_t at = static_cast<uint32_t>(bytes_.size());
  bytes_.append(text);
  return at;
}

std::string_view Http2HeadBuilder::Get(Pseudo pseudo) const {
  const Text& text = pseudo_[pseudo];
  return std::string_view(bytes_).substr(text.at, text.size);
}

bool Http2HeadBuilder::Count(std::string_view name, std::string_view value) {
  const size_t max_bytes = kind_ == Kind::kTrailers ? kMaxTrailerBytes : kMaxHeadBytes;
  counted_bytes_ += name.size() + value.size() + kFieldOverhead;
  if (!name.starts_with(':')) ++counted_fields_;
  if (counted_bytes_ > max_bytes || counted_fields_ > kMaxFields) too_large_ = true;
  return !too_large_;
}

void Http2HeadBuilder::Add(std::string_view name, std::string_view value) {
  if (malformed_ || too_large_) return;
  if (name.starts_with(':')) return AddPseudo(name, value);
  if (!Count(name, value)) return;
  if (!IsLowerToken(name) || !IsFieldValue(value) || IsConnectionSpecific(name, value)) {
    malformed_ = true;
    return;
  }
  if (kind_ == Kind::kRequest && name == "cookie") {
    if (!cookie_.empty()) cookie_.append("; ");
    cookie_.append(value);
    return;
  }
  NoteRegular(name, value);
  const uint32_t kept = Keep(name);
  entries_.push_back({kept, static_cast<uint32_t>(name.size()), Keep(value), static_cast<uint32_t>(value.size())});
}

// What the fields say about the message itself.
void Http2HeadBuilder::NoteRegular(std::string_view name, std::string_view value) {
  switch (name.size()) {
    case 4:
      if (name != "host") return;
      ++hosts_;
      host_ = {static_cast<uint32_t>(bytes_.size() + name.size()), static_cast<uint32_t>(value.size()), true};
      return;
    case 6:
      if (name != "expect") return;
      ++expects_;
      expects_continue_ = EqualsIgnoreCase(value, "100-continue");
      return;
    case 14:
      if (name != "content-length") return;
      if (has_length_ || !internal::ParseLength(value, length_)) malformed_ = true;
      has_length_ = true;
      return;
    default:
      return;
  }
}

void Http2HeadBuilder::AddPseudo(std::string_view name, std::string_view value) {
  static constexpr std::string_view kNames[kPseudos] = {":method", ":scheme", ":authority", ":path", ":status"};
  size_t index = 0;
  while (index < kPseudos && kNames[index] != name) ++index;
  const bool of_response = index == kStatus;
  const bool expected = index < kPseudos && kind_ != Kind::kTrailers && of_response == (kind_ == Kind::kResponse);
  const bool in_order = entries_.empty() && cookie_.empty();
  if (!expected || !in_order || pseudo_[index].present || !IsFieldValue(value)) {
    malformed_ = true;
    return;
  }
  pseudo_[index].present = true;
  if (index == kPath && value.size() > kMaxRequestLine) {
    path_too_long_ = true;
    return;
  }
  if (!Count(name, value)) return;
  pseudo_[index].at = Keep(value);
  pseudo_[index].size = static_cast<uint32_t>(value.size());
}

// The head's own copy: everything that was kept, then the cookie. Where it begins.
char* Http2HeadBuilder::CopyOut(std::unique_ptr<char[]>& bytes, Fields& fields) const {
  bytes = std::make_unique_for_overwrite<char[]>(bytes_.size() + cookie_.size());
  char* const copy = bytes.get();
  std::memcpy(copy, bytes_.data(), bytes_.size());
  std::memcpy(copy + bytes_.size(), cookie_.data(), cookie_.size());
  fields.Reserve(entries_.size() + 1);
  for (const Entry& entry : entries_) {
    fields.AppendView({copy + entry.name, entry.name_size}, {copy + entry.value, entry.value_size});
  }
  if (!cookie_.empty()) fields.AppendView("cookie", {copy + bytes_.size(), cookie_.size()});
  return copy;
}

// RFC 9113 section 8.3.1: what a request must have, and CONNECT must not.
BlockVerdict Http2HeadBuilder::CheckPseudo() const {
  const bool connect = Get(kMethod) == "CONNECT";
  const bool has_target = pseudo_[kScheme].present && pseudo_[kPath].present;
  const bool has_some = pseudo_[kScheme].present || pseudo_[kPath].present;
  if (!pseudo_[kMethod].present) return BlockVerdict::kMalformed;
  if (connect) return has_some || !pseudo_[kAuthority].present ? BlockVerdict::kMalformed : BlockVerdict::kGood;
  if (!has_target || (Get(kPath).empty() && !path_too_long_)) return BlockVerdict::kMalformed;
  return BlockVerdict::kGood;
}

ParseError Http2HeadBuilder::CheckAuthority(RequestHead& out) const {
  if (hosts_ > 1) return {400, "duplicate-host"};
  const std::string_view host(out.bytes.get() + host_.at, host_.size);
  if (!pseudo_[kAuthority].present) {
    if (hosts_ == 0) return {400, "no-host"};
    out.authority = host;
  } else if (hosts_ == 1 && !EqualsIgnoreCase(host, out.authority)) {
    return {400, "authority-differs"};
  }
  std::string_view name;
  int port;
  return SplitAuthority(out.authority, name, port) ? kOk : ParseError{400, "host"};
}

ParseError Http2HeadBuilder::CheckRequest(RequestHead& out) const {
  if (path_too_long_) return {414, "request-line-too-long"};
  if (!IsToken(out.method)) return {400, "method"};
  if (out.method == "CONNECT") return {405, "connect"};
  const std::string_view scheme = Get(kScheme);
  if (!EqualsIgnoreCase(scheme, "https") && !EqualsIgnoreCase(scheme, "http")) return {400, "scheme"};
  const bool whole_server = out.target == "*" && out.method == "OPTIONS";
  if (!syntax::AllOf(out.target, syntax::kTarget)) return {400, "target"};
  if (!out.target.starts_with('/') && !whole_server) return {400, "target"};
  if (const ParseError error = CheckAuthority(out)) return error;
  if (expects_ > 1 || (expects_ == 1 && !expects_continue_)) return {417, "expect"};
  return kOk;
}

BlockVerdict Http2HeadBuilder::DecideFraming(bool end, Framing& framing) const {
  if (end && has_length_ && length_ > 0) return BlockVerdict::kMalformed;
  if (has_length_) {
    framing = {.kind = Framing::Kind::kLength, .length = length_};
  } else if (!end) {
    framing.kind = Framing::Kind::kChunked;
  }
  return BlockVerdict::kGood;
}

BlockVerdict Http2HeadBuilder::Request(bool end, RequestHead& out, ParseError& error) {
  out.protocol = Protocol::kHttp2;
  if (malformed_) return BlockVerdict::kMalformed;
  const char* const copy = CopyOut(out.bytes, out.fields);
  const auto view = [&](Pseudo pseudo) { return std::string_view(copy + pseudo_[pseudo].at, pseudo_[pseudo].size); };
  out.method = view(kMethod);
  out.authority = view(kAuthority);
  SplitTarget(view(kPath), out);
  out.expect_continue = expects_continue_;
  if (too_large_) {
    error = {431, counted_fields_ > kMaxFields ? "too-many-fields" : "head-too-large"};
    return BlockVerdict::kRefused;
  }
  if (CheckPseudo() != BlockVerdict::kGood) return BlockVerdict::kMalformed;
  if (DecideFraming(end, out.framing) != BlockVerdict::kGood) return BlockVerdict::kMalformed;
  error = CheckRequest(out);
  return error ? BlockVerdict::kRefused : BlockVerdict::kGood;
}

BlockVerdict Http2HeadBuilder::Response(bool end, bool has_body, ResponseHead& out) {
  const std::string_view status = Get(kStatus);
  if (malformed_ || too_large_ || status.size() != 3 || !syntax::AllOf(status, syntax::kDigit)) {
    return BlockVerdict::kMalformed;
  }
  out.protocol = Protocol::kHttp2;
  out.status = (status[0] - '0') * 100 + (status[1] - '0') * 10 + (status[2] - '0');
  const bool interim = out.status < 200;
  if (out.status < 100 || out.status == 101 || (interim && (end || has_length_))) return BlockVerdict::kMalformed;
  CopyOut(out.bytes, out.fields);
  if (interim || !has_body || out.status == 204 || out.status == 304) return BlockVerdict::kGood;
  return DecideFraming(end, out.framing);
}

BlockVerdict Http2HeadBuilder::Trailers(Fields& out) {
  if (malformed_ || too_large_) return BlockVerdict::kMalformed;
  const std::string_view bytes = bytes_;
  for (const Entry& entry : entries_) {
    out.Add(bytes.substr(entry.name, entry.name_size), bytes.substr(entry.value, entry.value_size));
  }
  return BlockVerdict::kGood;
}

}  // namespace sluice::http
