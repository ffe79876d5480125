#include "tests/support/http2_client.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "catch2/catch.hpp"
#include "nghttp2/nghttp2.h"

namespace sluice::test {
namespace {

constexpr int kWaitMs = 15'000;

}  // namespace

Http2Client::Http2Client(uint16_t port, std::string_view opening, const char* server_name) {
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  const int on = 1;  // a frame's end must not wait for an acknowledgement
  REQUIRE(setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0);
  REQUIRE(nghttp2_hd_inflate_new(&inflater_) == 0);
  if (server_name != nullptr) Secure(server_name);
  Send(opening);
}

void Http2Client::Secure(const char* server_name) {
  const timeval wait{kWaitMs / 1000, 0};
  REQUIRE(setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) == 0);
  SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
  ssl_ = SSL_new(context);
  SSL_CTX_free(context);
  REQUIRE(SSL_set_alpn_protos(ssl_, reinterpret_cast<const unsigned char*>("\2h2"), 3) == 0);
  SSL_set_tlsext_host_name(ssl_, server_name);
  SSL_set_fd(ssl_, fd_);
  REQUIRE(SSL_connect(ssl_) == 1);
}

Http2Client::~Http2Client() {
  nghttp2_hd_inflate_del(inflater_);
  SSL_free(ssl_);
  close(fd_);
}

bool Http2Client::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto size = static_cast<int>(bytes.size());
    const ssize_t sent =
        ssl_ != nullptr ? SSL_write(ssl_, bytes.data(), size) : send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(sent);
  }
  return true;
}

bool Http2Client::Fill() {
  pollfd ready{fd_, POLLIN, 0};
  const bool here = ssl_ != nullptr && SSL_pending(ssl_) > 0;
  if (!here && poll(&ready, 1, kWaitMs) <= 0) return false;
  char bytes[65536];
  const ssize_t got = ssl_ != nullptr ? SSL_read(ssl_, bytes, sizeof bytes) : recv(fd_, bytes, sizeof bytes, 0);
  if (got <= 0) return false;
  buffer_.append(bytes, got);
  for (h2::Received& frame : h2::TakeFrames(buffer_)) {
    if (frame.type == h2::kHeaders) frame.payload = Decode(frame.payload);
    frames_.push_back(std::move(frame));
  }
  return true;
}

std::string Http2Client::Decode(const std::string& block) {
  std::string text;
  const auto* at = reinterpret_cast<const uint8_t*>(block.data());
  size_t left = block.size();
  for (;;) {
    nghttp2_nv field;
    int flags = 0;
    const ssize_t used = nghttp2_hd_inflate_hd2(inflater_, &field, &flags, at, left, 1);
    if (used < 0) return "broken";
    at += used;
    left -= used;
    if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
      text.append(reinterpret_cast<char*>(field.name), field.namelen).append(": ");
      text.append(reinterpret_cast<char*>(field.value), field.valuelen).append("\n");
    }
    if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) break;
  }
  nghttp2_hd_inflate_end_headers(inflater_);
  return text;
}

Http2Client::Answer Http2Client::Read(uint32_t stream) {
  Answer answer;
  for (;;) {
    for (size_t i = 0; i < frames_.size(); ++i) {
      if (frames_[i].stream != stream) continue;
      const h2::Received frame = frames_[i];
      frames_.erase(frames_.begin() + static_cast<ptrdiff_t>(i--));
      if (frame.type == h2::kHeaders) {
        std::string& into = answer.status.empty() || answer.status[0] == '1' ? answer.head : answer.trailers;
        if (frame.payload.starts_with(":status: ")) answer.status = frame.payload.substr(9, 3);
        into += frame.payload;
      } else if (frame.type == h2::kData) {
        answer.body += frame.payload;
      } else if (frame.type == h2::kReset) {
        answer.error = frame.number();
        return answer;
      }
      const bool may_end = frame.type == h2::kHeaders || frame.type == h2::kData;
      if (may_end && (frame.flags & h2::kEndStream) != 0) return answer;
    }
    if (!Fill()) return answer;
  }
}

std::optional<h2::Received> Http2Client::Next(const std::function<bool(const h2::Received&)>& wanted) {
  for (;;) {
    while (!frames_.empty()) {
      h2::Received frame = std::move(frames_.front());
      frames_.erase(frames_.begin());
      if (wanted(frame)) return frame;
    }
    if (!Fill()) return std::nullopt;
  }
}

uint32_t Http2Client::ReadGoAway() {
  const auto frame = Next([](const h2::Received& received) { return received.type == h2::kGoAway; });
  return frame.has_value() ? frame->number(4) : 99;
}

bool Http2Client::Closed() {
  while (Fill()) frames_.clear();
  char byte;
  return recv(fd_, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0 || errno == ECONNRESET;
}

}  // namespace sluice::test
