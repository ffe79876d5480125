#pragma once

// A data plane in the test's own process: workers on free ports, one gateway from a short text, and an upstream that
// records the bytes it gets. Test thread only; every wait is bounded.

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "data-plane/proxy/worker_group.h"
#include "tests/support/eventually.h"
#include "tests/support/wire.h"

namespace sluice::test {

inline const std::string kGet = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";

// The upstream's side of one connection, in the hands of a test.
class Peer {
 public:
  explicit Peer(int fd) : fd_(fd) {}
  ~Peer();
  Peer(const Peer&) = delete;
  std::string ReadHead();     // "" where the connection ended
  std::string ReadRequest();  // head and body, as sent; "" where the connection ended before it was whole
  bool ReadMore();            // into `buffered`
  void Send(std::string_view bytes) { TrySend(bytes); }
  bool TrySend(std::string_view bytes);  // all of it; false where the other side is gone
  void Reset();  // closes with RST
  void Close();
  bool WaitForClose();  // true when the other side has closed
  void Interrupt();     // from another thread: whoever reads sees the end
  std::string buffered;

 private:
  std::mutex mutex_;
  std::atomic<int> fd_;
};

// Answers every connection with `serve`, on a thread each, and remembers.
class Upstream {
 public:
  using Serve = std::function<void(Upstream&, Peer&)>;
  explicit Upstream(Serve serve);
  ~Upstream();
  uint16_t port() const { return port_; }
  int connections() const { return connections_; }
  int requests() const;
  std::string request(int index) const;  // "" where there was none
  std::string last() const;
  void Record(std::string request);

 private:
  void Accept();
  const Serve serve_;
  int fd_;
  uint16_t port_;
  std::atomic<int> connections_{0};
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::vector<std::thread> threads_;
  std::vector<std::unique_ptr<Peer>> peers_;
  std::thread acceptor_;
};

// Reads requests and gives each the same answer.
Upstream::Serve Answering(std::string response);

// In text form: a gateway whose only service is the upstream `u`, and a target of that on 127.0.0.1.
std::string Balanced(const std::string& upstream, const std::string& targets,
                     const std::string& route = R"(paths: "/")");
std::string TargetEntity(uint16_t port, const std::string& more = "");

struct NodeOptions {
  // A GatewayConfig in text form. Left out: id, the plan (serverless), a service (the upstream, for every route without
  // one). UPSTREAM_PORT stands for the upstream's port.
  std::string gateway = R"(hosts: "a.test" routes { paths: "/" })";
  std::vector<std::string> more_gateways;
  Upstream::Serve upstream = Answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  int workers = 1;
  bool allow_upstream = true;  // by the egress policy
  bool ready = true;
  std::span<const PluginType> plugins = BuiltinPlugins();
  proxy::Options options;
};

class Node {
 public:
  explicit Node(NodeOptions options = {});
  ~Node();
  WireClient Connect() { return WireClient(group_->http_port()); }
  // One request on a connection of its own.
  WireResponse Ask(std::string_view bytes);
  Upstream& upstream() { return upstream_; }
  proxy::WorkerGroup& group() { return *group_; }
  proxy::Stats stats();
  // Waits until every worker serves it.
  void Publish(const std::string& gateway);
  void Remove(const std::string& gateway_id);

 private:
  std::shared_ptr<const Gateway> Compile(std::string text);
  const bool allow_upstream_;
  const std::span<const PluginType> plugins_;
  Upstream upstream_;
  std::vector<std::pair<std::string, std::shared_ptr<GatewayState>>> states_;
  std::unique_ptr<proxy::WorkerGroup> group_;
};

}  // namespace sluice::test
