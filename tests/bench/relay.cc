// The floor of a proxied request: a relay that knows nothing of HTTP. Every accepted connection gets one of its own
// to a fixed upstream, and bytes go both ways as they come: for a small request two recv and two send. One thread.

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

constexpr size_t kScratchBytes = 64 * 1024;
constexpr int kMaxEvents = 256;

// One direction's end: what was read from it goes to `peer`; `unsent` is what it would not take yet.
struct Side {
  int fd = -1;
  Side* peer = nullptr;
  bool readable = true;
  bool dead = false;
  std::string unsent;
};

struct Relay {
  int epoll = -1;
  sockaddr_in upstream{};
  std::vector<Side*> closed;  // freed after the batch of events that may still name them
  char scratch[kScratchBytes];
};

bool Parse(const char* text, sockaddr_in& out) {
  const char* colon = std::strrchr(text, ':');
  if (colon == nullptr) return false;
  out.sin_family = AF_INET;
  out.sin_port = htons(static_cast<uint16_t>(std::atoi(colon + 1)));
  return inet_pton(AF_INET, std::string(text, colon).c_str(), &out.sin_addr) == 1;
}

void Watch(const Relay& relay, Side* side) {
  const int on = 1;
  setsockopt(side->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = {.ptr = side}};
  epoll_ctl(relay.epoll, EPOLL_CTL_ADD, side->fd, &event);
}

void Close(Relay& relay, Side* side) {
  for (Side* end : {side, side->peer}) {
    if (end->dead) continue;
    end->dead = true;
    close(end->fd);
    relay.closed.push_back(end);
  }
}

void Accept(Relay& relay, int listener) {
  for (;;) {
    const int client = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
    if (client < 0) return;
    const int upstream = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (connect(upstream, reinterpret_cast<sockaddr*>(&relay.upstream), sizeof relay.upstream) != 0 &&
        errno != EINPROGRESS) {
      close(client);
      close(upstream);
      continue;
    }
    Side* const a = new Side{.fd = client};
    Side* const b = new Side{.fd = upstream, .peer = a};
    a->peer = b;
    Watch(relay, a);
    Watch(relay, b);
  }
}

// False where the connection has broken.
bool Send(Side* to, const char* data, size_t size) {
  if (to->unsent.empty()) {
    const ssize_t sent = send(to->fd, data, size, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != ENOTCONN) return false;
    if (sent > 0) data += sent, size -= static_cast<size_t>(sent);
  }
  to->unsent.append(data, size);
  return true;
}

// Reads until a short read, or until the other side takes no more.
void Forward(Relay& relay, Side* from) {
  while (!from->dead && from->readable && from->peer->unsent.empty()) {
    const ssize_t got = recv(from->fd, relay.scratch, kScratchBytes, 0);
    if (got < 0 && (errno == EAGAIN || errno == ENOTCONN)) {
      from->readable = false;
      return;
    }
    if (got <= 0 || !Send(from->peer, relay.scratch, static_cast<size_t>(got))) return Close(relay, from);
    from->readable = static_cast<size_t>(got) == kScratchBytes;
  }
}

void OnEvent(Relay& relay, Side* side, uint32_t events) {
  if (side->dead) return;
  if ((events & EPOLLOUT) != 0 && !side->unsent.empty()) {
    const std::string unsent = std::move(side->unsent);
    side->unsent.clear();
    if (!Send(side, unsent.data(), unsent.size())) return Close(relay, side);
    Forward(relay, side->peer);
  }
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) == 0) return;
  side->readable = true;
  Forward(relay, side);
}

int Listen(const sockaddr_in& address) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return -1;
  return listen(listener, 1024) == 0 ? listener : -1;
}

}  // namespace

int main(int argc, char** argv) {
  static Relay relay;
  sockaddr_in address{};
  if (argc != 3 || !Parse(argv[1], address) || !Parse(argv[2], relay.upstream)) {
    std::fprintf(stderr, "usage: bench-relay ADDRESS:PORT UPSTREAM:PORT\n");
    return 64;
  }
  std::signal(SIGPIPE, SIG_IGN);
  relay.epoll = epoll_create1(0);
  const int listener = Listen(address);
  if (listener < 0) {
    std::perror("bench-relay: listen");
    return 1;
  }
  epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
  epoll_ctl(relay.epoll, EPOLL_CTL_ADD, listener, &event);
  epoll_event events[kMaxEvents];
  for (;;) {
    const int count = epoll_wait(relay.epoll, events, kMaxEvents, -1);
    for (int i = 0; i < count; ++i) {
      if (events[i].data.ptr == nullptr) {
        Accept(relay, listener);
      } else {
        OnEvent(relay, static_cast<Side*>(events[i].data.ptr), events[i].events);
      }
    }
    for (Side* side : relay.closed) delete side;
    relay.closed.clear();
  }
}
