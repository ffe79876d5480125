// Builds every object of the control plane in the order of their dependencies, serves until SIGTERM, and takes
// everything down in reverse.

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/impl/service_type.h>
#include <grpcpp/server_builder.h>
#include <prometheus/exposer.h>

#include <csignal>
#include <exception>
#include <iostream>
#include <memory>

#include "common/base/random.h"
#include "common/base/version.h"
#include "common/config/config.h"
#include "common/config/plans.h"
#include "common/egress/policy.h"
#include "common/observe/log.h"
#include "common/rpc/reflection.h"
#include "common/rpc/request_counter.h"
#include "common/rpc/server.h"
#include "control-plane/access/access.h"
#include "control-plane/admin/services.h"
#include "control-plane/flags.h"
#include "control-plane/fleet/files.h"
#include "control-plane/fleet/join.h"
#include "control-plane/fleet/own_addresses.h"
#include "control-plane/fleet/server_files.h"
#include "control-plane/index/index.h"
#include "control-plane/lease/service.h"
#include "control-plane/metrics.h"
#include "control-plane/open_store.h"
#include "control-plane/placement/mover.h"
#include "control-plane/provisioning.h"
#include "control-plane/store/address.h"
#include "control-plane/store/replicas.h"
#include "control-plane/store/store.h"
#include "control-plane/sync/peers.h"
#include "control-plane/sync/service.h"
#include "grpc/health/v1/health.pb.h"
#include "sluice/admin/v1/admin.pb.h"
#include "sluice/admin/v1/cells.pb.h"
#include "sluice/admin/v1/nodes.pb.h"

namespace sluice {
namespace {

constexpr char kFirstToken[] = "admin";

int Fail(const absl::Status& status) {
  log::Error("cannot start", {{"reason", std::string(status.message())}});
  return 1;
}

bool IsLoopback(const std::string& address) {
  std::string host = address.substr(0, address.rfind(':'));
  if (host == "localhost") return true;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto parsed = egress::ParseAddress(host);  // "127.example.com" is a name, and may be anybody's
  return parsed.ok() && egress::Policy({}, {}).Check(*parsed, 443).rule == "loopback";
}

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> AdminCredentials(const Flags& flags) {
  const bool tls = !flags.admin_tls_cert.empty();
  if (!tls && !flags.insecure_admin && !IsLoopback(flags.admin)) {
    return absl::InvalidArgumentError("the admin address " + flags.admin + " is not loopback: give --admin-tls-cert" +
                                      " and --admin-tls-key, or --insecure-admin");
  }
  return rpc::ServerCredentials({flags.admin_tls_cert, flags.admin_tls_key, ""});
}

// Where no token exists: the one in the file, made first, so that a crash in between locks nobody out.
absl::Status EnsureFirstToken(store::Store& store, const std::string& state) {
  auto count = store.CountTokens();
  if (!count.ok()) return count.status();
  if (*count > 0) return absl::OkStatus();
  const std::string path = state + "/admin-token";
  absl::Status created = fleet::CreateFile(path, access::NewToken() + "\n", 0600);
  if (!created.ok() && !absl::IsAlreadyExists(created)) return created;
  auto text = fleet::ReadSmallFile(path);
  if (!text.ok()) return text.status();
  const std::string token = text->substr(0, text->find_last_not_of(" \r\n\t") + 1);
  absl::Status status = store.PutToken({RandomUuid(), kFirstToken, "admin"}, access::HashToken(token));
  if (absl::IsAlreadyExists(status)) return absl::OkStatus();  // another replica was faster
  if (status.ok()) log::Info("the first admin token was written", {{"path", path}});
  return status;
}

absl::Status EnsurePlans(store::Store& store) {
  absl::Status status;
  for (const config::v1::Plan& plan : config::BuiltInPlans()) {
    status = store.GetPlan(plan.name()).status();
    if (absl::IsNotFound(status)) status = store.PutPlan(plan, {"system", "SetPlan", "", "", "", "{}", "OK"});
    if (!status.ok()) break;
  }
  return status;
}

struct Fleet {
  sync::v1::Fleet message;   // as nodes are told
  config::FleetRules rules;  // as validation takes it
};

absl::StatusOr<Fleet> FleetOf(const Flags& flags, const std::string& database) {
  Fleet fleet;
  std::vector<std::string> protect = flags.protect;
  std::vector<std::string> own = store::ServerAddresses(database);
  own.insert(own.end(), {flags.admin, flags.sync, flags.ops});
  for (const std::string& address : NodeOpsAddresses(flags.provision)) own.push_back(address);
  for (const std::string& address : own) {
    for (const std::string& range : fleet::OwnRanges(address)) protect.push_back(range);
  }
  for (const std::string& text : flags.egress_allow) {
    auto range = egress::ParseRange(text);
    if (!range.ok()) return range.status();
    fleet.rules.egress_allow.push_back(*range);
    fleet.message.add_egress_allow(text);
  }
  for (const std::string& text : protect) {
    auto range = egress::ParseRange(text);
    if (!range.ok()) return range.status();
    fleet.rules.protect.push_back(*range);
    fleet.message.add_protect(text);
  }
  return fleet;
}

// Keeps what is in memory as the store has it, whenever the bell rings, and says when the database comes and goes.
class Refresher {
 public:
  static constexpr Duration kFleetInterval = std::chrono::milliseconds(500);  // who belongs to it changes seldom

  // `settle` makes everything else follow the trust.
  Refresher(index::Index& index, fleet::Trust& trust, const Clock& clock, std::function<void()> settle)
      : index_(index), trust_(trust), clock_(clock), settle_(std::move(settle)) {}

  void Ring() {
    absl::Status status = index_.Refresh();
    if (const MonotonicTime now = clock_.Now(); now >= fleet_at_) {
      fleet_at_ = now + kFleetInterval;
      if (status.ok()) status = trust_.Refresh();
      settle_();
    }
    up_ = status.ok();
    if (std::exchange(last_, status.code()) == status.code()) return;
    if (status.ok()) {
      log::Info("the database answers again");
    } else if (absl::IsDataLoss(status)) {
      log::Error("the database cannot be followed; serving on from memory, until this process is started again",
                 {{"reason", std::string(status.message())}});
    } else {
      log::Error("the database is lost; serving on from memory", {{"reason", std::string(status.message())}});
    }
  }
  const std::atomic<bool>& up() const { return up_; }

 private:
  index::Index& index_;
  fleet::Trust& trust_;
  const Clock& clock_;
  const std::function<void()> settle_;
  MonotonicTime fleet_at_{};
  std::atomic<bool> up_{true};
  absl::StatusCode last_ = absl::StatusCode::kOk;  // the doorbell's thread's
};

// Throws where it cannot listen: the library's way.
absl::StatusOr<std::unique_ptr<prometheus::Exposer>> StartOps(const std::string& address,
                                                              const std::shared_ptr<prometheus::Collectable>& metrics) {
  try {
    auto exposer = std::make_unique<prometheus::Exposer>(address);
    exposer->RegisterCollectable(metrics);
    return exposer;
  } catch (const std::exception& error) {
    return absl::UnavailableError("cannot listen on " + address + ": " + error.what());
  }
}

// Writes an edge certificate, beside a control plane that runs.
int Issue(const Flags& flags, const Clock& clock, const sigset_t& ends) {
  auto database = DatabaseOf(flags);
  if (!database.ok()) return Fail(database.status());
  auto store = OpenStore(StoreOptions(flags, *database), clock, ends);
  if (!store.ok()) return Fail(store.status());
  fleet::Trust trust((*store)->identities(), clock);
  absl::Status status = trust.Open(fleet::PkiFolder(flags.state));
  if (status.ok()) status = fleet::IssueEdge(trust, flags.issue_names, flags.issue_folder);
  return status.ok() ? 0 : Fail(status);
}

// What must be there before anything is served: in the store, in memory, on the disk.
absl::Status Fill(store::Store& store, const std::string& state, fleet::Trust& trust, fleet::ServerFiles& files,
                  index::Index& index) {
  absl::Status status = EnsurePlans(store);
  if (status.ok()) status = EnsureFirstToken(store, state);
  if (status.ok()) status = trust.Open(fleet::PkiFolder(state));
  if (status.ok()) status = files.Update(trust);
  return status.ok() ? index.Refresh() : status;
}

// What the admin port answers, as its descriptions name it.
std::vector<std::string> ServiceNames() {
  std::vector<std::string> names;
  for (const auto* file : {grpc::health::v1::HealthCheckRequest::descriptor()->file(),
                           admin::v1::Gateway::descriptor()->file(), admin::v1::Cell::descriptor()->file(),
                           admin::v1::Node::descriptor()->file()}) {
    for (int i = 0; i < file->service_count(); ++i) names.push_back(file->service(i)->full_name());
  }
  return names;
}

// Where nodes find this replica; "" where nobody said so and the address to listen on says it neither.
std::string AdvertisedAddress(const Flags& flags) {
  if (!flags.advertise.empty()) return flags.advertise;
  const bool any = flags.sync.starts_with("0.0.0.0:") || flags.sync.starts_with("[::]:");
  return any ? "" : flags.sync;
}

// What nodes speak to.
absl::StatusOr<std::unique_ptr<rpc::Server>> StartSync(const std::string& address, const fleet::ServerFiles& files,
                                                       const std::vector<grpc::Service*>& services) {
  auto credentials = rpc::NodePortCredentials({files.certificate(), files.key(), files.authorities()});
  if (!credentials.ok()) return credentials.status();
  return rpc::Server::Start(address, *credentials, [&](grpc::ServerBuilder& builder) {
    for (grpc::Service* service : services) builder.RegisterService(service);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, sync::kConnectionAgeMs);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, sync::kConnectionGraceMs);
  });
}

absl::StatusOr<std::unique_ptr<rpc::Server>> StartAdmin(
    const Flags& flags, const std::shared_ptr<grpc::ServerCredentials>& credentials,
    const std::vector<std::unique_ptr<grpc::Service>>& services, grpc::Service& reflection,
    rpc::RequestCounter& requests) {
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();  // for the servers that are built from here on
  return rpc::Server::Start(flags.admin, credentials, [&](grpc::ServerBuilder& builder) {
    for (const auto& service : services) builder.RegisterService(service.get());
    builder.RegisterService(&reflection);
    requests.AddTo(builder);
  });
}

// Everything that follows from whom this replica trusts, and from the cells that there are.
void Settle(const fleet::Trust& trust, fleet::ServerFiles& files, sync::Service& updates, lease::Service& leases,
            placement::Directory& directory, lease::Cells& cells) {
  const absl::Status written = files.Update(trust);
  if (!written.ok()) {
    log::Error("cannot write the certificate of the port of nodes", {{"reason", std::string(written.message())}});
  }
  updates.Recheck();
  leases.Recheck();
  directory.Refresh().IgnoreError();  // what was known stays, and is asked for again
  std::vector<std::string> names;
  for (const placement::Cell& cell : directory.Cells()) names.push_back(cell.row.name);
  cells.Have(names);
}

void AwaitEnd(const sigset_t& ends) {
  int signal = 0;
  sigwait(&ends, &signal);
  log::Info("stopping", {{"signal", std::to_string(signal)}});
}

// What the flags come to, before anything is opened.
struct Settings {
  std::shared_ptr<grpc::ServerCredentials> admin_credentials;
  std::string database;
  Fleet fleet;
};

absl::StatusOr<Settings> SettingsOf(const Flags& flags) {
  absl::Status status = fleet::MakeFolder(flags.state);
  if (!status.ok()) return status;
  auto credentials = AdminCredentials(flags);
  if (!credentials.ok()) return credentials.status();
  auto database = DatabaseOf(flags);
  if (!database.ok()) return database.status();
  auto fleet = FleetOf(flags, *database);
  if (!fleet.ok()) return fleet.status();
  return Settings{*credentials, *database, *fleet};
}

int Serve(const Flags& flags, const Clock& clock, const sigset_t& ends) {
  const auto settings = SettingsOf(flags);
  if (!settings.ok()) return Fail(settings.status());
  store::Options options = StoreOptions(flags, settings->database);
  options.rules = config::RulesId(kVersion, settings->fleet.rules);
  auto store = OpenStore(options, clock, ends);
  if (!store.ok()) return Fail(store.status());
  index::Index index(**store);
  fleet::Trust trust((*store)->identities(), clock);
  fleet::ServerFiles files(flags.state, flags.sync, flags.sync_names, clock);
  const absl::Status status = Fill(**store, flags.state, trust, files, index);
  if (!status.ok()) return Fail(status);
  const auto epoch = (*store)->Epoch();
  if (!epoch.ok()) return Fail(epoch.status());

  sync::Registry registry([&index](const auto& id, const store::Scope& scope) { return index.Serves(id, scope); });
  sync::Recorder recorder(**store);
  sync::UsageKeeper usage(**store);
  rpc::RequestCounter requests;
  access::Access access(**store, clock);
  auto sync_service = sync::Service::Make(
      {index, registry, recorder, usage, clock, trust, {*epoch, settings->fleet.message, options.rules}});
  const store::CellOwner self{RandomUuid(), AdvertisedAddress(flags)};
  sync::Peers peers(store::Replicas::Make(options), {self.replica, self.address}, index, registry);
  placement::Directory cells((*store)->placements(), index, registry);
  lease::Cells leases({self, [&options] { return store::Cells::Make(options); }, clock,
                       [&index](const auto& id, const auto& cell) { return index.RequestLimit(id, cell); }});
  auto lease_service = lease::Service::Make(leases, trust);
  placement::Mover mover({cells, index, registry, clock, flags.move_overlap});
  const auto join_service = fleet::MakeJoinService({(*store)->identities(), trust, clock, flags.node_life});
  const auto settle = [&] { Settle(trust, files, *sync_service, *lease_service, cells, leases); };
  settle();
  trust.OnChange(settle);
  const int64_t limits = index.Watch([&leases] { leases.LimitsChanged(); });
  const auto admin_services =
      admin::MakeAdminServices({**store, index, registry, access, clock, trust, cells, settings->fleet.rules,
                                 flags.base_domain});

  grpc::EnableDefaultHealthCheckService(true);
  auto sync_server = StartSync(flags.sync, files, {&sync_service->grpc(), &lease_service->grpc(), join_service.get()});
  if (!sync_server.ok()) return Fail(sync_server.status());
  const auto reflection = rpc::MakeReflectionService(ServiceNames());
  auto admin_server = StartAdmin(flags, settings->admin_credentials, admin_services, *reflection, requests);
  if (!admin_server.ok()) return Fail(admin_server.status());
  auto provisioning = Provisioning::Start(
      flags.provision, {**store, trust, registry, leases, clock, flags.state, self.address});
  if (!provisioning.ok()) return Fail(provisioning.status());
  Refresher refresher(index, trust, clock, settle);
  const MetricSources sources{index,          registry,      sync_service->totals(), requests,
                              **admin_server, **sync_server, refresher.up(), cells,
                              leases,         Provisioning::TotalsOf(*provisioning)};
  auto metrics = std::make_shared<Metrics>(sources);
  auto ops = StartOps(flags.ops, metrics);
  if (!ops.ok()) return Fail(ops.status());
  auto doorbell = store::Doorbell::Start(options, [&] { refresher.Ring(); });
  mover.Start();
  log::Info("ready", {{"version", kVersion}, {"admin", flags.admin}, {"sync", flags.sync}, {"ops", flags.ops}});

  AwaitEnd(ends);
  doorbell.reset();
  ops->reset();
  provisioning->reset();  // nodes serve on
  admin_server->reset();  // first: who waits for a node is not told that it is live because the node's stream ended
  index.Unwatch(limits);
  leases.Shutdown();
  sync_service->Shutdown();
  sync_server->reset();
  log::Info("stopped");
  return 0;
}

}  // namespace
}  // namespace sluice

int main(int argc, char** argv) {
  sluice::Flags flags;
  int exit_code = 0;
  if (!sluice::ParseFlags(argc, argv, flags, exit_code)) return exit_code;
  const sluice::SystemClock clock;
  // Before any thread is, so that every thread inherits it and the signals wait for sigwait.
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return flags.issue ? sluice::Issue(flags, clock, ends) : sluice::Serve(flags, clock, ends);
}
