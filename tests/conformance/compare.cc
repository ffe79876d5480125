#include <algorithm>

#include "tests/conformance/differences.h"
#include "tests/conformance/reading.h"

namespace sluice::test {
namespace {

struct Parser {
  Other other;
  std::string_view name;
  Reading (*read)(std::string_view, Direction);
};
constexpr Parser kOthers[] = {{Other::kLlhttp, "llhttp", ReadAsLlhttp}, {Other::kBeast, "Beast", ReadAsBeast}};

// Absolute-form as origin-form (RFC 9112 section 3.2), by a way of its own.
std::string OriginForm(std::string_view method, std::string_view target) {
  if (target.starts_with('/') || target == "*") return std::string(target);
  const size_t scheme = target.find("://");
  if (scheme == std::string_view::npos) return "no form: " + std::string(target);
  target.remove_prefix(scheme + 3);
  target.remove_prefix(std::min({target.find('/'), target.find('?'), target.size()}));
  if (target.empty()) return method == "OPTIONS" ? "*" : "/";
  return target[0] == '?' ? "/" + std::string(target) : std::string(target);
}

// What differs, "" where nothing does.
std::string Compare(const Reading& ours, const Reading& other) {
  if (!other.refusal.empty()) return "refuses it: " + other.refusal;
  if (!other.head) return "takes its head for incomplete";
  if (other.method != ours.method) return "reads the method " + other.method;
  if (ours.status == 0 && OriginForm(ours.method, other.target) != ours.target) {
    return "reads the target " + other.target;
  }
  if (other.status != ours.status) return "reads another status";
  if (other.reason != ours.reason) return "reads the reason " + other.reason;
  if (other.fields != ours.fields) return "reads other fields";
  if (other.whole != ours.whole) return other.whole ? "takes it for whole" : "takes it for incomplete";
  if (other.body != ours.body) return "reads the body " + other.body;
  if (ours.whole && other.size != ours.size) return "ends it at byte " + std::to_string(other.size);
  return "";
}

std::string CompareAll(std::string_view bytes, const Reading& ours, Direction direction) {
  for (const Parser& parser : kOthers) {
    if (IsKnown(parser.other, bytes, ours, direction)) continue;
    const std::string difference = Compare(ours, parser.read(bytes, direction));
    if (!difference.empty()) return std::string(parser.name) + " " + difference;
  }
  return "";
}

// The same for the message as it would leave us, with something else behind it.
std::string CompareWritten(std::string_view bytes, const Reading& ours, Direction direction) {
  const std::string written = WriteAsOurs(bytes, direction);
  const Reading again = ReadAsOurs(written, direction);
  if (again.refusal == "head-too-large" || again.refusal == "too-many-fields") return "";
  const bool same = again.whole && again.size == written.size() && again.method == ours.method &&
                    again.target == ours.target && again.status == ours.status && again.body == ours.body;
  if (!same) return "we read what we write otherwise: " + again.refusal + "\n" + written;
  const std::string difference = CompareAll(written, again, direction);
  return difference.empty() ? "" : difference + ", as we write it:\n" + written;
}

}  // namespace

std::string Disagreement(std::string_view bytes, Direction direction) {
  while (!bytes.empty()) {
    const Reading ours = ReadAsOurs(bytes, direction);
    if (!ours.refusal.empty() || !ours.head) return "";
    std::string difference = CompareAll(bytes, ours, direction);
    if (difference.empty() && ours.whole) difference = CompareWritten(bytes, ours, direction);
    if (!difference.empty() || !ours.whole) return difference;
    bytes.remove_prefix(ours.size);
  }
  return "";
}

}  // namespace sluice::test
