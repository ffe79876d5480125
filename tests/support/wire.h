#pragma once

// A client that sends literal bytes over a real socket, and reads answers. Test thread only; every wait is bounded.

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::test {

struct WireResponse {
  int status = 0;  // 0: the connection ended first
  std::string head;
  std::map<std::string, std::string> fields;  // names in lower case
  std::string body;
};

class WireClient {
 public:
  // Plain TCP to 127.0.0.1.
  explicit WireClient(uint16_t port);
  ~WireClient();
  WireClient(const WireClient&) = delete;

  // False where the peer has closed.
  bool Send(std::string_view bytes);
  // One whole response, framed by length or chunks (decoded), or by close. `head_request`: it has no body.
  WireResponse Read(bool head_request = false, std::chrono::milliseconds timeout = std::chrono::seconds(15));
  // So many bytes as they come, fewer where the connection ends first.
  std::string Take(size_t bytes, std::chrono::milliseconds timeout = std::chrono::seconds(15));
  // FIN: this side says no more, and goes on reading.
  void End();
  // True when the peer closes within the time, reading away what comes before.
  bool Closed(std::chrono::milliseconds timeout = std::chrono::seconds(15));
  // Sends a GET with that Host and reads the answer.
  WireResponse Get(std::string_view host, std::string_view path, std::string_view fields = "");

 private:
  bool Fill(std::chrono::steady_clock::time_point deadline);
  int fd_ = -1;
  std::string buffer_;
};

}  // namespace sluice::test
