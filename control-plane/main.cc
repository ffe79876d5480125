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
#include "common/egress/policy.h"
#include "common/observe/log.h"
#include "common/rpc/reflection.h"
#include "common/rpc/request_counter.h"
#include "common/rpc/server.h"
#include "control-plane/access/access.h"
#include "control-plane/admin/services.h"
#include "control-plane/flags.h"
#include "control-plane/fleet/files.h"
#include "control-plane/fleet/issue.h"
#include "control-plane/fleet/own_addresses.h"
#include "control-plane/index/index.h"
#include "control-plane/lease/service.h"
#include "control-plane/metrics.h"
#include "control-plane/store/address.h"
#include "control-plane/store/replicas.h"
#include "control-plane/store/store.h"
#include "control-plane/sync/peers.h"
#include "control-plane/sync/service.h"
#include "grpc/health/v1/health.pb.h"
#include "sluice/admin/v1/admin.pb.h"

namespace sluice {
namespace {

constexpr auto kDatabasePatience = std::chrono::seconds(60);
constexpr auto kDatabaseAttempt = std::chrono::seconds(5);  // then a signal is looked for
constexpr char kFirstToken[] = "admin";
constexpr char kCell[] = "default";

int Fail(const absl::Status& status) {
  log::Error("cannot start", {{"reason", std::string(status.message())}});
  return 1;
}

int Issue(const Flags& flags, const Clock& clock) {
  auto authority = fleet::Authority::OpenOrCreate(fleet::PkiFolder(flags.state), clock);
  absl::Status status = authority.status();
  if (status.ok()) {
    const auto kind = flags.issue_kind == "node" ? fleet::CertificateKind::kNode : fleet::CertificateKind::kEdge;
    status = fleet::IssueInto(**authority, kind, flags.issue_names, flags.issue_folder);
  }
  if (status.ok()) return 0;
  std::cerr << "sluice-control-plane: " << status.message() << "\n";
  return 1;
}

absl::StatusOr<std::string> DatabaseOf(const Flags& flags) {
  if (flags.database_file.empty()) return flags.database;
  auto content = fleet::ReadSmallFile(flags.database_file);
  if (!content.ok()) return content;
  const size_t end = content->find_last_not_of(" \r\n\t");
  return content->substr(0, end == std::string::npos ? 0 : end + 1);
}

// The keys that seal what the database keeps: of the environment, else of the file, which is made with a new database.
absl::StatusOr<store::KeyRing> SecretKeys(const Flags& flags, bool fresh) {
  std::string from = "SLUICE_SECRET_KEY", text = flags.secret_key;
  if (text.empty()) {
    const std::string path = flags.secret_key_file.empty() ? flags.state + "/secret-key" : flags.secret_key_file;
    auto content = fleet::ReadSmallFile(path);
    if (absl::IsNotFound(content.status()) && fresh) {
      absl::Status created = fleet::CreateFile(path, store::KeyRing::NewKey(), 0600);
      if (!created.ok() && !absl::IsAlreadyExists(created)) return created;
      if (created.ok())
        log::Info("the secret key was made; keep a copy of it apart from the database", {{"path", path}});
      content = fleet::ReadSmallFile(path);
    }
    if (absl::IsNotFound(content.status())) {
      return absl::FailedPreconditionError("there is no secret key file " + path +
                                           ", but the database is sealed with " +
                                           "one: put it back, or give --secret-key-file");
    }
    if (!content.ok()) return content.status();
    from = "secret key file " + path;
    text = *std::move(content);
  }
  auto keys = store::KeyRing::Parse(text);
  if (keys.ok()) return keys;
  return absl::InvalidArgumentError(from + ": " + std::string(keys.status().message()));
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
  return rpc::ServerCredentials({flags.admin_tls_cert, flags.admin_tls_key, ""}, false);
}

// A new certificate at every start: its names are the flags of this one.
absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> SyncCredentials(const Flags& flags, const Clock& clock) {
  const std::string pki = fleet::PkiFolder(flags.state);
  auto authority = fleet::Authority::OpenOrCreate(pki, clock);
  if (!authority.ok()) return authority.status();
  absl::Status status = fleet::ReplaceFile(flags.state + "/ca.pem", (*authority)->certificate(), 0644);
  const std::string own = pki + "/sync";
  if (status.ok()) status = fleet::IssueInto(**authority, fleet::CertificateKind::kServer, flags.sync_names, own);
  if (!status.ok()) return status;
  return rpc::ServerCredentials({own + "/cert.pem", own + "/key.pem", own + "/ca.pem"}, true);
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

absl::Status EnsureServerlessPlan(store::Store& store) {
  const config::v1::Plan plan = config::ServerlessPlan();
  auto known = store.GetPlan(plan.name());
  if (!absl::IsNotFound(known.status())) return known.status();
  return store.PutPlan(plan, {"system", "SetPlan", "", "", "", "{}", "OK"});
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

// Refreshes the index when the bell rings, and says when the database comes and goes.
class Refresher {
 public:
  explicit Refresher(index::Index& index) : index_(index) {}
  void Ring() {
    const absl::Status status = index_.Refresh();
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

absl::StatusOr<std::unique_ptr<store::Store>> OpenStore(const store::Options& options, const Clock& clock,
                                                        const sigset_t& ends) {
  const MonotonicTime deadline = clock.Now() + kDatabasePatience;
  auto store = store::Store::Open(options, kDatabaseAttempt);
  while (absl::IsUnavailable(store.status()) && clock.Now() < deadline) {
    const timespec now{};
    if (sigtimedwait(&ends, nullptr, &now) > 0) return absl::CancelledError("stopped while waiting for the database");
    store = store::Store::Open(options, kDatabaseAttempt);
  }
  return store;
}

absl::Status FillStore(store::Store& store, const std::string& state) {
  absl::Status status = EnsureServerlessPlan(store);
  return status.ok() ? EnsureFirstToken(store, state) : status;
}

// What the admin port answers, as its descriptions name it.
std::vector<std::string> ServiceNames() {
  std::vector<std::string> names;
  for (const auto* file :
       {grpc::health::v1::HealthCheckRequest::descriptor()->file(), admin::v1::Gateway::descriptor()->file()}) {
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
absl::StatusOr<std::unique_ptr<rpc::Server>> StartSync(const std::string& address,
                                                       const std::shared_ptr<grpc::ServerCredentials>& credentials,
                                                       sync::Service& updates, lease::Service& leases) {
  return rpc::Server::Start(address, credentials, [&](grpc::ServerBuilder& builder) {
    builder.RegisterService(&updates.grpc());
    builder.RegisterService(&leases.grpc());
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, sync::kConnectionAgeMs);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, sync::kConnectionGraceMs);
  });
}

int Serve(const Flags& flags, const Clock& clock, const sigset_t& ends) {
  absl::Status status = fleet::MakeFolder(flags.state);
  if (!status.ok()) return Fail(status);
  auto admin_credentials = AdminCredentials(flags);
  if (!admin_credentials.ok()) return Fail(admin_credentials.status());
  auto sync_credentials = SyncCredentials(flags, clock);
  if (!sync_credentials.ok()) return Fail(sync_credentials.status());
  auto database = DatabaseOf(flags);
  if (!database.ok()) return Fail(database.status());
  auto fleet = FleetOf(flags, *database);
  if (!fleet.ok()) return Fail(fleet.status());

  store::Options options{*database};
  options.keys = [&flags](bool fresh) { return SecretKeys(flags, fresh); };
  auto store = OpenStore(options, clock, ends);
  status = store.ok() ? FillStore(**store, flags.state) : store.status();
  if (!status.ok()) return Fail(status);
  auto epoch = (*store)->Epoch();
  if (!epoch.ok()) return Fail(epoch.status());
  index::Index index(**store);
  if (status = index.Refresh(); !status.ok()) return Fail(status);

  sync::Registry registry;
  sync::Recorder recorder(**store);
  rpc::RequestCounter requests;
  access::Access access(**store, clock);
  auto sync_service = sync::Service::Make({index, registry, recorder, clock, {*epoch, fleet->message}});
  const store::CellOwner self{RandomUuid(), AdvertisedAddress(flags)};
  sync::Peers peers(store::Replicas::Make(options), {self.replica, self.address}, index, registry);
  lease::Cell cell(kCell, self, store::Cells::Make(options), clock,
                   [&index](const std::string& gateway) { return index.RequestLimit(gateway); });
  auto lease_service = lease::Service::Make(cell);
  const int64_t limits = index.Watch([&cell] { cell.LimitsChanged(); });
  const auto admin_services =
      admin::MakeAdminServices({**store, index, registry, access, clock, fleet->rules, flags.base_domain});

  grpc::EnableDefaultHealthCheckService(true);
  auto sync_server = StartSync(flags.sync, *sync_credentials, *sync_service, *lease_service);
  if (!sync_server.ok()) return Fail(sync_server.status());
  const auto reflection = rpc::MakeReflectionService(ServiceNames());
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();  // for the servers that are built from here on
  auto admin_server = rpc::Server::Start(flags.admin, *admin_credentials, [&](grpc::ServerBuilder& builder) {
    for (const auto& service : admin_services) builder.RegisterService(service.get());
    builder.RegisterService(reflection.get());
    requests.AddTo(builder);
  });
  if (!admin_server.ok()) return Fail(admin_server.status());

  Refresher refresher(index);
  const MetricSources sources{index,          registry,      sync_service->totals(), requests,
                              **admin_server, **sync_server, refresher.up()};
  auto metrics = std::make_shared<Metrics>(sources);
  auto ops = StartOps(flags.ops, metrics);
  if (!ops.ok()) return Fail(ops.status());
  auto doorbell = store::Doorbell::Start(options, [&] { refresher.Ring(); });
  log::Info("ready", {{"version", kVersion}, {"admin", flags.admin}, {"sync", flags.sync}, {"ops", flags.ops}});

  int signal = 0;
  sigwait(&ends, &signal);
  log::Info("stopping", {{"signal", std::to_string(signal)}});
  doorbell.reset();
  ops->reset();
  admin_server->reset();  // first: who waits for a node is not told that it is live because the node's stream ended
  index.Unwatch(limits);
  cell.Shutdown();
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
  if (flags.issue) return sluice::Issue(flags, clock);
  // Before any thread is, so that every thread inherits it and the signals wait for sigwait.
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return sluice::Serve(flags, clock, ends);
}
