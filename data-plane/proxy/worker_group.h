#pragma once

// All workers of a node: starts them, hands them new configurations, adds up what they counted, drains and stops them.
// Owned by main(); callable from every thread.

#include <functional>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "data-plane/proxy/options.h"
#include "data-plane/proxy/worker.h"
#include "data-plane/route/publisher.h"

namespace sluice::proxy {

class WorkerGroup final : public Publisher {
 public:
  // Opens the ports and starts the threads. Errors name the address or the file.
  static absl::StatusOr<std::unique_ptr<WorkerGroup>> Start(Options options);
  ~WorkerGroup() override;  // stops at once

  void Publish(std::vector<GatewayChange> changes, std::function<void()> done) override;
  void SetReady() override;

  // Ready and not draining.
  bool IsReady() const;
  // `done` runs on the thread of the last worker to answer, unless the group stops first.
  void Collect(std::function<void(Stats)> done);
  uint64_t access_log_dropped() const { return access_log_->dropped(); }
  int workers() const { return static_cast<int>(workers_.size()); }
  uint16_t http_port() const { return http_.has_value() ? http_->port : 0; }
  uint16_t https_port() const { return https_.has_value() ? https_->port : 0; }

  // Not ready from now on. For `lame_duck` connections are still accepted, and every answer ends its connection; then
  // ports and idle connections close, and what is in flight may take until `in_flight` has passed; what is left then is
  // cut and logged; at last plugins' log entries are sent, for at most kLogFlushTime. Blocks; false where a connection
  // was left.
  static constexpr std::chrono::seconds kLogFlushTime{3};
  bool Drain(Duration lame_duck, Duration in_flight);

 private:
  explicit WorkerGroup(Options options);
  absl::Status Open();
  void OnEveryWorker(const std::function<void(Worker&)>& work);
  size_t SumOfWorkers(const std::function<size_t(Worker&)>& count);
  // Asks until the sum is 0; false where `until` passes first.
  bool WaitForNone(const std::function<size_t(Worker&)>& count, MonotonicTime until);

  const Options options_;
  const SystemClock system_clock_;
  ConnectionLimits connections_;
  std::unique_ptr<io::TlsServer> server_tls_;
  io::TlsContext client_tls_;
  std::unique_ptr<AccessLog> access_log_;
  std::unique_ptr<Shared> shared_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::optional<io::Endpoint> http_;
  std::optional<io::Endpoint> https_;
};

}  // namespace sluice::proxy
