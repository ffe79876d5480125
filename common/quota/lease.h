#pragma once

// How the slots of a gateway's limit are spread over the nodes of a cell, and what nodes and the allocator say to each
// other about it. The rules, which are all that exactness rests on:
//
//   At rest nobody says anything: every node has its *safe share*, which follows from the limit and the committed
//   membership alone; the safe shares of all members add up to the limit.
//   Demand moves slots: the allocator recalls them from nodes that can do without and grants them where they are
//   wanted. What a node holds beyond its safe share is a *surplus*, which it may use until kSurplusLife after it sent
//   the last report that was answered; what it lacks is a *deficit*, which it takes back kRestore after the last answer
//   it received, when everyone else's surplus has ended and left the window.
//   The allocator counts a node as live until kSilence after it sent the latest answer that the node has confirmed.
//   Once a node is not, nothing is granted that would not leave it its safe share.
//
// Why that suffices: a node's deficit returns at the earliest kRestore after the allocator sent what it last confirmed.
// Until kSilence after that moment others may be granted or let keep what the node lacks, with an answer to a report
// sent before; hence they use it until kSilence + kSurplusLife, and kWindow later no second holds a trace of it.
// Nothing here depends on there being one allocator: each leaves all nodes that are not its own their safe shares.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/quota/slots.h"

namespace sluice::quota {

inline constexpr Duration kReportInterval = std::chrono::milliseconds(100);  // of a node that has leases
inline constexpr Duration kIdleReportInterval = std::chrono::milliseconds(500);
inline constexpr Duration kSilence = std::chrono::milliseconds(1500);
inline constexpr Duration kSurplusLife = std::chrono::seconds(2);
inline constexpr Duration kClockMargin = std::chrono::milliseconds(100);  // for clocks that run unequally fast
inline constexpr Duration kRestore = kSilence + kSurplusLife + kWindow + kClockMargin;
inline constexpr Duration kRestAfter = std::chrono::seconds(5);  // without demand beyond the safe shares

// Who shares limits. Epochs are numbered by the allocator and grow.
struct Basis {
  uint64_t epoch = 0;
  uint32_t members = 0;
  uint32_t index = 0;  // of this node; members or more: it is none
};

// What a node obeys: no more than either gives. It is on the node's disk before the allocator hears of it.
struct Bases {
  Basis committed;
  std::optional<Basis> prepared;
};

// Of a limit; the remainder goes to other members for other gateways. The shares of all members add up to `limit`.
uint32_t SafeShare(uint32_t limit, const Basis& basis, const std::string& gateway);

struct GatewayReport {
  std::string id;
  uint32_t held = 0;    // slots, after everything up to Report::seen
  uint32_t demand = 0;  // requests a second that it would admit
  std::vector<SlotGroup> released;
};

// Node to allocator. The first of a stream lists every gateway that is not at rest; later ones those with news.
struct Report {
  uint64_t sequence = 0;  // from 1 in a stream
  MonotonicTime sent;     // on the node's clock; the answer repeats it
  uint64_t seen = 0;      // sequence of the latest answer received
  bool hello = false;
  bool fresh = false;     // a new process that holds nothing yet
  uint64_t prepared = 0;  // epochs
  uint64_t committed = 0;
  std::vector<GatewayReport> gateways;
};

struct GatewayAnswer {
  std::string id;
  uint32_t keep = ~0u;  // give back what is held beyond it
  std::vector<SlotGroup> granted;
  bool pending = false;  // more may come without asking: slots were recalled elsewhere
  bool rest = false;     // back at the safe share; forget the lease
};

// Allocator to node.
struct Answer {
  uint64_t sequence = 0;  // from 1 in a stream
  MonotonicTime echo;     // Report::sent of the latest report
  bool start = false;     // a fresh node has its safe shares from now on
  bool extend = false;    // surplus may be used until kSurplusLife after `echo`
  bool has_prepare = false, has_commit = false;
  Basis prepare;  // from now on hold at most what this basis gives as well
  Basis commit;   // this basis alone
  std::vector<GatewayAnswer> gateways;
};

}  // namespace sluice::quota
