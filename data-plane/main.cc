// A node: builds every part in the order of dependence, serves until it is told to stop, and drains.

#include <malloc.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/random.h"
#include "common/base/version.h"
#include "common/observe/log.h"
#include "data-plane/flags.h"
#include "data-plane/limit/shares.h"
#include "data-plane/ops/server.h"
#include "data-plane/plugin/plugin.h"
#include "data-plane/proxy/worker_group.h"
#include "data-plane/sync/applier.h"
#include "data-plane/sync/bases_file.h"
#include "data-plane/sync/client.h"
#include "data-plane/sync/crash_guard.h"
#include "data-plane/sync/last_good.h"
#include "data-plane/sync/lease_client.h"
#include "data-plane/sync/membership.h"
#include "data-plane/sync/state_key.h"
#include "data-plane/sync/usage_clock.h"
#include "data-plane/sync/waker.h"

namespace sluice {
namespace {

constexpr Duration kLameDuck = std::chrono::seconds(2);   // after readiness has gone, connections are still accepted
constexpr Duration kGoodbye = std::chrono::milliseconds(500);
constexpr Duration kInFlight = std::chrono::seconds(30);  // for what has begun to end

int Fail(const absl::Status& status) {
  log::Error("cannot start", {{"error", std::string(status.message())}});
  return 1;
}

// Secrets must not end in a core file, and half the hard limit of descriptors goes to connections.
void SettleProcess() {
  prctl(PR_SET_DUMPABLE, 0);
  rlimit descriptors;
  if (getrlimit(RLIMIT_NOFILE, &descriptors) == 0) {
    descriptors.rlim_cur = descriptors.rlim_max;
    setrlimit(RLIMIT_NOFILE, &descriptors);
  }
}

// Those that end the process: every thread is born with them blocked, and the main thread waits for them.
sigset_t SettleSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error like a full disk
  return signals;
}

// What the disk had, so that a node that starts without a control plane serves what it served.
void LoadLastGood(const std::string& folder, const sync::StateKey& key, sync::Applier& applier) {
  absl::StatusOr<sync::v1::Snapshot> snapshot = sync::ReadSnapshot(folder, key);
  if (!snapshot.ok()) {
    log::Info("no configuration on disk; not ready until the control plane has sent one",
              {{"cause", std::string(snapshot.status().message())}});
    return;
  }
  const int64_t revision = snapshot->revision();
  const int gateways = snapshot->gateways_size();
  applier.Load(*std::move(snapshot));
  malloc_trim(0);  // what reading it took, which is more than serving it does
  log::Info("serving the last good configuration from disk",
            {{"revision", absl::StrCat(revision)}, {"gateways", absl::StrCat(gateways)}});
}

// Until the node has joined, on the shares that its disk had. False: it was told to stop before.
bool AwaitJoined(const sync::Membership& membership, limit::Shares& shares, const sigset_t& signals) {
  const timespec turn{0, 100'000'000};
  while (!membership.joined()) {
    shares.Tick();
    if (sigtimedwait(&signals, nullptr, &turn) > 0) return false;
  }
  return true;
}

bool KeepBases(const std::string& folder, const quota::Bases& bases) {
  const absl::Status kept = sync::WriteBases(folder, bases);
  if (!kept.ok()) {
    log::Error("cannot keep which parts of limits are its own", {{"error", std::string(kept.message())}});
  }
  return kept.ok();
}

// What the node has, every request may wait for.
void SetWakes(sync::Wakes& wakes, proxy::Options& options) {
  options.loader = &wakes;
  options.are_heads_served = true;
  options.max_load_waits = proxy::kMaxWakeWaits;
  options.times.gateway_load = options.times.gateway_wake;
}

sync::UsageClock::Collect CollectUsage(proxy::WorkerGroup& workers) {
  return [&workers](std::function<void(sync::UsageTotals)> done) {
    workers.Collect([done = std::move(done)](const proxy::Stats& stats) {
      sync::UsageTotals totals;
      for (const auto& [id, counts] : stats.gateways) {
        sync::v1::GatewayUsage& usage = totals[id];
        usage.set_requests(counts.requests());
        usage.set_refused(counts.refused);
        usage.set_limited(counts.limited);
        usage.set_too_large(counts.too_large);
        usage.set_failed(counts.requests_by_class[5] + counts.requests_by_class[0]);
        usage.set_request_bytes(counts.request_bytes);
        usage.set_response_bytes(counts.response_bytes);
      }
      done(std::move(totals));
    });
  };
}

int Main(int argc, char** argv) {
  Flags flags;
  int exit_code = 0;
  if (!ParseFlags(argc, argv, flags, exit_code)) return exit_code;
  SettleProcess();
  const sigset_t signals = SettleSignals();
  const SystemClock clock;
  sync::Status status;
  const auto key = sync::StateKey::Open(flags.state, flags.state_key_file, flags.state_key);
  if (!key.ok()) return Fail(key.status());
  std::optional<sync::Fetches> fetches;
  sync::Wakes wakes;
  if (flags.working_set > 0) {
    flags.proxy.loader = &fetches.emplace(clock, status);
  } else {
    SetWakes(wakes, flags.proxy);
  }
  auto workers = proxy::WorkerGroup::Start(flags.proxy);
  if (!workers.ok()) return Fail(workers.status());
  limit::Shares shares(clock, sync::ReadBases(flags.state),
                       [&flags](const quota::Bases& bases) { return KeepBases(flags.state, bases); });
  auto ops = ops::Server::Start(flags.ops, {**workers, status, clock, flags.proxy.node, std::string(kVersion),
                                            [&] { return status.of_gateway || shares.Started(); }});
  if (!ops.ok()) return Fail(ops.status());
  sync::LastGood last_good(flags.state, *key, status);
  sync::CrashGuard guard(flags.state, std::string(kVersion));
  const auto save = [&last_good](std::function<std::string()> make) { last_good.Save(std::move(make)); };
  sync::Applier applier({**workers, BuiltinPlugins(), status, clock, save, &shares, &guard,
                         flags.working_set, fetches ? &*fetches : nullptr, fetches ? nullptr : &wakes,
                         flags.rest, std::string(kVersion)});
  std::optional<sync::Waker> waker;
  if (!fetches) waker.emplace(applier, wakes, flags.rest);
  LoadLastGood(flags.state, *key, applier);
  auto membership = sync::Membership::Start(
      {flags.control_planes, flags.proxy.node, flags.state + "/identity", flags.join_token_file}, clock, status);
  if (!membership.ok()) return Fail(membership.status());
  if (!AwaitJoined(**membership, shares, signals)) {
    (*workers)->Drain(kLameDuck, kInFlight);
    return 0;
  }
  const sync::ClientOptions options{flags.control_planes,     (*membership)->files(),
                                    flags.proxy.node,        std::string(kVersion),
                                    flags.ops_address,       [&membership](const auto& authorities) {
                                      (*membership)->Trust(authorities);
                                    }};
  absl::StatusOr<std::unique_ptr<sync::LeaseClient>> leases = nullptr;
  if (!status.of_gateway) leases = sync::LeaseClient::Start(options, shares);
  if (!leases.ok()) return Fail(leases.status());
  sync::UsageLog usage(RandomUuid());
  auto client = sync::Client::Start(options, applier, status, &usage, fetches ? &*fetches : nullptr);
  if (!client.ok()) return Fail(client.status());
  std::optional<sync::UsageClock> usage_clock(std::in_place, CollectUsage(**workers), usage, **client, clock);
  log::Info("node started", {{"node", flags.proxy.node},
                             {"http", absl::StrCat((*workers)->http_port())},
                             {"https", absl::StrCat((*workers)->https_port())},
                             {"ops", absl::StrCat((*ops)->port())},
                             {"workers", absl::StrCat((*workers)->workers())}});
  int received = 0;
  sigwait(&signals, &received);
  log::Info("draining", {{"signal", strsignal(received)}});
  // Changes are taken to the end: clients still come during the lame-duck time, and find what `wait` says is live.
  const bool whole = (*workers)->Drain(kLameDuck, kInFlight);
  log::Info(whole ? "drained" : "drained; some exchanges were cut at the deadline");
  usage_clock.reset();
  client->reset();
  if (*leases != nullptr) (*leases)->Leave(kGoodbye);
  leases->reset();
  ops->reset();
  return 0;
}

}  // namespace
}  // namespace sluice

int main(int argc, char** argv) {
  return sluice::Main(argc, argv);
}
