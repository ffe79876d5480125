#pragma once

// The plain stream over a TCP socket. Private to this folder; others use MakeTcpStream and ConnectTcp.

#include "data-plane/io/stream.h"

namespace sluice::io {

class TcpStream final : public Stream, public Pollable {
 public:
  enum class Phase : uint8_t { kConnecting, kConnected };
  TcpStream(Loop& loop, int fd, Phase phase);
  ~TcpStream() override;

  IoResult TryRead(std::span<char> out) override;
  IoResult TryWrite(std::string_view data) override;
  void ShutdownWrite() override;
  void ResetOnClose() override;
  Loop& loop() override { return loop_; }
  bool IsStale() override;
  TcpStream* Plain() override { return this; }
  // TryRead into an empty pipe of at most `max` bytes, and TryWrite of so many that are in a pipe.
  IoResult TryFill(int pipe, size_t max);
  IoResult TryDrain(int pipe, size_t bytes);
  void OnEvents(uint32_t epoll_events) override;
  int fd() const { return fd_; }

 protected:
  bool IsReadable() const override { return readable_; }
  bool IsWritable() const override { return writable_; }

 private:
  template <typename Call>
  IoResult Attempt(bool& ready, Call call);

  Loop& loop_;
  const int fd_;
  bool watched_;
  bool readable_ = false;  // the first event tells
  bool writable_;
  bool hung_up_ = false;   // a FIN, RST or error waits behind the bytes: no further edge will announce it
};

}  // namespace sluice::io
