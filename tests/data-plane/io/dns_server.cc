#include "tests/data-plane/io/dns_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/check.h"

namespace sluice::io {
namespace {

void Put16(std::string& out, unsigned value) {
  out.push_back(static_cast<char>(value >> 8));
  out.push_back(static_cast<char>(value));
}

void PutRecord(std::string& out, int type, uint32_t ttl, const std::string& data) {
  Put16(out, 0xc00c);  // the name asked for
  Put16(out, type);
  Put16(out, 1);
  Put16(out, ttl >> 16);
  Put16(out, ttl & 0xffff);
  Put16(out, data.size());
  out += data;
}

std::string Packed(int family, const std::string& text) {
  std::string bytes(family == AF_INET ? 4 : 16, '\0');
  SLUICE_CHECK(inet_pton(family, text.c_str(), bytes.data()) == 1);
  return bytes;
}

// The name in a query and where its type follows.
std::string NameOf(const std::string& query, size_t& at) {
  std::string name;
  at = 12;
  while (at < query.size() && query[at] != 0) {
    const size_t size = static_cast<unsigned char>(query[at]);
    if (!name.empty()) name += '.';
    name += query.substr(at + 1, size);
    at += size + 1;
  }
  ++at;
  return name;
}

}  // namespace

DnsServer::DnsServer() {
  // The port that is free for one protocol may be taken for the other.
  for (int tries = 0; !Bind(); ++tries) SLUICE_CHECK(tries < 100);
  SLUICE_CHECK(listen(tcp_, 4) == 0);
  SLUICE_CHECK(pipe(stop_) == 0);
  thread_ = std::thread([this] { Serve(); });
}

bool DnsServer::Bind() {
  udp_ = socket(AF_INET, SOCK_DGRAM, 0);
  tcp_ = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  SLUICE_CHECK(bind(udp_, reinterpret_cast<sockaddr*>(&address), size) == 0);
  SLUICE_CHECK(getsockname(udp_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  port_ = ntohs(address.sin_port);
  const int on = 1;
  setsockopt(tcp_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(tcp_, reinterpret_cast<sockaddr*>(&address), size) == 0) return true;
  close(udp_);
  close(tcp_);
  return false;
}

DnsServer::~DnsServer() {
  close(stop_[1]);
  thread_.join();
  for (int fd : {udp_, tcp_, stop_[0]}) close(fd);
}

void DnsServer::Put(const std::string& name, Record record) {
  std::lock_guard lock(mutex_);
  records_[name] = std::move(record);
}

int DnsServer::asked(const std::string& name) const {
  std::lock_guard lock(mutex_);
  const auto found = asked_.find(name);
  return found == asked_.end() ? 0 : found->second;
}

void DnsServer::Serve() {
  for (;;) {
    pollfd fds[] = {{udp_, POLLIN, 0}, {tcp_, POLLIN, 0}, {stop_[0], POLLIN, 0}};
    poll(fds, 3, -1);
    if (fds[2].revents != 0) return;
    if (fds[1].revents != 0) ServeTcp();
    if ((fds[0].revents & POLLIN) == 0) continue;
    std::string query(512, '\0');
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const ssize_t count = recvfrom(udp_, query.data(), query.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (count < 16) continue;
    query.resize(static_cast<size_t>(count));
    const std::string answer = Answer(query, false);
    if (!answer.empty()) sendto(udp_, answer.data(), answer.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
  }
}

void DnsServer::ServeTcp() {
  const int fd = accept(tcp_, nullptr, nullptr);
  if (fd < 0) return;
  const timeval limit{.tv_sec = 1, .tv_usec = 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  unsigned char prefix[2];
  while (recv(fd, prefix, 2, MSG_WAITALL) == 2) {
    std::string query(size_t{prefix[0]} << 8 | prefix[1], '\0');
    if (recv(fd, query.data(), query.size(), MSG_WAITALL) != static_cast<ssize_t>(query.size())) break;
    const std::string answer = Answer(query, true);
    std::string framed;
    Put16(framed, answer.size());
    framed += answer;
    send(fd, framed.data(), framed.size(), MSG_NOSIGNAL);
  }
  close(fd);
}

std::string DnsServer::Answer(const std::string& query, bool tcp) {
  size_t at;
  const std::string name = NameOf(query, at);
  const int type = static_cast<unsigned char>(query[at]) << 8 | static_cast<unsigned char>(query[at + 1]);
  ++in_all_;
  std::lock_guard lock(mutex_);
  if (type == 1) ++asked_[name];
  const auto found = records_.find(name);
  const Record record = found != records_.end() ? found->second : Record{.v4 = {}, .v6 = {}, .rcode = 3};
  if (record.silent) return "";
  const bool truncated = record.only_over_tcp && !tcp;
  const auto& addresses = type == 1 ? record.v4 : record.v6;
  const size_t count = truncated || record.rcode != 0 || (type != 1 && type != 28) ? 0 : addresses.size();
  std::string out = query.substr(0, 2);
  Put16(out, 0x8180 | (truncated ? 0x0200 : 0) | static_cast<unsigned>(record.rcode));
  Put16(out, 1);
  Put16(out, count);
  Put16(out, 0);
  Put16(out, 0);
  out += query.substr(12, at + 4 - 12);
  const int family = type == 1 ? AF_INET : AF_INET6;
  for (size_t i = 0; i < count; ++i) PutRecord(out, type, record.ttl, Packed(family, addresses[i]));
  return out;
}

}  // namespace sluice::io
