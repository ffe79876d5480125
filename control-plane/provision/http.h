#pragma once

// An HTTP client for what runs beside the control plane: an engine behind a Unix socket, a node's operations port on
// loopback. By libcurl. One thread at a time; calls block for at most the timeout given.

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/base/clock.h"

namespace sluice::provision {

inline constexpr size_t kMaxAnswerBytes = 4 * 1024 * 1024;

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::string body = {};
  std::string content_type = {};
  Duration timeout = std::chrono::seconds(5);
};

struct HttpAnswer {
  long status = 0;
  std::string body;
};

class HttpClient {
 public:
  // `socket`: the path of a Unix socket that every request goes to, whatever its URL; "": TCP, no proxy.
  explicit HttpClient(std::string socket = "");
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;

  // UNAVAILABLE: no whole answer, and why. Redirects are answers. RESOURCE_EXHAUSTED past kMaxAnswerBytes.
  absl::StatusOr<HttpAnswer> Send(const HttpRequest& request);

 private:
  struct Handle;
  const std::string socket_;
  std::unique_ptr<Handle> handle_;
};

}  // namespace sluice::provision
