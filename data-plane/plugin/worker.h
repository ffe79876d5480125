#pragma once

// What a worker lends to plugins. One per worker; its thread only.

#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "data-plane/io/loop.h"
#include "data-plane/io/task.h"

namespace sluice {

class Gateway;
class LogQueues;

// An HTTP request of the gateway's own (log sinks). Same egress policy, resolver and TLS rules as proxied requests.
struct HttpCall {
  bool tls = false;
  std::string host;
  uint16_t port = 80;
  std::string method;
  std::string target;  // origin-form
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;
  Duration timeout{};
  bool verify = true;
};
struct HttpCallResult {
  int status = 0;  // 0: no answer
  std::string error;
};

class PluginWorker {
 public:
  virtual ~PluginWorker() = default;
  virtual io::Loop& loop() = 0;
  virtual const Clock& clock() = 0;
  virtual int index() const = 0;  // of the worker, from 0
  virtual io::Task<HttpCallResult> Call(std::shared_ptr<const Gateway> gateway, HttpCall call) = 0;
  virtual LogQueues& log_queues() = 0;
};

}  // namespace sluice
