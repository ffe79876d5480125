#include "common/observe/log.h"

#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <string>

namespace sluice::log {
namespace {

std::atomic<Level> minimum{Level::kInfo};

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

std::string_view NameOf(Level level) {
  switch (level) {
    case Level::kDebug: return "debug";
    case Level::kInfo: return "info";
    case Level::kWarning: return "warning";
    case Level::kError: return "error";
  }
  return "error";
}

// Bytes of the well-formed UTF-8 sequence that `text` starts with (Unicode table 3-7); 0 where it is none.
size_t SequenceLength(std::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<uint8_t>(text[i]) : uint8_t{0}; };
  const auto between = [&](size_t i, uint8_t low, uint8_t high) { return byte(i) >= low && byte(i) <= high; };
  const auto tail = [&](size_t i) { return between(i, 0x80, 0xBF); };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return tail(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const uint8_t low = lead == 0xE0 ? 0xA0 : 0x80;
    const uint8_t high = lead == 0xED ? 0x9F : 0xBF;
    return between(1, low, high) && tail(2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const uint8_t low = lead == 0xF0 ? 0x90 : 0x80;
    const uint8_t high = lead == 0xF4 ? 0x8F : 0xBF;
    return between(1, low, high) && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

void AppendControl(std::string& out, char c) {
  switch (c) {
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  char escape[8];
  std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned char>(c));
  out += escape;
}

void AppendTimestamp(std::string& out) {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  tm parts;
  gmtime_r(&now.tv_sec, &parts);
  char text[40];
  const size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  out.append(text, length);
  std::snprintf(text, sizeof text, ".%03ldZ", now.tv_nsec / 1'000'000);
  out += text;
}

}  // namespace

void SetMinimum(Level level) { minimum.store(level, std::memory_order_relaxed); }

void AppendJsonString(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const size_t length = SequenceLength(text);
    const char c = text[0];
    if (length == 0) {
      out += kReplacement;
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      AppendControl(out, c);
    } else {
      out.append(text.substr(0, length));
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  out += '"';
}

std::string Format(Level level, std::string_view message, std::initializer_list<Pair> fields) {
  std::string line = "{\"ts\":\"";
  AppendTimestamp(line);
  line += "\",\"level\":\"";
  line += NameOf(level);
  line += "\",\"msg\":";
  AppendJsonString(line, message.substr(0, kMaxValueBytes));
  for (const auto& [key, value] : fields) {
    line += ',';
    AppendJsonString(line, key);
    line += ':';
    AppendJsonString(line, value.substr(0, kMaxValueBytes));
  }
  line += "}\n";
  return line;
}

void Write(Level level, std::string_view message, std::initializer_list<Pair> fields) {
  if (level < minimum.load(std::memory_order_relaxed)) return;
  const std::string line = Format(level, message, fields);
  // A log that cannot be written has nowhere to complain to.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace sluice::log
