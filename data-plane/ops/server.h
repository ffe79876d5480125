#pragma once

// The operators' port of a node: GET /healthz (200 while the process lives), /readyz (200 once it serves, 503 before
// and while it drains), /metrics. A thread and a loop of its own, so that busy workers delay no probe. Owned by
// main(); destroy it before the worker group and the sync status.

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "data-plane/io/listener.h"
#include "data-plane/io/loop.h"
#include "data-plane/ops/busiest_gateways.h"
#include "data-plane/proxy/worker_group.h"
#include "data-plane/sync/status.h"

namespace sluice::ops {

inline constexpr size_t kMaxConnections = 64;  // more are closed at once
inline constexpr size_t kMaxHeadBytes = 8 * 1024;
inline constexpr std::chrono::seconds kIdleTime{60};
inline constexpr std::chrono::seconds kScrapeTime{2};  // for the workers to answer

struct Sources {
  proxy::WorkerGroup& workers;
  const sync::Status& sync;
  const Clock& clock;
  std::string node;
  std::string version;
  std::function<bool()> has_shares;  // of limits; before, every request would be refused
};

class Server {
 public:
  // Port 0 takes a free one. Errors name the address.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const io::Endpoint& at, Sources sources);
  ~Server();
  uint16_t port() const { return listener_->port(); }

 private:
  struct Answer {
    int status = 200;
    std::string body;
    std::string content_type = "text/plain; charset=utf-8";
  };
  explicit Server(Sources sources);
  io::Task<void> Serve(int fd);
  io::Task<Answer> Handle(std::string method, std::string path);
  io::Task<Answer> Metrics();
  bool IsReady() const { return sources_.workers.IsReady() && sources_.has_shares(); }

  const Sources sources_;
  BusiestGateways gateways_;
  std::string scratch_;
  std::shared_ptr<size_t> connections_ = std::make_shared<size_t>(0);  // coroutines may end after this object
  std::shared_ptr<io::Loop> loop_;  // shared with answers of workers that are on their way
  std::unique_ptr<io::Listener> listener_;
  std::thread thread_;
};

}  // namespace sluice::ops
