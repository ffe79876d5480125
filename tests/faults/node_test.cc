// A node dies, stalls, runs out of disk, or has its clock set.

#include <sys/mount.h>
#include <unistd.h>

#include <csignal>

#include "tests/faults/fixture.h"

namespace sluice::test {
namespace {

TEST_CASE("a node that is killed fails nobody at the others, and serves again when it is back") {
  Busy busy;
  busy.load->SetRates({Busy::kRate, Busy::kRate, 0});
  busy.AwaitRequests(5);
  busy.platform.node(2).Kill();
  busy.AwaitRequests(60);
  busy.Change(1);
  busy.platform.StartNode(2);
  busy.load->SetRate(Busy::kRate);
  busy.AwaitRequests(60);
  busy.CheckTraffic();
}

TEST_CASE("a node that is stopped for twelve seconds and goes on serves what is current") {
  Busy busy;
  busy.load->SetRates({Busy::kRate, Busy::kRate, 0});
  busy.platform.node(2).Signal(SIGSTOP);
  busy.AwaitRequests(480);
  busy.Change(1);
  busy.platform.node(2).Signal(SIGCONT);
  REQUIRE(Eventually([&] { return busy.AllConnected(); }));
  busy.Change(2);
  busy.load->SetRate(Busy::kRate);
  busy.AwaitRequests(60);
  busy.CheckTraffic();
}

TEST_CASE("a node whose disk is full takes changes and serves, and says what it could not write") {
  if (geteuid() != 0) return;  // a file system of its own needs root
  Platform platform;
  const std::string folder = platform.state() + "/node-1/state";
  platform.StopNode(0);
  REQUIRE(Run({"cp", "-a", folder, folder + ".before"}).exit_code == 0);
  REQUIRE(mount("tmpfs", folder.c_str(), "tmpfs", 0, "size=128k") == 0);
  struct Unmount {
    const std::string& folder;
    ~Unmount() { umount2(folder.c_str(), MNT_DETACH); }
  } unmount{folder};
  REQUIRE(Run({"cp", "-a", folder + ".before/.", folder}).exit_code == 0);
  platform.StartNode(0);
  WriteFile(folder + "/filler", std::string(128 * 1024, 'x'));
  platform.Serve("shop", kEcho);
  CHECK(platform.Connect().Get(Platform::Host("shop"), "/anything").status == 200);
  CHECK(Eventually([&] {
    return ReadFile(platform.state() + "/node-1/log").find("the snapshot was not written") != std::string::npos;
  }));
  unlink((folder + "/filler").c_str());
  platform.Apply("shop", "_format_version: \"3.0\"\n");
  CHECK(platform.Connect().Get(Platform::Host("shop"), "/anything").status == 404);
}

// The wall clock of the nodes is what a file says; their monotonic clock is the machine's.
PlatformOptions WithClockFile(const std::string& file) {
  return {.nodes = Busy::kNodes,
          .node_runner = {"env", "LD_PRELOAD=/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
                          "FAKETIME_DONT_FAKE_MONOTONIC=1", "FAKETIME_NO_CACHE=1", "FAKETIME_TIMESTAMP_FILE=" + file}};
}

TEST_CASE("wall clocks that are set by hours, forward and back, fail no request and lift no limit") {
  TempDir folder;
  const std::string file = folder / "clock";
  WriteFile(file, "+0\n");
  Busy busy(WithClockFile(file));
  for (const char* clock : {"+3600\n", "-3600\n", "+0\n", "+7200\n"}) {
    WriteFile(file, clock);
    busy.AwaitRequests(60);
  }
  busy.Change(1);
  busy.CheckTraffic();
}

}  // namespace
}  // namespace sluice::test
