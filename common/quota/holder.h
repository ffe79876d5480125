#pragma once

// A node's side of the lease protocol (lease.h) without sockets or clocks: reports out, answers in, slots to and from
// the windows of its gateways. One thread at a time; the node locks around it.

#include <cstdint>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "common/quota/demand.h"
#include "common/quota/lease.h"

namespace sluice::quota {

// The windows of a node's gateways, as its leases need them.
class Windows {
 public:
  virtual ~Windows() = default;
  // The gateway's limit by the configuration that the node has; 0: it has no limit, or is not known.
  virtual uint32_t Limit(const std::string& gateway) const = 0;
  virtual uint64_t Asked(const std::string& gateway) const = 0;  // requests so far, refused ones too
  // Adds `more`, then makes the share exactly `share`: gives back those slots that can be used soonest, or adds slots
  // that can be used at once.
  virtual Slots Resize(const std::string& gateway, uint32_t share, const Slots& more) = 0;
  // Holder::Share may have changed for any gateway.
  virtual void Refresh() = 0;
  // Returns when they are durable; false: they are not.
  virtual bool Keep(const Bases& bases) = 0;
};

class Holder {
 public:
  // A node that has just started holds nothing, since it cannot know what it gave away before: until it is told to
  // start, or nobody has answered for kRestore.
  Holder(Windows& windows, MonotonicTime now) : windows_(windows), restore_at_(now + kRestore) {}

  // What the node kept before it was started. Before anything else.
  void Remember(const Bases& bases) { bases_ = bases; }
  // The part of a limit that is the node's own.
  uint32_t Safe(const std::string& gateway, uint32_t limit) const;

  // The share of a gateway with this limit, now.
  uint32_t Share(const std::string& gateway, uint32_t limit) const;
  // A request was refused for want of a slot; asks for more with the next report, which is due at once.
  void Want(const std::string& gateway);
  bool Pending(const std::string& gateway) const;  // asked, and the answer is not final
  bool AtRest(const std::string& gateway) const { return !leases_.contains(gateway); }
  void LimitChanged(const std::string& gateway);   // a lease is never larger than the limit
  // False until the safe shares may be used.
  bool started() const { return started_; }
  // Whether there is a part of every limit that is its own.
  bool member() const { return bases_.committed.index < bases_.committed.members; }
  // Until when surplus slots may be used. Admissions check it themselves, as a thread may be late.
  MonotonicTime surplus_until() const { return surplus_until_; }

  // A stream is open: the next report is a hello.
  void Connected(MonotonicTime now);
  void Disconnected() { connected_ = false; }
  std::optional<Report> NextReport(MonotonicTime now);  // what is due
  // False: the stream is to be closed and opened anew.
  bool Receive(const Answer& answer, MonotonicTime now);
  // What time alone changes. False as above. Due at NextDue.
  bool Tick(MonotonicTime now);
  MonotonicTime NextDue() const;

 private:
  struct Lease {
    uint32_t held = 0;
    Slots released;  // since the last report
    bool news = true;
    bool pending = false;
    uint32_t reported_demand = 0;
    Demand demand;
    uint64_t asked = 0;  // as of the latest measurement
  };

  Lease& Open(const std::string& gateway);
  void Obey(const GatewayAnswer& answer, MonotonicTime now);
  void TakeBases(const Answer& answer);
  void EndSurplus();
  void Restore();
  GatewayReport ReportOf(const std::string& gateway, Lease& lease, MonotonicTime now);
  bool Measure(const std::string& gateway, Lease& lease, MonotonicTime now);  // true: there is news

  Windows& windows_;
  absl::flat_hash_map<std::string, Lease> leases_;  // of what is not at rest
  Bases bases_;
  bool started_ = false;
  bool connected_ = false;
  bool hello_ = false;  // is to be said
  bool urgent_ = false;
  uint64_t sequence_ = 0;
  uint64_t seen_ = 0;
  MonotonicTime surplus_until_{};
  bool has_surplus_ = false;  // perhaps
  MonotonicTime restore_at_;
  MonotonicTime report_at_{};
};

}  // namespace sluice::quota
