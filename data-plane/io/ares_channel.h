#pragma once

// c-ares driven by the loop: its sockets are watched, its timeouts are timers. Private to the resolver. Loop's thread
// only.

#include <ares.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "data-plane/io/loop.h"

namespace sluice::io {

class AresChannel {
 public:
  struct Answer {
    int status = ARES_ENOTINITIALIZED;   // of ares.h
    std::vector<std::string> addresses;  // canonical text; A before AAAA
    std::chrono::seconds ttl{0};         // the least of all records used
  };

  explicit AresChannel(Loop& loop) : loop_(loop) {}
  ~AresChannel();  // every query that is under way is answered with ARES_EDESTRUCTION
  bool Open(const std::string& servers);

  // `done` runs once; within this call where no server need be asked.
  void Query(const std::string& name, std::function<void(Answer)> done);

 private:
  // A socket of c-ares. Edges are followed until nothing is left to do, since c-ares may leave bytes behind.
  struct Socket final : Pollable {
    Socket(AresChannel& channel, int fd) : channel(channel), fd(fd) {}
    void OnEvents(uint32_t) override { channel.Drive(fd); }
    AresChannel& channel;
    int fd;
    bool wants_write = false;
  };

  static void OnSocketState(void* self, ares_socket_t fd, int readable, int writable);
  static void OnAddresses(void* query, int status, int timeouts, ares_addrinfo* result);
  void Drive(int fd);
  void DriveAll();
  void ArmTimer();

  Loop& loop_;
  ares_channel channel_ = nullptr;
  absl::flat_hash_map<int, std::unique_ptr<Socket>> sockets_;
  std::vector<std::unique_ptr<Socket>> closed_;  // freed when no event of theirs can be on the stack
  Timer timer_;
  Timer kick_;
};

}  // namespace sluice::io
