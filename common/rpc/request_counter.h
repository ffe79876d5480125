#pragma once

// Counts the calls of a server by method and canonical code, as an interceptor. Methods that no service has are not
// counted, so the labels are bounded. Callable from every thread; outlives its server.

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace grpc {
class ServerBuilder;
}  // namespace grpc

namespace sluice::rpc {

class RequestCounter {
 public:
  using Counts = std::map<std::pair<std::string, std::string>, uint64_t>;  // by method and code: "/a.B/C", "NOT_FOUND"

  // Once a server.
  void AddTo(grpc::ServerBuilder& builder);
  void Count(const std::string& method, int code);
  Counts counts() const;

 private:
  mutable std::mutex mutex_;
  Counts counts_;
};

}  // namespace sluice::rpc
