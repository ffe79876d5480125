#pragma once

// A client that speaks HTTP/2 in literal frames over a real socket. Test thread only; every wait is bounded.

#include <functional>
#include <optional>

#include "tests/support/http2.h"

struct nghttp2_hd_inflater;
struct ssl_st;

namespace sluice::test {

class Http2Client {
 public:
  // To 127.0.0.1, with `opening` sent; over TLS, which agrees on h2, where a server name is given.
  explicit Http2Client(uint16_t port, std::string_view opening = h2::kPreface, const char* server_name = nullptr);
  ~Http2Client();
  Http2Client(const Http2Client&) = delete;

  bool Send(std::string_view bytes);  // false where the peer has closed

  struct Answer {
    std::string status;  // "" : the stream was reset, or the connection ended
    std::string head;    // "name: value\n" each
    std::string body;
    std::string trailers;
    uint32_t error = 99;  // of a RST_STREAM
  };
  // Reads until the stream has ended. Frames of other streams are kept.
  Answer Read(uint32_t stream);
  // The error of the GOAWAY; 99 where the connection ended without, or nothing came in time.
  uint32_t ReadGoAway();
  // The next frame that `wanted` accepts; others are dropped.
  std::optional<h2::Received> Next(const std::function<bool(const h2::Received&)>& wanted);
  bool Closed();  // within the time, reading away what comes before

 private:
  void Secure(const char* server_name);
  bool Fill();
  std::string Decode(const std::string& block);
  int fd_ = -1;
  ssl_st* ssl_ = nullptr;
  std::string buffer_;
  std::vector<h2::Received> frames_;
  nghttp2_hd_inflater* inflater_ = nullptr;
};

}  // namespace sluice::test
