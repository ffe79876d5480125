#pragma once

// Everything the control plane keeps in PostgreSQL, as the operations it needs. Prepared statements only; a pool of at
// most kMaxConnections connections that heals itself when the server restarts. Callable from every thread; calls block.
// UNAVAILABLE: the database cannot be reached (nothing was changed, or it is not known: see Commit). Sensitive values
// never appear in errors.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "control-plane/store/identities.h"
#include "control-plane/store/placement.h"
#include "control-plane/store/seal.h"
#include "sluice/config/v1/gateway.pb.h"

namespace sluice::store {

inline constexpr int kMaxConnections = 8;  // NOTIFY and the clock row convoy beyond that
inline constexpr int kMaxImport = 256;  // gateways in one transaction
// Of a gateway; older ones are dropped as new ones come.
inline constexpr int kMaxVersionsKept = 100;
inline constexpr int64_t kMaxVersionBytesKept = 64 << 20;  // as stored
inline constexpr int kMinVersionsKept = 3;                 // however many bytes they have
inline constexpr int kMaxRequestsKept = 1000;
inline constexpr Duration kRequestsKeptFor = std::chrono::hours(24);

struct GatewayRecord {
  std::string id;
  std::string name;
  config::v1::GatewayKind kind = config::v1::GATEWAY_KIND_UNSPECIFIED;
  std::string plan;
  std::vector<std::string> hosts;
  int64_t version = 0;
  int64_t revision = 0;
  WallTime created;
  WallTime updated;
  Placement placement = {};  // of a serverless one
};

// Of one version, since the one before.
struct ChangeCounts {
  uint32_t created = 0;
  uint32_t updated = 0;
  uint32_t deleted = 0;
};

struct VersionRecord {
  int64_t version = 0;
  int64_t revision = 0;
  std::string author;
  std::string message;
  WallTime created;
  std::string config;  // serialised GatewayConfig; empty in listings
  uint32_t config_bytes = 0;  // as stored, sealed
  std::optional<ChangeCounts> changes = {};  // nullopt: it was made before they were counted
};

// Who does what: kept with every mutation, success or refusal.
struct AuditRecord {
  std::string actor;     // token name
  std::string action;    // "CreateGateway"
  std::string gateway;   // id, or the name as asked for; "" where none
  std::string request_id;
  std::string peer;
  std::string detail;    // JSON, secrets redacted
  std::string outcome;   // "OK", a canonical code, or "REPEATED": an earlier call made it
};

// What is kept of a write so that asking for it again does not make it again.
struct KeptRequest {
  std::string caller;       // token name
  std::string request_id;   // "": nothing is kept
  std::string fingerprint;  // of everything that was asked for
  std::string gateway_id;   // and what was done
  std::string entity_id;
  int64_t version = 0;
  int64_t revision = 0;  // 0: there was nothing to change
};

// An entity as the uniqueness and reference rules of the database see it. What it says is in the gateway's versions
// alone (2026-11-23: a copy of it in a row of its own was half of what a commit cost, and nobody read it).
struct EntityRow {
  std::string kind;
  std::string id;    // once a gateway, whatever the kind
  std::string name;  // "": none; services, routes, consumers and upstreams have it once a gateway
  std::vector<std::string> references;  // ids of entities of the same gateway
};

// One change of one gateway, whole.
struct Write {
  config::v1::GatewayConfig config;  // complete and valid; `version` is set by Commit
  int64_t expected_version = 0;      // the version it was made from; 0: the gateway is new
  std::string cell = kDefaultCell;   // of a new one
  std::vector<EntityRow> entities;   // all of them
  std::string author;
  std::string message;
  AuditRecord audit;
  ChangeCounts changes;
  KeptRequest request;  // version and revision are set by Commit
};

struct Removal {
  std::string gateway_id;
  AuditRecord audit;
  int64_t expected_version = 0;  // 0: whatever it is
  KeptRequest request;
};

struct Committed {
  int64_t version = 0;
  int64_t revision = 0;
  bool repeated = false;  // nothing was done: FindRequest tells what this request did when it was made
};

inline constexpr Duration kTombstoneAge = std::chrono::hours(7 * 24);  // then nodes that were away are sent everything
inline constexpr int64_t kMaxTombstones = 100'000;

// A row of what nodes are sent: the latest configuration of a gateway, or its tombstone.
struct ConfigRow {
  int64_t revision = 0;
  std::string gateway_id;
  bool removed = false;
  config::v1::GatewayKind kind = config::v1::GATEWAY_KIND_UNSPECIFIED;
  std::string config;
  bool unreadable = false;  // it does not open with the keys that are here: `config` is empty
  int64_t horizon = 0;      // when the row was read
  Placement placement = {};  // of a serverless one
  bool good = false;         // it was found so under Options::rules before it was committed
};

struct TokenRecord {
  std::string id;
  std::string name;
  std::string role;  // "admin", "operator", "viewer"
};

struct NodeRecord {
  std::string name;
  std::string build;
  std::string address;
  WallTime last_seen;
  bool arrived = true;  // false: it was there already, so one that is not in the list has been removed and stays so
};

struct UsageCounts {
  int64_t requests = 0;
  int64_t refused = 0;    // by a node, for any reason
  int64_t limited = 0;    // of these: beyond the request limit
  int64_t too_large = 0;  // of these: the body
  int64_t failed = 0;
  int64_t request_bytes = 0;
  int64_t response_bytes = 0;
};

// What a node had to do in one minute. `process` and `number` tell reports of a node apart; numbers ascend.
struct UsageReport {
  std::string node;
  std::string process;
  int64_t number = 0;
  int64_t minute = 0;  // Unix seconds
  std::vector<std::pair<std::string, UsageCounts>> gateways;  // by id, each once
};

struct UsageRow {
  WallTime at;
  UsageCounts counts;
};

enum class UsageStep { kMinute, kHour, kDay };  // of UTC

// The keys that seal what is kept (seal.h). `fresh`: nothing is sealed in this database yet, so a new key may be made.
using KeySource = std::function<absl::StatusOr<KeyRing>(bool fresh)>;

struct Options {
  std::string database;  // libpq connection string or URL
  int connections = kMaxConnections;
  Duration statement_timeout = std::chrono::seconds(10);
  KeySource keys;  // asked by Store::Open
  std::string rules{};  // config::RulesId of what is committed here
};

class Store {
 public:
  // Connects (retrying for up to `patience`), applies pending migrations under an advisory lock, and asks for the keys.
  // FAILED_PRECONDITION: they are not those that sealed what the database holds.
  static absl::StatusOr<std::unique_ptr<Store>> Open(const Options& options, Duration patience);
  virtual ~Store() = default;

  // Identity of the revision line: made with the database, changed by a restore.
  virtual absl::StatusOr<std::string> Epoch() = 0;

  // Entities, the new version, its audit record and, last, the clock row, in one transaction; then the doorbell.
  // ALREADY_EXISTS: the gateway's name or a host is taken. ABORTED: the gateway is not at expected_version any more.
  // NOT_FOUND: it is gone. UNAVAILABLE: unknown whether it was committed; reading tells.
  virtual absl::StatusOr<Committed> Commit(const Write& write) = 0;
  // Many gateways, at most kMaxImport, all of them new and at version 1: all are made, or none is. Author, message and
  // audit record are the first one's. ALREADY_EXISTS: a name or a host is taken, by whichever of them. `committed` is
  // given what ConfigsAfter would read of them, before the doorbell rings.
  using Rows = std::vector<ConfigRow>;
  virtual absl::StatusOr<std::vector<Committed>> Import(const std::vector<Write>& writes,
                                                        const std::function<void(Rows)>& committed = {}) = 0;
  // Leaves a tombstone for the nodes. Errors are those of Commit.
  virtual absl::StatusOr<Committed> DeleteGateway(const Removal& removal) = 0;

  // nullopt: there is none, or it was too long ago.
  virtual absl::StatusOr<std::optional<KeptRequest>> FindRequest(const std::string& caller,
                                                                 const std::string& request_id) = 0;
  // Of a request for what is there already. False: one with this id is kept.
  virtual absl::StatusOr<bool> KeepRequest(const KeptRequest& request) = 0;

  virtual absl::StatusOr<GatewayRecord> GetGateway(const std::string& id_or_name) = 0;
  // Ordered by name, after `after_name` ("" from the start).
  virtual absl::StatusOr<std::vector<GatewayRecord>> ListGateways(const std::string& after_name, int limit) = 0;
  virtual absl::StatusOr<std::vector<std::string>> GatewaysOnPlan(const std::string& plan) = 0;  // ids
  // The latest where version is 0.
  virtual absl::StatusOr<VersionRecord> GetVersion(const std::string& gateway_id, int64_t version) = 0;
  // Newest first, older than `before` (0: from the newest).
  virtual absl::StatusOr<std::vector<VersionRecord>> ListVersions(const std::string& gateway_id, int64_t before,
                                                                  int limit) = 0;

  // Rows with revision > after, ascending, at most `limit`. One that cannot be opened is told of, and is in the log.
  virtual absl::StatusOr<std::vector<ConfigRow>> ConfigsAfter(int64_t after, int limit) = 0;
  virtual absl::StatusOr<int64_t> HeadRevision() = 0;
  // Every tombstone up to here may be gone; later ones are not.
  virtual absl::StatusOr<int64_t> Horizon() = 0;
  // Removes tombstones that are older than `age`, and the oldest beyond `keep`. How many.
  virtual absl::StatusOr<int64_t> PurgeTombstones(Duration age, int64_t keep) = 0;

  virtual absl::Status PutPlan(const config::v1::Plan& plan, const AuditRecord& audit) = 0;
  virtual absl::StatusOr<config::v1::Plan> GetPlan(const std::string& name) = 0;
  virtual absl::StatusOr<std::vector<config::v1::Plan>> ListPlans() = 0;

  // Tokens are kept as SHA-256 of their text; `hash` is 32 bytes.
  virtual absl::StatusOr<std::optional<TokenRecord>> FindToken(const std::string& hash) = 0;
  virtual absl::Status PutToken(const TokenRecord& token, const std::string& hash) = 0;
  virtual absl::StatusOr<int64_t> CountTokens() = 0;

  virtual absl::Status Audit(const AuditRecord& record) = 0;

  // Adds it to minutes and hours, unless it is among them; gateways that are gone are left out.
  virtual absl::Status AddUsage(const UsageReport& report) = 0;
  // Oldest first, from `since` on, at most `limit`. Times without a request are left out.
  virtual absl::StatusOr<std::vector<UsageRow>> GetUsage(const std::string& gateway_id, UsageStep step, WallTime since,
                                                         int limit) = 0;
  // What the nodes of a cell were asked for, by the busiest of the minutes that they have reported of late. A node
  // reports a minute when it is over.
  virtual absl::StatusOr<double> RequestsPerSecond(const std::string& cell) = 0;
  // Removes minutes older than three days and hours older than 35.
  virtual absl::Status PruneUsage() = 0;

  virtual absl::Status PutNode(const NodeRecord& node) = 0;
  virtual absl::StatusOr<std::vector<NodeRecord>> ListNodes() = 0;
  // From the list and from every cell, and its key is refused from then on. NOT_FOUND: it is nowhere.
  virtual absl::Status RemoveNode(const std::string& name, const AuditRecord& audit) = 0;

  virtual Identities& identities() = 0;
  virtual Placements& placements() = 0;
};

// Rings when something was committed: LISTEN on a connection of its own, reconnecting by itself, and at the latest
// every second. Owns a thread; `ring` runs on it.
class Doorbell {
 public:
  static std::unique_ptr<Doorbell> Start(const Options& options, std::function<void()> ring);
  virtual ~Doorbell() = default;  // stops and joins
};

}  // namespace sluice::store
