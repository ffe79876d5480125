#pragma once

// A whole Sluice of real processes for one test: PostgreSQL, control plane, nodes, the demo upstream, on free ports of
// 127.0.0.1, with everything it writes in a folder that goes with it. Test thread only.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/eventually.h"
#include "tests/support/link.h"
#include "tests/support/postgres.h"
#include "tests/support/process.h"
#include "tests/support/wire.h"

namespace sluice::test {

// A document with one route, /anything, to the demo upstream.
inline constexpr char kEcho[] = R"(
_format_version: "3.0"
services:
- name: echo
  url: UPSTREAM
  routes:
  - name: anything
    paths: ["/anything"]
    strip_path: false
)";

struct PlatformOptions {
  int nodes = 1;
  int replicas = 1;    // of the control plane
  bool links = false;  // each node reaches the first replica through a link() of its own, and no other
  std::vector<std::string> node_runner = {};  // what runs a node: words before its own command
  std::vector<std::string> control_plane_flags = {};  // further ones
  std::vector<std::string> node_flags = {};           // the same, of every node
  std::string programs = SLUICE_BIN;  // the folder of the control plane and the nodes
  std::vector<std::string> cells = {};  // of the nodes, in their order; "default" where it ends
  std::vector<uint16_t> upstream_ports = {};  // of 127.0.0.1, that services may reach beside the demo upstream
};

class Platform {
 public:
  // Everything is up and every node is ready when it returns. Nodes without links know every replica of the control
  // plane.
  explicit Platform(int nodes = 1, int replicas = 1) : Platform(PlatformOptions{nodes, replicas}) {}
  explicit Platform(PlatformOptions options);

  // The command line client with this platform's admin token, and the server that UseReplica named last (the first).
  Finished Sluice(std::vector<std::string> arguments, const std::string& input = "");
  // The same; fails the test unless it exits with 0. What it printed.
  std::string Ok(std::vector<std::string> arguments, const std::string& input = "");
  void UseReplica(int index) { replica_ = index; }
  // For what is started from now on.
  void UsePrograms(std::string folder) { options_.programs = std::move(folder); }

  // Creates a gateway and applies a decK document to it, waiting until every node serves it. `upstream()` stands for
  // the demo upstream's URL where the document says UPSTREAM.
  void Apply(const std::string& gateway, const std::string& document);
  // Creates it first.
  void Serve(const std::string& gateway, const std::string& document);
  std::string WithUpstream(std::string document) const;
  static std::string Host(const std::string& gateway) { return gateway + ".gw.localhost"; }

  WireClient Connect(int node = 0) { return WireClient(http_port(node)); }
  uint16_t http_port(int node = 0) const { return nodes_[node].http; }
  std::vector<uint16_t> http_ports() const;  // of every node
  uint16_t https_port(int node = 0) const { return nodes_[node].https; }
  uint16_t ops_port(int node = 0) const { return nodes_[node].ops; }
  uint16_t admin_port() const { return replicas_[replica_].admin; }
  uint16_t sync_port() const { return replicas_[replica_].sync; }
  uint16_t control_plane_ops_port() const { return replicas_[replica_].ops; }
  uint16_t upstream_port() const { return upstream_port_; }
  std::string state() const { return folder_.path(); }
  std::string token() const;

  Postgres& database() { return *database_; }
  Link& link(int node = 0) { return *nodes_[node].link; }
  // From the control plane's next start on: a libpq connection string, and further flags.
  void UseDatabase(std::string conninfo) { conninfo_ = std::move(conninfo); }
  void UseFlags(std::vector<std::string> flags) { control_plane_flags_ = std::move(flags); }  // likewise
  Process& control_plane() { return *replicas_[replica_].process; }
  Process& upstream() { return *upstream_; }
  Process& node(int index = 0) { return *nodes_[index].process; }
  // Of the replica in use.
  void StopControlPlane();  // SIGTERM and wait
  void StartControlPlane();
  void StopNode(int index);
  void StartNode(int index, bool wait_ready = true);
  bool NodeReady(int index);
  // The value of a metric without labels, of a node or of the replica in use; -1 where it does not answer.
  double NodeMetric(int index, const std::string& name) { return Metric(nodes_[index].ops, name); }
  double ControlPlaneMetric(const std::string& name) { return Metric(control_plane_ops_port(), name); }
  // The configurations in a node's last good snapshot, one after the other; "" where there is none.
  std::string OnDisk(int index);
  // The id and the compiled configuration of the only gateway, as the database has it.
  std::pair<std::string, std::string> Compiled();
  // What the node joins with.
  std::string TokenFile(int index) const { return folder_ / nodes_[index].name + "/join-token"; }

 private:
  static double Metric(uint16_t port, const std::string& name);

  struct Node {
    std::string name;
    uint16_t http = 0, https = 0, ops = 0;
    std::unique_ptr<Link> link = nullptr;
    std::unique_ptr<Process> process = nullptr;
  };
  struct Replica {
    uint16_t admin = 0, sync = 0, ops = 0;
    std::unique_ptr<Process> process;
  };
  void StartUpstream();
  void AwaitNode(int index);  // until it is ready
  PlatformOptions options_;
  std::vector<std::string> control_plane_flags_;
  TempDir folder_;
  std::unique_ptr<Postgres> database_;
  std::string conninfo_;
  std::unique_ptr<Process> upstream_;
  std::vector<Replica> replicas_;
  int replica_ = 0;
  std::vector<Node> nodes_;
  uint16_t upstream_port_ = 0;
};

}  // namespace sluice::test
