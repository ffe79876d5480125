#include "data-plane/proxy/worker_group.h"

#include <algorithm>
#include <future>
#include <mutex>
#include <thread>

#include "common/observe/log.h"

namespace sluice::proxy {
namespace {

constexpr std::chrono::milliseconds kDrainPoll{20};

int WorkerCount(const Options& options) {
  if (options.workers > 0) return options.workers;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

size_t MaxConnections(const Options& options) {
  return options.max_connections != 0 ? options.max_connections : ConnectionLimits::HalfTheDescriptors();
}

}  // namespace

absl::StatusOr<std::unique_ptr<WorkerGroup>> WorkerGroup::Start(Options options) {
  std::unique_ptr<WorkerGroup> group(new WorkerGroup(std::move(options)));
  absl::Status opened = group->Open();
  if (!opened.ok()) return opened;
  for (const auto& worker : group->workers_) worker->Start();
  return group;
}

WorkerGroup::WorkerGroup(Options options)
    : options_(std::move(options)),
      connections_({.total = MaxConnections(options_),
                    .per_address = options_.max_connections_per_address,
                    .per_gateway = options_.max_connections_per_gateway}),
      http_(options_.http),
      https_(options_.https) {}

WorkerGroup::~WorkerGroup() {
  for (const auto& worker : workers_) worker->StopAndJoin();
  workers_.clear();
}

absl::Status WorkerGroup::Open() {
  const int count = WorkerCount(options_);
  const Clock& clock = options_.clock != nullptr ? *options_.clock : static_cast<const Clock&>(system_clock_);
  if (https_.has_value()) {
    if (options_.certificates.empty()) return absl::InvalidArgumentError("https needs a certificate and a key");
    auto server = io::TlsServer::Make(options_.certificates, clock);
    if (!server.ok()) return server.status();
    server_tls_ = std::move(*server);
  }
  auto client_context = io::MakeClientContext();
  if (!client_context.ok()) return client_context.status();
  client_tls_ = std::move(*client_context);
  auto access_log = AccessLog::Open(options_.access_log, count);
  if (!access_log.ok()) return access_log.status();
  access_log_ = std::move(*access_log);
  shared_.reset(new Shared{.options = options_,
                           .clock = clock,
                           .connections = connections_,
                           .access_log = *access_log_,
                           .server_tls = server_tls_.get(),
                           .client_tls = client_tls_.get(),
                           .workers = count});
  for (int i = 0; i < count; ++i) {
    workers_.push_back(std::make_unique<Worker>(i, *shared_));
    shared_->all.push_back(workers_.back().get());
    absl::Status listening = workers_.back()->Listen(http_, https_);
    if (!listening.ok()) return listening;
  }
  return absl::OkStatus();
}

void WorkerGroup::Publish(std::vector<GatewayChange> changes, std::function<void()> done) {
  auto shared = std::make_shared<const std::vector<GatewayChange>>(std::move(changes));
  auto left = std::make_shared<std::atomic<size_t>>(workers_.size());
  for (const auto& worker : workers_) {
    Worker* target = worker.get();
    worker->Post([target, shared, left, done] {
      target->Apply(*shared);
      if (left->fetch_sub(1, std::memory_order_acq_rel) == 1 && done) done();
    });
  }
}

void WorkerGroup::SetReady() {
  shared_->ready.store(true, std::memory_order_release);
}

bool WorkerGroup::IsReady() const {
  return shared_->ready.load(std::memory_order_acquire) && !shared_->draining.load(std::memory_order_acquire);
}

void WorkerGroup::Collect(std::function<void(Stats)> done) {
  struct Gathering {
    std::mutex mutex;
    Stats sum;
    size_t left;
    std::function<void(Stats)> done;
  };
  auto gathering = std::make_shared<Gathering>();
  gathering->left = workers_.size();
  gathering->done = std::move(done);
  for (const auto& worker : workers_) {
    Worker* target = worker.get();
    worker->Post([target, gathering] {
      const Stats stats = target->Snapshot();
      std::lock_guard lock(gathering->mutex);
      gathering->sum.Add(stats);
      if (--gathering->left == 0) gathering->done(std::move(gathering->sum));
    });
  }
}

void WorkerGroup::OnEveryWorker(const std::function<void(Worker&)>& work) {
  for (const auto& worker : workers_) {
    std::promise<void> done;
    Worker* target = worker.get();
    worker->Post([&work, &done, target] {
      work(*target);
      done.set_value();
    });
    done.get_future().wait();
  }
}

size_t WorkerGroup::SumOfWorkers(const std::function<size_t(Worker&)>& count) {
  size_t sum = 0;
  OnEveryWorker([&](Worker& worker) { sum += count(worker); });
  return sum;
}

bool WorkerGroup::WaitForNone(const std::function<size_t(Worker&)>& count, MonotonicTime until) {
  while (SumOfWorkers(count) > 0) {
    if (std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(kDrainPoll);
  }
  return true;
}

bool WorkerGroup::Drain(Duration lame_duck, Duration in_flight) {
  shared_->draining.store(true, std::memory_order_release);
  const auto lame_until = std::chrono::steady_clock::now() + lame_duck;
  std::this_thread::sleep_until(lame_until);
  OnEveryWorker([](Worker& worker) { worker.CloseListeners(); });
  const auto connections = [](Worker& worker) {
    worker.CloseIdleConnections();
    return worker.connections();
  };
  const bool whole = WaitForNone(connections, std::chrono::steady_clock::now() + in_flight);
  if (!whole) OnEveryWorker([](Worker& worker) { worker.CutExchanges(); });
  const auto logs = [](Worker& worker) { return worker.FlushLogs(); };
  if (!WaitForNone(logs, std::chrono::steady_clock::now() + kLogFlushTime)) {
    log::Warning("log entries of plugins were not delivered before the node stopped");
  }
  return whole;
}

}  // namespace sluice::proxy
