#pragma once

// A network link that a test can break: what connects to port() reaches `target` of 127.0.0.1 through it, until it is
// told otherwise. Owns a thread; callable from the test's thread.

#include <atomic>
#include <cstdint>
#include <list>
#include <string>
#include <thread>

namespace sluice::test {

class Link {
 public:
  explicit Link(uint16_t target);
  ~Link();
  Link(const Link&) = delete;

  uint16_t port() const { return port_; }

  // New connections go to another port from now on, as a load balancer sends them to another machine.
  void SetTarget(uint16_t target) { target_ = target; }
  // Nothing passes in either direction and nothing is closed, as where packets are dropped. New connections open, as
  // far as their kernel can tell, and hear nothing.
  void Partition() { open_ = false; }
  void Heal() { open_ = true; }
  // Each direction of each connection, from now on. 0: as fast as it goes.
  void SetBytesPerSecond(uint64_t rate) { rate_ = rate; }
  // Closes every connection at once, as a machine that lost power does when it is back.
  void Reset() { reset_ = true; }
  uint64_t bytes() const { return bytes_; }  // carried so far, both directions

 private:
  static constexpr size_t kBuffer = 64 * 1024;  // a direction; past it, its sender waits
  struct Direction {
    std::string waiting;
    double allowed = 0;  // bytes, of the rate
    bool ended = false;
  };
  struct Connection {
    int client = -1;
    int server = -1;  // -1: not connected yet
    Direction up, down;
  };

  void Run();
  void Accept();
  bool Carry(Connection& connection, double seconds);
  bool Move(int from, int to, Direction& direction, double seconds);
  static void Close(Connection& connection);

  std::atomic<uint16_t> target_;
  int listener_ = -1;
  uint16_t port_ = 0;
  std::atomic<bool> open_{true}, reset_{false}, stop_{false};
  std::atomic<uint64_t> rate_{0}, bytes_{0};
  std::list<Connection> connections_;  // the thread's
  std::thread thread_;
};

}  // namespace sluice::test
