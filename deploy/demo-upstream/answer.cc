#include "deploy/demo-upstream/answer.h"

#include <charconv>
#include <string_view>
#include <vector>

namespace sluice::demo {
namespace {

void AppendQuoted(std::string& out, std::string_view text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  out.push_back('"');
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (byte < 0x20 || byte >= 0x7f) {  // bytes above ASCII as Latin-1, so that the answer is valid JSON
      out.append("\\u00");
      out.push_back(kDigits[byte >> 4]);
      out.push_back(kDigits[byte & 15]);
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

// Fields of one name become one member, joined as RFC 9110 section 5.3 says.
void AppendFields(std::string& out, const http::Fields& fields) {
  std::vector<const http::Field*> done;
  out.push_back('{');
  for (const http::Field& field : fields) {
    bool seen = false;
    for (const http::Field* earlier : done) seen = seen || http::EqualsIgnoreCase(earlier->name, field.name);
    if (seen) continue;
    if (!done.empty()) out.push_back(',');
    done.push_back(&field);
    AppendQuoted(out, field.name);
    out.push_back(':');
    std::string value;
    for (const http::Field& other : fields) {
      if (!http::EqualsIgnoreCase(other.name, field.name)) continue;
      if (&other != &field) value += ", ";
      value += other.value;
    }
    AppendQuoted(out, value);
  }
  out.push_back('}');
}

std::string Describe(const http::RequestHead& request, uint64_t body_bytes, const std::string& origin) {
  std::string out;
  out.reserve(1024);
  out += "{\"method\":";
  AppendQuoted(out, request.method);
  out += ",\"path\":";
  AppendQuoted(out, request.path);
  out += ",\"query\":";
  AppendQuoted(out, request.query);
  out += ",\"headers\":";
  AppendFields(out, request.fields);
  out += ",\"body_bytes\":" + std::to_string(body_bytes);
  out += ",\"origin\":";
  AppendQuoted(out, origin);
  out += "}\n";
  return out;
}

Answer Refuse(int status, std::string_view message) {
  Answer answer{.status = status};
  answer.body = "{\"message\":";
  AppendQuoted(answer.body, message);
  answer.body += "}\n";
  return answer;
}

template <typename Number>
bool Parse(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

std::chrono::milliseconds Milliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<int64_t>(seconds * 1000));
}

std::string_view QueryValue(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    const bool named = pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=';
    if (named) return pair.substr(name.size() + 1);
    if (end == std::string_view::npos) break;
    query.remove_prefix(end + 1);
  }
  return {};
}

Answer Status(std::string_view argument) {
  int status = 0;
  if (!Parse(argument, status) || status < 200 || status > 599) return Refuse(400, "a status is 200 to 599");
  Answer answer{.status = status};
  if (status != 204 && status != 304) answer.body = "{\"status\":" + std::to_string(status) + "}\n";
  return answer;
}

Answer Bytes(std::string_view argument) {
  Answer answer{.content_type = "application/octet-stream"};
  if (!Parse(argument, answer.filler) || answer.filler > kMaxBytes) return Refuse(400, "at most 104857600 bytes");
  return answer;
}

Answer Stream(std::string_view argument) {
  Answer answer;
  if (!Parse(argument, answer.lines) || answer.lines == 0 || answer.lines > kMaxLines) {
    return Refuse(400, "1 to 100000 lines");
  }
  return answer;
}

// /drip?numbytes=10&duration=2
Answer Drip(std::string_view query) {
  Answer answer{.content_type = "application/octet-stream", .drip = 10};
  double seconds = 2;
  const std::string_view bytes = QueryValue(query, "numbytes");
  const std::string_view duration = QueryValue(query, "duration");
  if (!bytes.empty() && (!Parse(bytes, answer.drip) || answer.drip == 0 || answer.drip > kMaxDrip)) {
    return Refuse(400, "numbytes is 1 to 10000");
  }
  if (!duration.empty() && (!Parse(duration, seconds) || !(seconds >= 0 && seconds <= kMaxSeconds))) {
    return Refuse(400, "duration is 0 to 30 seconds");
  }
  answer.drip_pause = Milliseconds(seconds / static_cast<double>(answer.drip));
  return answer;
}

}  // namespace

Answer AnswerTo(const http::RequestHead& request, uint64_t body_bytes, const std::string& origin) {
  const std::string_view path = request.path;
  const auto argument_of = [path](std::string_view prefix, std::string_view& argument) {
    if (!path.starts_with(prefix)) return false;
    argument = path.substr(prefix.size());
    return true;
  };
  std::string_view argument;
  if (path == "/" || path == "*" || argument_of("/anything", argument)) {
    return {.body = Describe(request, body_bytes, origin)};
  }
  if (path == "/healthz") return {.content_type = "text/plain", .body = "ok\n"};
  if (path == "/drip") return Drip(request.query);
  if (argument_of("/status/", argument)) return Status(argument);
  if (argument_of("/bytes/", argument)) return Bytes(argument);
  if (argument_of("/stream/", argument)) return Stream(argument);
  if (argument_of("/delay/", argument)) {
    double seconds = 0;
    if (!Parse(argument, seconds) || !(seconds >= 0 && seconds <= kMaxSeconds)) return Refuse(400, "0 to 30 seconds");
    return {.body = Describe(request, body_bytes, origin), .delay = Milliseconds(seconds)};
  }
  return Refuse(404, "nothing here; try /anything, /status/204, /delay/1, /bytes/1024, /stream/3, /drip or /healthz");
}

}  // namespace sluice::demo
