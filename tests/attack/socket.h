#pragma once

// Plain blocking sockets for the programs in this folder. Errors end the program with a message; each object belongs to
// one thread.

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::attack {

struct Address {
  std::string ip;
  uint16_t port = 0;
};
// "127.0.0.1:8000"; ends the program where it is not that.
Address ParseAddress(const std::string& text);

// -1 where nobody listens or descriptors have run out.
int Connect(const Address& to);
int Listen(const Address& at);
int AcceptNow(int listener);  // -1 where nobody waits

// False where the peer has closed, or takes nothing for `stall_ms`.
bool SendAll(int fd, std::string_view bytes, int stall_ms = 5000);
// Appends what comes within the time. False at the end, on an error or at the time-out.
bool Receive(int fd, std::string& into, int timeout_ms);

// Monotonic seconds.
double Now();

}  // namespace sluice::attack
