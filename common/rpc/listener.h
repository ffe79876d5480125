#pragma once

// One listening socket and the thread that accepts on it. It outlives exhausted descriptors: a reserve descriptor is
// given up to accept and close what cannot be served, and accepting goes on when descriptors come back. The thread also
// keeps the connection cap: whoever takes a connection closes it whenever they like, so what was handed over is
// recognised as closed by looking at the descriptor again. Open, start and destroy on one thread.

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/clock.h"

namespace sluice::rpc {

inline constexpr int kBacklog = 512;

class Listener {
 public:
  // Listens; connections wait until Start.
  static absl::StatusOr<std::unique_ptr<Listener>> Open(const std::string& address, int max_connections);
  // `take` gets every connection (non-blocking, close-on-exec) and owns it from then on; it runs on the accept thread.
  void Start(std::function<void(int listener, int connection)> take);
  ~Listener();  // stops accepting and joins
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  uint16_t port() const { return port_; }
  uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }

 private:
  struct Handed {
    int descriptor;
    ino_t inode;  // of the socket: tells a closed and reused descriptor
  };

  Listener(int socket, uint16_t port, int max_connections);
  void Run();
  bool AcceptOne();  // false: nothing to accept now
  bool HasRoom(int connection);
  void Refuse(int connection);
  void ShedWithReserve();
  void ForgetClosed();

  const int socket_;
  const uint16_t port_;
  const size_t max_connections_;
  std::function<void(int, int)> take_;
  int reserve_;
  int wake_;
  std::vector<Handed> handed_;  // the accept thread's
  MonotonicTime swept_{};
  std::atomic<uint64_t> refused_{0};
  std::thread thread_;
};

}  // namespace sluice::rpc
