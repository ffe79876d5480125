#include "control-plane/provision/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>
#include <optional>

#include "common/base/text.h"
#include "common/observe/log.h"
#include "control-plane/fleet/files.h"
#include "control-plane/provision/fingerprint.h"
#include "control-plane/provision/http.h"
#include "control-plane/provision/pid_file.h"
#include "control-plane/provision/spawn.h"

namespace sluice::provision {
namespace {

namespace fs = std::filesystem;

// Held while something is done to processes or their files.
class Lock {
 public:
  explicit Lock(const std::string& path)
      : descriptor_(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)),
        held_(descriptor_ >= 0 && flock(descriptor_, LOCK_EX | LOCK_NB) == 0) {}
  ~Lock() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  Lock(const Lock&) = delete;
  bool held() const { return held_; }

 private:
  const int descriptor_;
  const bool held_;
};

class ProcessDriver final : public Driver {
 public:
  ProcessDriver(ProcessOptions options, const Clock& clock) : options_(std::move(options)), clock_(clock) {}

  absl::StatusOr<std::vector<Instance>> List() override {
    for (auto child = children_.begin(); child != children_.end();) {
      child = waitpid(*child, nullptr, WNOHANG) != 0 ? children_.erase(child) : std::next(child);
    }
    std::vector<Instance> instances;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(Run(""), error)) {
      if (entry.path().extension() != ".pid") continue;
      const std::string name = entry.path().stem();
      const std::optional<int> slot = SlotOf(options_.prefix, name);
      const std::optional<PidFile> file = ReadPidFile(entry.path());
      if (slot && *slot <= kMaxNodes && file) instances.push_back(Look(name, *slot, *file));
    }
    if (error && error != std::errc::no_such_file_or_directory) {
      return absl::UnavailableError(Cat("cannot read ", Run(""), ": ", error.message()));
    }
    return instances;
  }

  absl::Status Start(const Launch& launch) override {
    return Alone([&]() -> absl::Status {
      const std::optional<PidFile> file = ReadPidFile(PidPath(launch.name));
      if (file && IsRunning(*file)) return absl::OkStatus();
      const std::string own = Own(launch.name);
      const std::string log = Log(launch.name);
      absl::Status made = fleet::MakeFolder(own);
      for (const std::string& folder : {own + "/state", options_.state + "/log"}) {
        if (made.ok()) made = fleet::MakeFolder(folder);
      }
      if (made.ok()) made = EnsureToken(launch, own);
      if (!made.ok()) return made;
      const std::vector<std::string> command = Command(launch.name, launch.slot);
      auto print = prints_.Of(command, options_.watched);
      if (!print.ok()) return print.status();
      struct stat before = {};
      if (stat(log.c_str(), &before) == 0 && before.st_size > kMaxLogBytes) rename(log.c_str(), (log + ".1").c_str());
      auto pid = SpawnDetached(command, log, [&](pid_t child) {
        return WritePidFile(PidPath(launch.name), {child, StartTime(child), *print});
      });
      if (!pid.ok()) return pid.status();
      children_.push_back(*pid);
      stopping_.erase(launch.name);
      return absl::OkStatus();
    });
  }

  absl::Status Stop(const std::string& name) override {
    return Alone([&] {
      const std::optional<PidFile> file = ReadPidFile(PidPath(name));
      if (!file || !IsRunning(*file)) return absl::OkStatus();
      kill(file->pid, SIGTERM);
      stopping_.try_emplace(name, clock_.Now() + kMaxStop);
      return absl::OkStatus();
    });
  }

  absl::Status Forget(const std::string& name) override {
    return Alone([&]() -> absl::Status {
      const std::optional<PidFile> file = ReadPidFile(PidPath(name));
      if (file && IsRunning(*file)) return absl::FailedPreconditionError(Cat(name, " runs"));
      std::error_code error;
      fs::remove_all(Own(name), error);
      if (error) return absl::UnavailableError(Cat("cannot remove ", Own(name), ": ", error.message()));
      unlink(PidPath(name).c_str());  // last: until then it is listed, and this is tried again
      stopping_.erase(name);
      return absl::OkStatus();
    });
  }

 private:
  std::string Run(const std::string& file) const { return Cat(options_.state, "/run/", file); }
  std::string PidPath(const std::string& name) const { return Run(name + ".pid"); }
  std::string Own(const std::string& name) const { return Cat(options_.state, "/", name); }
  std::string Log(const std::string& name) const { return Cat(options_.state, "/log/", name, ".log"); }
  std::string OpsAddress(int slot) const { return Cat("127.0.0.1:", PortPlan::Of(options_.ports.ops, slot)); }

  template <typename Act>
  absl::Status Alone(const Act& act) {
    if (absl::Status made = fleet::MakeFolder(Run("").substr(0, Run("").size() - 1)); !made.ok()) return made;
    const std::string path = Run("provisioner.lock");
    const Lock lock(path);
    if (lock.held()) return act();
    return absl::UnavailableError(
        Cat("another control plane, or deploy/down, acts on the nodes of ", options_.state, ": it holds ", path));
  }

  Instance Look(const std::string& name, int slot, const PidFile& file) {
    Instance instance{name, slot};
    if (!IsRunning(file)) {
      instance.state = State::kExited;
      return instance;
    }
    if (const auto stopping = stopping_.find(name); stopping != stopping_.end()) {
      instance.state = State::kStopping;
      if (clock_.Now() >= stopping->second) {
        log::Error("a node did not end in time and is killed", {{"node", name}, {"pid", Cat(file.pid)}});
        kill(file.pid, SIGKILL);
      }
    }
    const auto print = prints_.Of(Command(name, slot), options_.watched);
    instance.outdated = print.ok() && *print != file.print;  // what cannot be read now is being written
    const auto ready = http_.Send({.url = Cat("http://", OpsAddress(slot), "/readyz"), .timeout = kReadyTimeout});
    instance.ready = ready.ok() && ready->status == 200;
    return instance;
  }

  std::vector<std::string> Command(const std::string& name, int slot) const {
    const std::string own = Own(name);
    std::vector<std::string> command = {
        options_.program, "--name", name, "--control-plane", options_.control_planes,
        "--join-token-file", own + "/join-token",
        "--http", Cat("0.0.0.0:", PortPlan::Of(options_.ports.http, slot)),
        "--https", Cat("0.0.0.0:", PortPlan::Of(options_.ports.https, slot)),
        "--ops", OpsAddress(slot), "--state", own + "/state",
        "--access-log", Cat(options_.state, "/log/", name, ".access.log")};
    command.insert(command.end(), options_.arguments.begin(), options_.arguments.end());
    return command;
  }

  // Where the node has no identity that the control plane still takes.
  absl::Status EnsureToken(const Launch& launch, const std::string& own) {
    const auto certificate = fleet::ReadSmallFile(own + "/state/identity/node.pem");
    if (certificate.ok() && options_.is_member(*certificate)) return absl::OkStatus();
    auto token = launch.token();
    if (!token.ok()) return token.status();
    return fleet::ReplaceFile(own + "/join-token", *token + "\n", 0600);
  }

  const ProcessOptions options_;
  const Clock& clock_;
  HttpClient http_;
  Fingerprints prints_;
  std::map<std::string, MonotonicTime> stopping_;  // until when, by name
  std::vector<pid_t> children_;                    // to be waited for
};

}  // namespace

std::unique_ptr<Driver> MakeProcessDriver(ProcessOptions options, const Clock& clock) {
  return std::make_unique<ProcessDriver>(std::move(options), clock);
}

}  // namespace sluice::provision
