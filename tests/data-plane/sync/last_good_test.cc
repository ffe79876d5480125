#include "data-plane/sync/last_good.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "catch2/catch.hpp"

namespace sluice::sync {
namespace {

// A folder of its own for each test.
struct Folder {
  Folder() {
    char name[] = "/tmp/sluice-last-good-XXXXXX";
    path = mkdtemp(name);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string File(const std::string& name) const { return path + "/" + name; }
  std::string Read(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(File(name), std::ios::binary).rdbuf();
    return text.str();
  }
  void Write(const std::string& name, const std::string& bytes) const {
    std::ofstream(File(name), std::ios::binary) << bytes;
  }
  std::string path;
};

std::string Snapshot(int64_t revision) {
  v1::Snapshot snapshot;
  snapshot.set_epoch("e");
  snapshot.set_revision(revision);
  snapshot.add_gateways()->set_config("bytes of a configuration");
  return snapshot.SerializeAsString();
}

const StateKey& Key() {
  static const StateKey key = StateKey::Random();
  return key;
}

// The revision that is read; -1 for NOT_FOUND, -2 for DATA_LOSS.
int64_t Revision(const Folder& folder) {
  auto snapshot = ReadSnapshot(folder.path, Key());
  if (snapshot.ok()) return snapshot->revision();
  return absl::IsNotFound(snapshot.status()) ? -1 : absl::IsDataLoss(snapshot.status()) ? -2 : -3;
}

TEST_CASE("an empty folder has no snapshot") {
  Folder folder;
  CHECK(Revision(folder) == -1);
}

TEST_CASE("the newest snapshot is read") {
  Folder folder;
  REQUIRE(WriteSnapshot(folder.path, Key(), Snapshot(1)).ok());
  REQUIRE(WriteSnapshot(folder.path, Key(), Snapshot(2)).ok());
  CHECK(Revision(folder) == 2);
  CHECK(ReadSnapshot(folder.path, Key())->gateways(0).config() == "bytes of a configuration");
}

TEST_CASE("only its owner may read a snapshot") {
  Folder folder;
  REQUIRE(WriteSnapshot(folder.path, Key(), Snapshot(1)).ok());
  struct stat info;
  REQUIRE(stat(folder.File("last-good").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
}

TEST_CASE("nothing of a configuration is in clear on the disk") {
  Folder folder;
  REQUIRE(WriteSnapshot(folder.path, Key(), Snapshot(1)).ok());
  CHECK(folder.Read("last-good").find("bytes of") == std::string::npos);
}

TEST_CASE("a snapshot that was sealed with another key is none") {
  Folder folder;
  REQUIRE(WriteSnapshot(folder.path, StateKey::Random(), Snapshot(1)).ok());
  const absl::Status other = ReadSnapshot(folder.path, Key()).status();
  CHECK(absl::IsDataLoss(other));
  CHECK(std::string(other.message()).find("another state key") != std::string::npos);
}

TEST_CASE("any flipped byte is noticed, and the generation before is read") {
  Folder folder;
  REQUIRE(WriteSnapshot(folder.path, Key(), Snapshot(1)).ok());
  REQUIRE(WriteSnapshot(folder.path, Key(), Snapshot(2)).ok());
  const std::string whole = folder.Read("last-good");
  for (size_t i = 0; i < whole.size(); ++i) {
    std::string flipped = whole;
    flipped[i] = static_cast<char>(flipped[i] ^ 1);
    folder.Write("last-good", flipped);
    REQUIRE(Revision(folder) == 1);
  }
}

TEST_CASE("a file cut at any place is noticed") {
  Folder folder;
  REQUIRE(WriteSnapshot(folder.path, Key(), Snapshot(1)).ok());
  REQUIRE(WriteSnapshot(folder.path, Key(), Snapshot(2)).ok());
  const std::string whole = folder.Read("last-good");
  for (size_t size = 0; size < whole.size(); ++size) {
    folder.Write("last-good", whole.substr(0, size));
    REQUIRE(Revision(folder) == 1);
  }
}

TEST_CASE("two damaged generations are none") {
  Folder folder;
  folder.Write("last-good", "sluice");
  folder.Write("last-good.previous", "");
  CHECK(Revision(folder) == -2);
}

TEST_CASE("a kill while the file is written leaves what was there") {
  Folder folder;
  REQUIRE(WriteSnapshot(folder.path, Key(), Snapshot(1)).ok());
  folder.Write("last-good.new", folder.Read("last-good").substr(0, 30));
  CHECK(Revision(folder) == 1);
  REQUIRE(WriteSnapshot(folder.path, Key(), Snapshot(2)).ok());
  CHECK(Revision(folder) == 2);
}

TEST_CASE("a kill between the renames leaves the generation before") {
  Folder folder;
  REQUIRE(WriteSnapshot(folder.path, Key(), Snapshot(1)).ok());
  folder.Write("last-good.new", folder.Read("last-good"));
  REQUIRE(rename(folder.File("last-good").c_str(), folder.File("last-good.previous").c_str()) == 0);
  CHECK(Revision(folder) == 1);
}

TEST_CASE("a full disk is an error that leaves what was there") {
  Folder folder;
  REQUIRE(WriteSnapshot(folder.path, Key(), Snapshot(1)).ok());
  REQUIRE(symlink("/dev/full", folder.File("last-good.new").c_str()) == 0);
  const absl::Status full = WriteSnapshot(folder.path, Key(), Snapshot(2));
  CHECK(std::string(full.message()).find("No space left on device") != std::string::npos);
  CHECK(Revision(folder) == 1);
}

TEST_CASE("the writer saves the latest before it ends") {
  Folder folder;
  Status status;
  {
    LastGood last_good(folder.path + "/made", Key(), status);
    for (int64_t revision = 1; revision <= 50; ++revision) last_good.Save([revision] { return Snapshot(revision); });
  }
  CHECK(ReadSnapshot(folder.path + "/made", Key())->revision() == 50);
  CHECK(status.snapshot_failures == 0);
  CHECK(status.snapshot_at > 0);
}

TEST_CASE("the state key is made once, readable by its owner only, and read again") {
  Folder folder;
  const auto made = StateKey::Open(folder.path + "/state", "", "");
  REQUIRE(made.ok());
  struct stat info;
  REQUIRE(stat(folder.File("state/key").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  CHECK(StateKey::Open(folder.path + "/state", "", "")->bytes() == made->bytes());
  CHECK(StateKey::Open("/none", folder.File("state/key"), "")->bytes() == made->bytes());
  CHECK(StateKey::Open("/none", "", folder.Read("state/key"))->bytes() == made->bytes());
}

TEST_CASE("a state key that is none is an error that names where it came from and does not repeat it") {
  Folder folder;
  folder.Write("short", "c2VjcmV0\n");
  const absl::Status file = StateKey::Open(folder.path, folder.File("short"), "").status();
  CHECK(std::string(file.message()).find(folder.File("short")) != std::string::npos);
  const absl::Status text = StateKey::Open(folder.path, "", "c2VjcmV0").status();
  CHECK(std::string(text.message()).find("SLUICE_STATE_KEY") != std::string::npos);
  CHECK(std::string(text.message()).find("c2VjcmV0") == std::string::npos);
  CHECK(absl::IsInvalidArgument(StateKey::Open(folder.path, "/no/file", "").status()));
}

TEST_CASE("where a state key cannot be kept there is one for this process") {
  const auto made = StateKey::Open("/dev/null/state", "", "");
  REQUIRE(made.ok());
  CHECK(made->bytes().size() == 32);
}

TEST_CASE("a folder that cannot be written is counted and nothing more") {
  Folder folder;
  folder.Write("file", "");
  Status status;
  {
    LastGood(folder.File("file") + "/below", Key(), status).Save([] { return Snapshot(1); });
  }
  CHECK(status.snapshot_failures == 1);
  CHECK(status.snapshot_at == 0);
}

}  // namespace
}  // namespace sluice::sync
