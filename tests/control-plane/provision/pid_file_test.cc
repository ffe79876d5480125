#include "control-plane/provision/pid_file.h"

#include <unistd.h>

#include <csignal>

#include "catch2/catch.hpp"
#include "control-plane/provision/fingerprint.h"
#include "control-plane/provision/spawn.h"
#include "tests/support/eventually.h"
#include "tests/support/process.h"

namespace sluice::provision {
namespace {

using test::Eventually;
using test::ReadFile;
using test::Run;
using test::TempDir;
using test::WriteFile;

TEST_CASE("a pid file says what it was written with, in the form of deploy/lib/process.sh") {
  TempDir folder;
  REQUIRE(WritePidFile(folder / "a.pid", {42, 7, "abc"}).ok());
  CHECK(ReadFile(folder / "a.pid") == "42 7 abc\n");
  const auto file = ReadPidFile(folder / "a.pid");
  REQUIRE(file);
  CHECK(file->pid == 42);
  CHECK(file->started == 7);
  CHECK(file->print == "abc");
}

TEST_CASE("what is no pid file is none") {
  TempDir folder;
  for (const char* text : {"", "x 1 a", "1 2 init", "-7 2 group", "42"}) {
    WriteFile(folder / "a.pid", text);
    CHECK_FALSE(ReadPidFile(folder / "a.pid"));
  }
  CHECK_FALSE(ReadPidFile(folder / "none.pid"));
}

TEST_CASE("a process is known by when it started, and not by its pid alone") {
  const uint64_t started = StartTime(getpid());
  CHECK(started > 0);
  CHECK(IsRunning({getpid(), started, ""}));
  CHECK_FALSE(IsRunning({getpid(), started - 1, ""}));
  CHECK_FALSE(IsRunning({getpid(), 0, ""}));
}

TEST_CASE("what deploy/lib/process.sh has started runs") {
  TempDir folder;
  const auto started = Run({"bash", "-c", "set -e; . deploy/lib/common.sh; . deploy/lib/process.sh; state=" +
                                              folder.path() + "; process_init; process_ensure nap /bin/sleep 60"});
  REQUIRE(started.exit_code == 0);
  const auto file = ReadPidFile(folder / "run/nap.pid");
  REQUIRE(file);
  CHECK(IsRunning(*file));
  kill(file->pid, SIGKILL);
  CHECK(Eventually([&] { return !IsRunning(*file); }));
}

TEST_CASE("a process is written down before its program begins, and never begins where it cannot be") {
  TempDir folder;
  const std::vector<std::string> command = {"/bin/sh", "-c", "echo began"};
  const auto refused = SpawnDetached(command, folder / "log", [](pid_t) { return absl::InternalError("full"); });
  CHECK(refused.status().message() == "full");
  CHECK(ReadFile(folder / "log").empty());
  bool known = false;
  const auto pid = SpawnDetached(command, folder / "log", [&](pid_t child) {
    known = StartTime(child) > 0;
    return absl::OkStatus();
  });
  REQUIRE(pid.ok());
  CHECK(known);
  CHECK(Eventually([&] { return ReadFile(folder / "log") == "began\n"; }));
}

TEST_CASE("a started program has none of this process's secrets, signals or descriptors") {
  TempDir folder;
  setenv("SLUICE_SECRET_KEY", "secret", 1);
  const auto pid = SpawnDetached({"/bin/sh", "-c", "env; ls -l /proc/self/fd; grep SigBlk /proc/self/status; echo end"},
                                 folder / "log", [](pid_t) { return absl::OkStatus(); });
  unsetenv("SLUICE_SECRET_KEY");
  REQUIRE(pid.ok());
  REQUIRE(Eventually([&] { return ReadFile(folder / "log").find("\nend\n") != std::string::npos; }));
  const std::string log = ReadFile(folder / "log");
  CHECK(log.find("secret") == std::string::npos);
  CHECK(log.find(" 4 -> ") == std::string::npos);
  CHECK(log.find("SigBlk:\t0000000000000000") != std::string::npos);
}

TEST_CASE("a fingerprint follows the program's bytes, the files it reads and its arguments") {
  TempDir folder;
  WriteFile(folder / "program", "one");
  WriteFile(folder / "input", "two");
  Fingerprints prints;
  const auto of = [&](const std::string& argument) {
    return *prints.Of({folder / "program", argument}, {folder / "input"});
  };
  const std::string first = of("a");
  CHECK(first.size() == 32);
  CHECK(of("a") == first);
  CHECK(of("b") != first);
  WriteFile(folder / "input", "other");
  const std::string second = of("a");
  CHECK(second != first);
  WriteFile(folder / "program", "another");
  CHECK(of("a") != second);
  CHECK(absl::IsNotFound(prints.Of({folder / "none"}, {}).status()));
}

}  // namespace
}  // namespace sluice::provision
