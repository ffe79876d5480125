#include "control-plane/fleet/own_addresses.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>

namespace sluice::fleet {
namespace {

std::string ToText(const sockaddr* address, const std::string& port) {
  char text[INET6_ADDRSTRLEN];
  if (address->sa_family == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(address)->sin_addr, text, sizeof text);
    return std::string(text) + ":" + port;
  }
  inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr, text, sizeof text);
  return "[" + std::string(text) + "]:" + port;
}

bool IsInternet(const sockaddr* address) {
  return address != nullptr && (address->sa_family == AF_INET || address->sa_family == AF_INET6);
}

std::vector<std::string> EveryAddress(const std::string& port) {
  std::vector<std::string> ranges;
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return ranges;
  for (const ifaddrs* entry = all; entry != nullptr; entry = entry->ifa_next) {
    if (IsInternet(entry->ifa_addr)) ranges.push_back(ToText(entry->ifa_addr, port));
  }
  freeifaddrs(all);
  return ranges;
}

}  // namespace

std::vector<std::string> OwnRanges(const std::string& address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos) return {};
  std::string host = address.substr(0, colon);
  const std::string port = address.substr(colon + 1);
  if (host.size() > 1 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  if (host.empty() || host == "0.0.0.0" || host == "::") return EveryAddress(port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  std::vector<std::string> ranges;
  if (getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return ranges;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    if (IsInternet(entry->ai_addr)) ranges.push_back(ToText(entry->ai_addr, port));
  }
  freeaddrinfo(found);
  std::sort(ranges.begin(), ranges.end());
  ranges.erase(std::unique(ranges.begin(), ranges.end()), ranges.end());
  return ranges;
}

}  // namespace sluice::fleet
