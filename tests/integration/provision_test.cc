// The control plane starts its nodes itself: `--provisioner process`.

#include <csignal>
#include <filesystem>
#include <fstream>

#include "catch2/catch.hpp"
#include "common/base/text.h"
#include "control-plane/provision/pid_file.h"
#include "tests/integration/platform.h"
#include "tests/support/load.h"

namespace sluice::test {
namespace {

using provision::IsRunning;
using provision::PidFile;
using provision::ReadPidFile;

constexpr int kMost = 3;

// Three free ports that have free ones 10 and 20 above them.
int FreePorts() {
  while (true) {
    const int port = FreePort();
    bool fine = port < 60'000;
    for (int further = 10; fine && further < 10 * kMost; further += 10) {
      fine = Run({"ss", "-Hltn", Cat("sport = :", port + further)}).out.empty();
    }
    if (fine) return port;
  }
}

class Provisioned {
 public:
  explicit Provisioned(const std::string& nodes, std::vector<std::string> more = {})
      : more_(std::move(more)), platform({.nodes = 0, .control_plane_flags = Flags(nodes)}) {
    platform.Ok({"gateway", "create", "shop"});
    platform.Ok({"apply", "-g", "shop", "-f", "-"}, platform.WithUpstream(kEcho));
  }
  ~Provisioned() {
    platform.control_plane().Kill();  // first, that it starts none again
    for (int slot = 1; slot <= kMost; ++slot) {
      if (const auto file = Pid(slot); file && IsRunning(*file)) kill(file->pid, SIGKILL);
    }
  }

  std::vector<std::string> Flags(const std::string& nodes) const {
    std::vector<std::string> flags = {"--provisioner", "process", "--nodes", nodes, "--node-argument=--workers=1",
                                      "--node-ports", Cat(http_, ",", https_, ",", ops_)};
    flags.insert(flags.end(), more_.begin(), more_.end());
    return flags;
  }
  std::string Name(int slot) const { return Cat("node-", slot); }
  std::optional<PidFile> Pid(int slot) const {
    return ReadPidFile(platform.state() + "/run/" + Name(slot) + ".pid");
  }
  pid_t Running(int slot) const {
    const auto file = Pid(slot);
    return file && IsRunning(*file) ? file->pid : 0;
  }
  uint16_t Port(int slot) const { return static_cast<uint16_t>(http_ + 10 * (slot - 1)); }
  bool Serves(int slot) {
    KeepAlive client(Port(slot));
    return client.Get(Platform::Host("shop")) == 200;
  }
  // So many are ready, and none is left to be started, replaced or stopped.
  bool Settled(int nodes) {
    return platform.ControlPlaneMetric("sluice_provisioner_wanted_nodes") == nodes &&
           platform.ControlPlaneMetric("sluice_provisioner_pending_nodes") == 0;
  }
  double Total(const std::string& what) {
    return platform.ControlPlaneMetric("sluice_provisioner_" + what + "_total");
  }
  std::string Logs() const {
    std::string logs = ReadFile(platform.state() + "/control-plane.log");
    for (int slot = 1; slot <= kMost; ++slot) logs += ReadFile(platform.state() + "/log/" + Name(slot) + ".log");
    return logs;
  }

 private:
  const int http_ = FreePorts(), https_ = FreePorts(), ops_ = FreePorts();
  const std::vector<std::string> more_;

 public:
  Platform platform;
};

TEST_CASE("the control plane starts as many nodes as are wanted, and one that is killed again") {
  Provisioned world("2");
  INFO(world.Logs());
  REQUIRE(Eventually([&] { return world.Settled(2); }));
  CHECK(Eventually([&] { return world.Serves(1) && world.Serves(2); }));
  const pid_t killed = world.Running(1);
  REQUIRE(killed > 0);
  kill(killed, SIGKILL);
  CHECK(Eventually([&] { return world.Running(1) > 0 && world.Running(1) != killed && world.Serves(1); }));
  CHECK(Eventually([&] { return world.Total("restarts") == 1; }));
  CHECK(world.platform.Ok({"nodes"}).find("node-2") != std::string::npos);
}

TEST_CASE("nodes serve on while their control plane is dead, and the next one takes them over") {
  Provisioned world("2");
  INFO(world.Logs());
  REQUIRE(Eventually([&] { return world.Settled(2) && world.Serves(1) && world.Serves(2); }));
  const pid_t first = world.Running(1), second = world.Running(2);
  Load load({world.Port(1), world.Port(2)}, Platform::Host("shop"));
  load.SetRate(20);
  world.platform.control_plane().Kill();
  CHECK(Eventually([&] { return load.All().size() > 40; }));
  world.platform.StartControlPlane();
  CHECK(Eventually([&] { return world.Settled(2); }));
  load.Stop();
  CHECK(load.first_failure() == "");
  CHECK(world.Running(1) == first);
  CHECK(world.Running(2) == second);
  CHECK(world.Total("starts") == 0);
}

TEST_CASE("a node too many drains without a failed request and leaves the fleet") {
  Provisioned world("2");
  INFO(world.Logs());
  REQUIRE(Eventually([&] { return world.Settled(2) && world.Serves(1) && world.Serves(2); }));
  Load load({world.Port(1), world.Port(2)}, Platform::Host("shop"), true);
  load.SetRate(30);
  world.platform.StopControlPlane();
  world.platform.UseFlags(world.Flags("1"));
  world.platform.StartControlPlane();
  CHECK(Eventually([&] { return world.Running(2) == 0; }));
  CHECK(Eventually([&] { return world.Total("removals") == 1; }));
  load.Stop();
  CHECK(load.first_failure() == "");
  CHECK(world.platform.Ok({"nodes"}).find("node-2") == std::string::npos);
  CHECK(world.platform.database().Query("select count(*) from cells where 'node-2' = any (enlisted)") == "0\n");
  CHECK_FALSE(std::filesystem::exists(world.platform.state() + "/node-2"));
  CHECK(world.Serves(1));
}

TEST_CASE("nodes follow the load that they report") {
  Provisioned world("1-2", {"--requests-per-node", "100", "--scale-down-after", "1"});
  INFO(world.Logs());
  REQUIRE(Eventually([&] { return world.Settled(1); }));
  world.platform.database().Query(
      "insert into usage_minutes select id, date_trunc('minute', now()), 60 * 150, 0, 0, 0, 0, 0, 0 from gateways");
  CHECK(Eventually([&] { return world.Settled(2) && world.Serves(2); }));
  world.platform.database().Query("delete from usage_minutes");
  CHECK(Eventually([&] { return world.Settled(1) && world.Running(2) == 0; }));
}

TEST_CASE("a new program takes the place of the old one, node by node, and no request is lost") {
  namespace fs = std::filesystem;
  TempDir folder;
  const std::string program = folder / "sluice-data-plane";
  fs::copy_file(SLUICE_BIN "/sluice-data-plane", program);
  Provisioned world("2", {"--node-program", program});
  INFO(world.Logs());
  REQUIRE(Eventually([&] { return world.Settled(2) && world.Serves(1) && world.Serves(2); }));
  const pid_t first = world.Running(1), second = world.Running(2);
  Load load({world.Port(1), world.Port(2)}, Platform::Host("shop"), true);
  load.SetRate(30);
  fs::copy_file(program, program + ".new");
  std::ofstream(program + ".new", std::ios::app) << "other bytes";
  fs::rename(program + ".new", program);
  CHECK(Eventually([&] { return world.Total("replacements") == 2 && world.Settled(2); }));
  load.Stop();
  CHECK(load.first_failure() == "");
  CHECK(world.Running(1) != first);
  CHECK(world.Running(2) != second);
  CHECK(world.Total("restarts") == 0);
}

TEST_CASE("nothing is started while somebody else acts on the nodes, as deploy/down does") {
  Provisioned world("1");
  INFO(world.Logs());
  REQUIRE(Eventually([&] { return world.Settled(1); }));
  Process holder({"flock", "-F", world.platform.state() + "/run/provisioner.lock", "sh", "-c",
                  "echo held; exec sleep 600"}, world.platform.state() + "/holder.log");
  REQUIRE(Eventually([&] { return ReadFile(holder.log()) == "held\n"; }));
  kill(world.Running(1), SIGKILL);
  CHECK(Eventually([&] { return world.Total("errors") > 0; }));
  CHECK(world.Running(1) == 0);
  holder.Kill();
  CHECK(Eventually([&] { return world.Running(1) > 0; }));
}

TEST_CASE("nodes of another cell are started when there is that cell, and are of it") {
  Provisioned fleet("1", {"--node-cell", "west"});
  CHECK(fleet.Running(1) == 0);
  fleet.platform.Ok({"cell", "set", "west"});
  REQUIRE(Eventually([&] { return fleet.Settled(1); }));
  CHECK(fleet.platform.Ok({"nodes"}).find("cell/west") != std::string::npos);
  fleet.platform.Ok({"cell", "drain", "default"});
  fleet.platform.Serve("late", kEcho);
  KeepAlive client(fleet.Port(1));
  CHECK(client.Get(Platform::Host("late")) == 200);
}

}  // namespace
}  // namespace sluice::test
