#pragma once

// Every gateway's latest configuration bytes, ordered by revision, in memory. A stream is a cursor over it:
// the next entry after the cursor; a gateway that changed twice is met once. Bytes are serialised once and shared by
// all streams. Filled from the store by one thread (Refresh); read from every thread.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "control-plane/store/placement.h"
#include "control-plane/store/store.h"

namespace sluice::index {

struct Entry {
  int64_t revision = 0;
  std::string gateway_id;
  bool of_owner = false;       // self-managed: only its own nodes serve it
  store::Placement placement;  // of a serverless one
  bool removed = false;
  std::shared_ptr<const std::string> config;  // null where removed; empty where it is unreadable
  std::optional<uint32_t> request_limit;      // a second; 0: none; read from `config` when it is first asked for
  bool good = false;                          // as store::ConfigRow has it

  // What nodes of the scope serve of it; nullopt: nothing.
  std::optional<store::Part> ServedBy(const store::Scope& scope) const;
  // Requests a second that all of them together may admit of that part; 0: any number.
  uint32_t LimitOf(store::Part part) const { return store::LimitOf(part, request_limit.value_or(0)); }
};

// Of serverless ones.
struct CellLoad {
  int64_t gateways = 0;  // to which clients are sent there, or will be
  int64_t leaving = 0;   // that it is yet to let go of
};

class Index {
 public:
  explicit Index(store::Store& store) : store_(store) {}

  // Reads what was committed since, in order, and wakes the watchers. UNAVAILABLE: what was read so far is kept.
  // DATA_LOSS: the database is behind what was served, and nothing is rolled back; or it has purged removals that were
  // not read yet, and nothing more is read.
  absl::Status Refresh();
  // One row or more that this replica has committed just now. Where nothing else was meanwhile, the database need not
  // be asked for them; else they are read in their turn. Either way they are here afterwards, if the database is.
  void Committed(std::vector<store::ConfigRow> rows);

  // The first entry after the cursor; nullopt at the head.
  std::optional<Entry> After(int64_t cursor) const;
  int64_t head() const;
  // Who holds nothing newer than this may have missed that a gateway was removed.
  int64_t horizon() const;
  // Gateways whose configuration does not open with the keys of this replica. Nodes refuse what they are sent of them
  // and keep what they have.
  int64_t unreadable() const;
  // The latest of the gateway, which may be its removal; nullopt: it is not known.
  std::optional<Entry> Find(const std::string& gateway_id) const;
  // Whether nodes of the scope serve the gateway. Where it is not known, those of every cell may have.
  bool Serves(const std::string& gateway_id, const store::Scope& scope) const;
  // The same, or the latest move took it from them.
  bool Served(const std::string& gateway_id, const store::Scope& scope) const;
  // Requests a second of the gateway, all nodes of the cell together; 0: it has no limit, or is not there.
  uint32_t RequestLimit(const std::string& gateway_id, const std::string& cell);

  std::map<std::string, CellLoad> Loads() const;                      // by cell, those that have any
  std::vector<std::string> In(const std::string& cell, size_t most) const;  // gateways that are there and do not move
  std::vector<std::string> Moving() const;

  // `wake` runs (on the refreshing thread, briefly) whenever the head moved; it must not call Watch or Unwatch.
  // Returns a handle for Unwatch, after which it does not run any more.
  int64_t Watch(std::function<void()> wake);
  void Unwatch(int64_t handle);

 private:
  static constexpr int kRowsPerRead = 1000;
  absl::Status CheckClock();
  absl::Status Take(std::vector<store::ConfigRow> rows);
  void Put(store::ConfigRow row);
  void Drop(int64_t revision);
  void Count(const Entry& entry);
  const Entry* Latest(const std::string& gateway_id) const;  // locked; null: it is not known
  void Purge(int64_t horizon);
  void Wake();

  store::Store& store_;
  std::mutex refresh_mutex_;
  mutable std::mutex mutex_;
  int64_t head_ = 0;
  int64_t horizon_ = 0;
  absl::flat_hash_set<std::string> unreadable_;
  std::map<int64_t, Entry> by_revision_;
  absl::flat_hash_map<std::string, int64_t> revision_of_;
  std::map<std::string, absl::flat_hash_set<std::string>> at_rest_;  // by cell, those that do not move
  absl::flat_hash_set<std::string> moving_;
  std::mutex watchers_mutex_;
  std::map<int64_t, std::function<void()>> watchers_;
  int64_t next_watcher_ = 1;
};

}  // namespace sluice::index
