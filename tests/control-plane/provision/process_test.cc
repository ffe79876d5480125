// The driver with a program of the test's own in the place of sluice-data-plane.

#include "control-plane/provision/process.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "catch2/catch.hpp"
#include "control-plane/provision/pid_file.h"
#include "tests/support/eventually.h"
#include "tests/support/hand_clock.h"
#include "tests/support/process.h"

namespace sluice::provision {
namespace {

using test::Eventually;
using test::ReadFile;
using test::WriteFile;

struct World {
  World() {
    Program("echo \"$@\"; exec sleep 600");
    options = {folder / "program", folder.path(), "n", "127.0.0.1:7", {1, 101, 201}, {"--more"}, {}, {}};
    options.is_member = [](const std::string& pem) { return pem == "good"; };
    driver = Make();
  }
  ~World() {
    const auto listed = driver->List();
    for (const Instance& instance : *listed) {
      if (const auto file = Pid(instance.name); file && IsRunning(*file)) kill(file->pid, SIGKILL);
    }
  }
  void Program(const std::string& script) {
    WriteFile(folder / "program", "#!/bin/sh\n" + script + "\n");
    chmod((folder / "program").c_str(), 0755);
  }
  std::unique_ptr<Driver> Make() { return MakeProcessDriver(options, clock); }
  absl::Status Start() {
    return driver->Start({"n-2", "default", 2, [this] {
                            ++tokens;
                            return std::string("a token");
                          }});
  }
  std::optional<PidFile> Pid(const std::string& name) { return ReadPidFile(folder / "run/" + name + ".pid"); }
  State StateNow() { return driver->List()->at(0).state; }

  test::TempDir folder;
  test::HandClock clock;
  ProcessOptions options;
  int tokens = 0;
  std::unique_ptr<Driver> driver;
};

TEST_CASE("a node is started with its own ports, folders and token") {
  World world;
  REQUIRE(world.Start().ok());
  const std::string own = world.folder / "n-2";
  CHECK(Eventually([&] { return !ReadFile(world.folder / "log/n-2.log").empty(); }));
  CHECK(ReadFile(world.folder / "log/n-2.log") ==
        "--name n-2 --control-plane 127.0.0.1:7 --join-token-file " + own + "/join-token --http 0.0.0.0:11 --https "
        "0.0.0.0:111 --ops 127.0.0.1:211 --state " + own + "/state --access-log " + world.folder.path() +
        "/log/n-2.access.log --more\n");
  CHECK(ReadFile(own + "/join-token") == "a token\n");
  CHECK(world.StateNow() == State::kRunning);
}

TEST_CASE("another control plane finds the node, does not start it twice, and can stop it") {
  World world;
  REQUIRE(world.Start().ok());
  const pid_t pid = world.Pid("n-2")->pid;
  const auto next = world.Make();
  REQUIRE(next->List()->size() == 1);
  CHECK_FALSE(next->List()->at(0).outdated);
  REQUIRE(next->Start({"n-2", "default", 2, [] { return std::string(); }}).ok());
  CHECK(world.Pid("n-2")->pid == pid);
  REQUIRE(next->Stop("n-2").ok());
  CHECK(Eventually([&] { return world.StateNow() == State::kExited; }));
}

TEST_CASE("a node that does not end in time is killed") {
  World world;
  world.Program("trap '' TERM; echo deaf; while true; do sleep 1; done");
  REQUIRE(world.Start().ok());
  REQUIRE(Eventually([&] { return ReadFile(world.folder / "log/n-2.log") == "deaf\n"; }));
  REQUIRE(world.driver->Stop("n-2").ok());
  world.clock.now += kMaxStop - std::chrono::seconds(1);
  CHECK(world.StateNow() == State::kStopping);
  world.clock.now += std::chrono::seconds(1);
  CHECK(Eventually([&] { return world.StateNow() == State::kExited; }));
}

TEST_CASE("a token is made only for a node without a good identity") {
  World world;
  world.Program("exit 0");
  const std::string pem = world.folder / "n-2/state/identity/node.pem";
  for (const auto& [certificate, tokens] : {std::pair("", 1), std::pair("bad", 2), std::pair("good", 2)}) {
    test::Run({"mkdir", "-p", world.folder / "n-2/state/identity"});
    if (*certificate != '\0') WriteFile(pem, certificate);
    REQUIRE(world.Start().ok());
    CHECK(world.tokens == tokens);
    REQUIRE(Eventually([&] { return world.StateNow() == State::kExited; }));
  }
}

TEST_CASE("a node is outdated when its program, a watched file or an argument has changed") {
  World world;
  WriteFile(world.folder / "cert.pem", "one");
  world.options.watched = {world.folder / "cert.pem"};
  world.driver = world.Make();
  REQUIRE(world.Start().ok());
  const auto outdated = [&] { return world.driver->List()->at(0).outdated; };
  CHECK_FALSE(outdated());
  WriteFile(world.folder / "cert.pem", "other");
  CHECK(outdated());
  WriteFile(world.folder / "cert.pem", "one");
  CHECK_FALSE(outdated());
  unlink((world.folder / "cert.pem").c_str());
  CHECK_FALSE(outdated());  // what cannot be read is being written
  world.options.watched = {};
  world.options.arguments = {"--less"};
  CHECK(world.Make()->List()->at(0).outdated);
}

TEST_CASE("what is forgotten leaves nothing, and what runs is not forgotten") {
  World world;
  REQUIRE(world.Start().ok());
  CHECK(absl::IsFailedPrecondition(world.driver->Forget("n-2")));
  kill(world.Pid("n-2")->pid, SIGKILL);
  REQUIRE(Eventually([&] { return world.StateNow() == State::kExited; }));
  REQUIRE(world.driver->Forget("n-2").ok());
  CHECK(world.driver->List()->empty());
  CHECK(access((world.folder / "n-2").c_str(), F_OK) != 0);
}

TEST_CASE("while somebody holds the lock nothing is done to nodes") {
  World world;
  REQUIRE(world.driver->Forget("n-9").ok());  // makes the folder
  const int held = open((world.folder / "run/provisioner.lock").c_str(), O_RDWR | O_CLOEXEC);
  REQUIRE(flock(held, LOCK_EX | LOCK_NB) == 0);
  const absl::Status refused = world.Start();
  CHECK_THAT(std::string(refused.message()), Catch::Contains("run/provisioner.lock"));
  close(held);
  CHECK(world.Start().ok());
}

TEST_CASE("other programs' pid files are none of its business") {
  World world;
  REQUIRE(world.driver->Forget("n-9").ok());
  WriteFile(world.folder / "run/control-plane.pid", "42 7 abc\n");
  WriteFile(world.folder / "run/n-101.pid", "42 7 abc\n");  // past the bound
  CHECK(world.driver->List()->empty());
}

TEST_CASE("a log that has grown past its bound is put aside at the next start") {
  World world;
  REQUIRE(test::Run({"mkdir", "-p", world.folder / "log"}).exit_code == 0);
  WriteFile(world.folder / "log/n-2.log", "old");
  REQUIRE(truncate((world.folder / "log/n-2.log").c_str(), kMaxLogBytes + 1) == 0);
  REQUIRE(world.Start().ok());
  struct stat aside = {};
  REQUIRE(stat((world.folder / "log/n-2.log.1").c_str(), &aside) == 0);
  CHECK(aside.st_size == kMaxLogBytes + 1);
}

}  // namespace
}  // namespace sluice::provision
