// Paths: a normalised path is its own normal form and holds nothing that another server could still climb with.

#include <algorithm>
#include <string>

#include "data-plane/http/target.h"
#include "tests/fuzz/fuzz.h"

namespace sluice::fuzz {
namespace {

bool Holds(std::string_view path, std::string_view part) {
  return path.find(part) != std::string_view::npos;
}

// "." or ".." as the whole of a segment, or before its parameters.
bool HasDotSegment(std::string_view path) {
  while (!path.empty()) {
    const size_t start = path.find('/') + 1;
    const std::string_view segment = path.substr(start, path.find('/', start) - start);
    const std::string_view name = segment.substr(0, std::min(segment.find(';'), segment.find("%3B")));
    if (name == "." || name == "..") return true;
    path.remove_prefix(start + segment.size());
  }
  return false;
}

}  // namespace

void Run(std::string_view input) {
  std::string path;
  std::string_view reason;
  if (!http::NormalizePath(input, path, reason)) {
    SLUICE_CHECK(!reason.empty());
    return;
  }
  SLUICE_CHECK(path.starts_with('/'));
  SLUICE_CHECK(path.size() <= input.size());
  SLUICE_CHECK(!HasDotSegment(path));
  for (std::string_view part : {"//", "\\", "%2F", "%2f", "%5C", "%5c", "%00", "%2E", "%2e", "?", "#", " "}) {
    SLUICE_CHECK(!Holds(path, part));
  }
  std::string again;
  SLUICE_CHECK(http::NormalizePath(path, again, reason));
  SLUICE_CHECK(again == path);
}

}  // namespace sluice::fuzz
