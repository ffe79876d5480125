#pragma once

// What path a service is asked for: its own path joined with the client's, by Kong's rules. Pure.

#include <string>
#include <string_view>

namespace sluice::proxy {

struct PathRule {
  std::string_view service_path;  // "" is "/"
  size_t matched_bytes = 0;       // of the request's path, by the route
  bool strip = true;
  bool v1 = false;  // path_handling: plain concatenation instead of joining at a slash
};

// Whether stripping makes a dot segment of what was none ("/api../x" behind "/api"): the service would climb out of its
// own path, past whatever the route has checked.
bool StripsToDots(const PathRule& rule, std::string_view request_path);

std::string UpstreamPath(const PathRule& rule, std::string_view request_path);

}  // namespace sluice::proxy
