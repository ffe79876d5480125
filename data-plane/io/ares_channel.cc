#include "data-plane/io/ares_channel.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "data-plane/io/address.h"
#include "data-plane/io/resolver.h"

namespace sluice::io {
namespace {

constexpr int kMaxDrives = 64;  // of one socket in one turn

struct PendingQuery {
  std::function<void(AresChannel::Answer)> done;
};

short Ready(int fd) {
  pollfd poll_fd{.fd = fd, .events = POLLIN | POLLOUT, .revents = 0};
  return poll(&poll_fd, 1, 0) == 1 ? poll_fd.revents : 0;
}

void Collect(const ares_addrinfo& result, int family, AresChannel::Answer& answer) {
  for (const ares_addrinfo_node* node = result.nodes; node != nullptr; node = node->ai_next) {
    if (node->ai_family != family || answer.addresses.size() == kMaxAddresses) continue;
    sockaddr_storage storage{};
    std::memcpy(&storage, node->ai_addr, std::min<size_t>(node->ai_addrlen, sizeof storage));
    std::string text = ToEndpoint(storage).address;
    if (std::find(answer.addresses.begin(), answer.addresses.end(), text) != answer.addresses.end()) continue;
    answer.addresses.push_back(std::move(text));
    answer.ttl = std::min(answer.ttl, std::chrono::seconds(std::max(node->ai_ttl, 0)));
  }
}

}  // namespace

AresChannel::~AresChannel() {
  if (channel_ != nullptr) ares_destroy(channel_);
  for (const auto& [fd, socket] : sockets_) loop_.Unwatch(fd, socket.get());
}

bool AresChannel::Open(const std::string& servers) {
  ares_options options{};
  char lookups[] = "fb";  // /etc/hosts, then the servers
  options.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES;
  options.timeout = static_cast<int>(kQueryTimeout.count());
  options.tries = kQueryTries;
  options.ndots = 0;
  options.ndomains = 0;  // no search list, whatever /etc/resolv.conf says
  options.lookups = lookups;
  options.sock_state_cb = OnSocketState;
  options.sock_state_cb_data = this;
  const int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS | ARES_OPT_DOMAINS |
                   ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB;
  if (ares_init_options(&channel_, &options, mask) != ARES_SUCCESS) {
    channel_ = nullptr;
    return false;
  }
  return servers.empty() || ares_set_servers_ports_csv(channel_, servers.c_str()) == ARES_SUCCESS;
}

void AresChannel::Query(const std::string& name, std::function<void(Answer)> done) {
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = ARES_AI_NOSORT;
  auto* pending = new PendingQuery{std::move(done)};
  ares_getaddrinfo(channel_, name.c_str(), nullptr, &hints, OnAddresses, pending);
  ArmTimer();
}

void AresChannel::OnAddresses(void* query, int status, int, ares_addrinfo* result) {
  const std::unique_ptr<PendingQuery> pending(static_cast<PendingQuery*>(query));
  Answer answer{.status = status, .addresses = {}, .ttl = kMaxTtl};
  if (result != nullptr) {
    Collect(*result, AF_INET, answer);
    Collect(*result, AF_INET6, answer);
    for (const ares_addrinfo_cname* alias = result->cnames; alias != nullptr; alias = alias->next) {
      answer.ttl = std::min(answer.ttl, std::chrono::seconds(std::max(alias->ttl, 0)));
    }
    ares_freeaddrinfo(result);
  }
  if (answer.status == ARES_SUCCESS && answer.addresses.empty()) answer.status = ARES_ENODATA;
  pending->done(std::move(answer));
}

void AresChannel::OnSocketState(void* context, ares_socket_t fd, int readable, int writable) {
  auto& self = *static_cast<AresChannel*>(context);
  auto found = self.sockets_.find(fd);
  if (readable == 0 && writable == 0) {
    if (found == self.sockets_.end()) return;
    self.loop_.Unwatch(fd, found->second.get());
    self.closed_.push_back(std::move(found->second));
    self.sockets_.erase(found);
    return;
  }
  if (found == self.sockets_.end()) {
    found = self.sockets_.emplace(fd, std::make_unique<Socket>(self, fd)).first;
    self.loop_.Watch(fd, found->second.get());  // where it fails, the query times out
  }
  found->second->wants_write = writable != 0;
  if (writable == 0) return;
  // The socket may be writable already, and then no edge comes.
  self.kick_.Arm(
      self.loop_, self.loop_.Now(), [](void* channel) { static_cast<AresChannel*>(channel)->DriveAll(); }, &self);
}

void AresChannel::Drive(int fd) {
  closed_.clear();
  for (int i = 0; i < kMaxDrives; ++i) {
    const auto socket = sockets_.find(fd);
    if (socket == sockets_.end()) break;
    const short ready = Ready(fd);
    const bool read = (ready & (POLLIN | POLLHUP | POLLERR)) != 0;
    const bool write = socket->second->wants_write && (ready & (POLLOUT | POLLHUP | POLLERR)) != 0;
    if (!read && !write) break;
    ares_process_fd(channel_, read ? fd : ARES_SOCKET_BAD, write ? fd : ARES_SOCKET_BAD);
  }
  ArmTimer();
}

void AresChannel::DriveAll() {
  std::vector<int> fds;
  for (const auto& [fd, socket] : sockets_) {
    if (socket->wants_write) fds.push_back(fd);
  }
  for (int fd : fds) Drive(fd);
}

void AresChannel::ArmTimer() {
  timeval left{};
  if (ares_timeout(channel_, nullptr, &left) == nullptr) {
    timer_.Disarm();
    return;
  }
  const auto wait = std::chrono::seconds(left.tv_sec) + std::chrono::microseconds(left.tv_usec);
  timer_.Arm(
      loop_, loop_.Now() + wait,
      [](void* context) {
        auto& self = *static_cast<AresChannel*>(context);
        ares_process_fd(self.channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
        self.ArmTimer();
      },
      this);
}

}  // namespace sluice::io
