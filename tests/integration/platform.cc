#include "tests/integration/platform.h"

#include <csignal>
#include <filesystem>

#include "absl/strings/escaping.h"
#include "catch2/catch.hpp"
#include "control-plane/store/seal.h"
#include "data-plane/sync/last_good.h"

namespace sluice::test {
namespace {

const std::string kBin = SLUICE_BIN;

std::string At(uint16_t port) {
  return "127.0.0.1:" + std::to_string(port);
}

bool Answers(uint16_t port, const std::string& path) {
  const Finished curl = Run({"curl", "-fsS", "-o", "/dev/null", "http://" + At(port) + path});
  return curl.exit_code == 0;
}

}  // namespace

void Platform::StartUpstream() {
  upstream_port_ = FreePort();
  upstream_ = std::make_unique<Process>(
      std::vector<std::string>{kBin + "/sluice-demo-upstream", "--listen", At(upstream_port_)},
      folder_ / "upstream.log");
}

Platform::Platform(PlatformOptions options)
    : options_(std::move(options)), control_plane_flags_(options_.control_plane_flags) {
  database_ = std::make_unique<Postgres>();
  conninfo_ = database_->conninfo();
  StartUpstream();
  for (int i = 0; i < options_.replicas; ++i) replicas_.push_back({FreePort(), FreePort(), FreePort(), nullptr});
  for (int i = 0; i < options_.nodes; ++i) {
    nodes_.push_back({"node-" + std::to_string(i + 1), FreePort(), FreePort(), FreePort()});
    if (options_.links) nodes_[i].link = std::make_unique<Link>(sync_port());
  }
  for (replica_ = options_.replicas - 1;; --replica_) {
    StartControlPlane();
    if (replica_ == 0) break;
  }
  const Finished issued = Run({kBin + "/sluice-control-plane", "issue", "--database", conninfo_, "--state",
                               state(), "--name", "gw.localhost", "--out", folder_ / "edge"});
  INFO(issued.err);
  REQUIRE(issued.exit_code == 0);
  for (int i = 0; i < options_.nodes; ++i) {
    std::filesystem::create_directories(folder_ / nodes_[i].name);
    const bool named = static_cast<size_t>(i) < options_.cells.size();
    const std::string cell = named ? options_.cells[static_cast<size_t>(i)] : "default";
    if (cell != "default") Ok({"cell", "set", cell, "--address", cell + ".test"});
    Ok({"node", "token", "create", "--cell", cell, "--file", TokenFile(i)});
    StartNode(i, /*wait_ready=*/false);
  }
  for (int i = 0; i < options_.nodes; ++i) AwaitNode(i);
  INFO(ReadFile(folder_ / "upstream.log"));
  REQUIRE(Eventually([&] { return Answers(upstream_port_, "/healthz"); }));
}

std::vector<uint16_t> Platform::http_ports() const {
  std::vector<uint16_t> ports;
  for (const Node& node : nodes_) ports.push_back(node.http);
  return ports;
}

std::string Platform::token() const {
  std::string text = ReadFile(folder_ / "admin-token");
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

Finished Platform::Sluice(std::vector<std::string> arguments, const std::string& input) {
  arguments.insert(arguments.begin(),
                   {kBin + "/sluice", "--server", At(admin_port()), "--token-file", folder_ / "admin-token"});
  return Run(arguments, input, {"HOME=" + state(), "NO_COLOR=1"});
}

std::string Platform::Ok(std::vector<std::string> arguments, const std::string& input) {
  std::string line;
  for (const std::string& argument : arguments) line += " " + argument;
  const Finished finished = Sluice(std::move(arguments), input);
  INFO("sluice" << line << "\nout: " << finished.out << "\nerr: " << finished.err);
  REQUIRE(finished.exit_code == 0);
  return finished.out;
}

std::string Platform::WithUpstream(std::string document) const {
  const std::string url = "http://" + At(upstream_port_);
  for (size_t at = document.find("UPSTREAM"); at != std::string::npos; at = document.find("UPSTREAM", at)) {
    document.replace(at, 8, url);
  }
  return document;
}

void Platform::Apply(const std::string& gateway, const std::string& document) {
  Ok({"apply", "-g", gateway, "-f", "-", "--wait"}, WithUpstream(document));
}

void Platform::Serve(const std::string& gateway, const std::string& document) {
  Ok({"gateway", "create", gateway, "--wait"});
  Apply(gateway, document);
}

void Platform::StartControlPlane() {
  Replica& replica = replicas_[replica_];
  const std::string number = replica_ == 0 ? "" : "-" + std::to_string(replica_ + 1);
  const std::string log = folder_ / "control-plane" + number + ".log";
  std::vector<std::string> command = {options_.programs + "/sluice-control-plane",
                                      "--database", conninfo_, "--state", state(), "--admin", At(replica.admin),
                                      "--sync", At(replica.sync), "--ops", At(replica.ops),
                                      "--egress-allow", At(upstream_port_)};
  command.insert(command.end(), control_plane_flags_.begin(), control_plane_flags_.end());
  for (const uint16_t port : options_.upstream_ports) command.insert(command.end(), {"--egress-allow", At(port)});
  replica.process = std::make_unique<Process>(command, log);
  Finished listed;
  const bool decided = Eventually([&] {
    listed = Sluice({"gateway", "list"});
    return listed.exit_code == 0 || !control_plane().running();
  });
  INFO("control plane: " << ReadFile(log) << "\nclient: " << listed.err);
  REQUIRE(decided);
  REQUIRE(control_plane().running());
}

void Platform::StopControlPlane() {
  control_plane().Signal(SIGTERM);
  CHECK(control_plane().Wait() == 0);
}

void Platform::StartNode(int index, bool wait_ready) {
  Node& node = nodes_[index];
  const std::string own = folder_ / node.name;
  std::string control_planes = node.link == nullptr ? "" : At(node.link->port());
  for (const Replica& replica : replicas_) {
    if (node.link == nullptr) control_planes += (control_planes.empty() ? "" : ",") + At(replica.sync);
  }
  std::vector<std::string> command = options_.node_runner;
  const std::vector<std::string> words = {
      options_.programs + "/sluice-data-plane", "--name", node.name, "--control-plane", control_planes,
      "--join-token-file", TokenFile(index),
      "--http", At(node.http), "--https", At(node.https), "--ops", At(node.ops),
      "--tls-cert", folder_ / "edge/cert.pem", "--tls-key", folder_ / "edge/key.pem",
      "--state", own + "/state", "--workers", "2", "--access-log", own + "/access.log",
      "--config-version-header"};
  command.insert(command.end(), words.begin(), words.end());
  command.insert(command.end(), options_.node_flags.begin(), options_.node_flags.end());
  node.process = std::make_unique<Process>(command, own + "/log");
  if (wait_ready) AwaitNode(index);
}

void Platform::AwaitNode(int index) {
  Node& node = nodes_[index];
  const bool decided = Eventually([&] { return NodeReady(index) || !node.process->running(); });
  INFO("node: " << ReadFile(folder_ / node.name + "/log"));
  REQUIRE(decided);
  REQUIRE(node.process->running());
}

void Platform::StopNode(int index) {
  nodes_[index].process->Signal(SIGTERM);
  CHECK(nodes_[index].process->Wait() == 0);
}

bool Platform::NodeReady(int index) {
  return Answers(nodes_[index].ops, "/readyz");
}

double Platform::Metric(uint16_t port, const std::string& name) {
  const std::string page = Run({"curl", "-fsS", "http://" + At(port) + "/metrics"}).out;
  const size_t at = page.find("\n" + name + " ");
  return at == std::string::npos ? -1 : std::stod(page.substr(at + name.size() + 2));
}

std::string Platform::OnDisk(int index) {
  const std::string state = folder_ / nodes_[index].name + "/state";
  const auto key = sync::StateKey::Open(state, "", "");
  REQUIRE(key.ok());
  std::string configs;
  const auto snapshot = sync::ReadSnapshot(state, *key);
  for (int i = 0; snapshot.ok() && i < snapshot->gateways_size(); ++i) configs += snapshot->gateways(i).config();
  return configs;
}

std::pair<std::string, std::string> Platform::Compiled() {
  const auto query = [&](const std::string& sql) {
    const std::string line = database_->Query(sql);
    return line.substr(0, line.find('\n'));
  };
  const auto keys = store::KeyRing::Parse(ReadFile(folder_ / "secret-key"));
  REQUIRE(keys.ok());
  const std::string id = query("select gateway_id from gateway_config");
  const auto config = keys->Open(absl::HexStringToBytes(query("select encode(config, 'hex') from gateway_config")),
                                 {id, "gateway", id, "config"});
  REQUIRE(config.ok());
  return {id, *config};
}

}  // namespace sluice::test
