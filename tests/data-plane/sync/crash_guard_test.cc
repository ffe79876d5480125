#include "data-plane/sync/crash_guard.h"

#include <sys/stat.h>

#include <filesystem>
#include <optional>

#include "catch2/catch.hpp"
#include "tests/support/process.h"

namespace sluice::sync {
namespace {

using Advice = CrashGuard::Advice;

CrashGuard::Candidate Candidate(const std::string& id, const std::string& config, int64_t revision = 1) {
  return {id, revision, std::make_shared<const std::string>(config)};
}

// A node's disk over the lives of its processes: a guard that goes without Done was in one that crashed.
struct Disk {
  CrashGuard Start(const std::string& build = "1") const { return CrashGuard(folder.path(), build); }
  void CrashWith(std::vector<CrashGuard::Candidate> candidates) const { Start().Trying(candidates); }
  bool Marked() const { return std::filesystem::exists(folder / "trying"); }
  test::TempDir folder;
};

TEST_CASE("a node that never crashed tries everything together and leaves no mark") {
  const Disk disk;
  CrashGuard guard = disk.Start();
  CHECK(guard.For("config") == Advice::kTogether);
  guard.Trying(std::vector{Candidate("a", "config")});
  CHECK(disk.Marked());
  guard.Done();
  CHECK_FALSE(disk.Marked());
}

TEST_CASE("what was tried at a crash is tried alone, and what was not is not") {
  const Disk disk;
  disk.CrashWith({Candidate("a", "good"), Candidate("b", "bad")});
  const CrashGuard guard = disk.Start();
  CHECK(guard.For("good") == Advice::kAlone);
  CHECK(guard.For("bad") == Advice::kAlone);
  CHECK(guard.For("better") == Advice::kTogether);
}

TEST_CASE("the second crash with the same configuration is the last") {
  const Disk disk;
  disk.CrashWith({Candidate("a", "good"), Candidate("b", "bad")});
  CrashGuard second = disk.Start();
  second.Trying(std::vector{Candidate("a", "good")});
  second.Done();
  second.Trying(std::vector{Candidate("b", "bad")});
  const CrashGuard third = disk.Start();
  CHECK(third.For("good") == Advice::kTogether);
  CHECK(third.For("bad") == Advice::kNever);
}

TEST_CASE("what is known of crashes lasts over quiet restarts, until the configuration changes") {
  const Disk disk;
  disk.CrashWith({Candidate("b", "bad")});
  disk.CrashWith({Candidate("b", "bad")});
  disk.Start();
  CrashGuard guard = disk.Start();
  guard.Trying(std::vector{Candidate("b", "last good", 0)});
  guard.Done();
  CHECK(guard.For("bad") == Advice::kNever);
  guard.Trying(std::vector{Candidate("b", "better", 2)});
  guard.Done();
  CHECK(disk.Start().For("bad") == Advice::kTogether);
  CHECK_FALSE(disk.Marked());
}

TEST_CASE("a crash with another configuration of the gateway is its first") {
  const Disk disk;
  disk.CrashWith({Candidate("b", "bad")});
  disk.CrashWith({Candidate("b", "other", 2)});
  CHECK(disk.Start().For("other") == Advice::kAlone);
}

TEST_CASE("a gateway that is gone is forgotten, and so is everything by another build") {
  const Disk disk;
  disk.CrashWith({Candidate("a", "gone"), Candidate("b", "bad")});
  disk.Start().Forget("a");
  CHECK(disk.Start().For("gone") == Advice::kTogether);
  CHECK(disk.Start().For("bad") == Advice::kAlone);
  CHECK(disk.Start("2").For("bad") == Advice::kTogether);
}

TEST_CASE("a mark that does not parse, or cannot be written, says nothing") {
  const Disk disk;
  test::WriteFile(disk.folder / "trying", "\xff\xff\xff");
  CHECK(disk.Start().For("config") == Advice::kTogether);
  CrashGuard nowhere("/dev/null/state", "1");
  nowhere.Trying(std::vector{Candidate("a", "config")});
  nowhere.Done();
  CHECK(nowhere.For("config") == Advice::kTogether);
}

TEST_CASE("a removal needs no mark") {
  const Disk disk;
  CrashGuard guard = disk.Start();
  guard.Trying(std::vector{CrashGuard::Candidate{"a", 1, nullptr}});
  CHECK_FALSE(disk.Marked());
}

}  // namespace
}  // namespace sluice::sync
