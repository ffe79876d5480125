#include "control-plane/provision/spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "common/base/text.h"

namespace sluice::provision {
namespace {

// Waits for a word on its input, then becomes the program. Without the word: the writer is gone, and so is it.
constexpr char kGate[] = "read -r go && [ \"$go\" = go ] && exec \"$@\" </dev/null";

// What a program inherits. Nothing else: this process may have the database's password and its keys there.
constexpr const char* kInherited[] = {"PATH",          "HOME",         "LANG",         "LC_ALL",
                                      "TZ",            "TMPDIR",       "SSL_CERT_DIR", "SSL_CERT_FILE",
                                      "ASAN_OPTIONS",  "TSAN_OPTIONS", "UBSAN_OPTIONS", "SLUICE_STATE_KEY"};

std::vector<std::string> Inherited() {
  std::vector<std::string> kept;
  for (const char* name : kInherited) {
    if (const char* value = std::getenv(name)) kept.push_back(Cat(name, "=", value));
  }
  return kept;
}

std::vector<char*> Pointers(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

class Actions {
 public:
  Actions() {
    posix_spawn_file_actions_init(&files_);
    posix_spawnattr_init(&attributes_);
  }
  ~Actions() {
    posix_spawn_file_actions_destroy(&files_);
    posix_spawnattr_destroy(&attributes_);
  }
  Actions(const Actions&) = delete;

  int Set(int input, const char* log) {
    // This process blocks and ignores signals that the program must get.
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    int error = posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    if (error == 0) error = posix_spawn_file_actions_adddup2(&files_, input, STDIN_FILENO);
    if (error == 0) {
      error = posix_spawn_file_actions_addopen(&files_, STDOUT_FILENO, log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    }
    if (error == 0) error = posix_spawn_file_actions_adddup2(&files_, STDOUT_FILENO, STDERR_FILENO);
    if (error == 0) error = posix_spawn_file_actions_addclosefrom_np(&files_, STDERR_FILENO + 1);
    return error;
  }
  const posix_spawn_file_actions_t* files() const { return &files_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t files_;
  posix_spawnattr_t attributes_;
};

}  // namespace

absl::StatusOr<pid_t> SpawnDetached(const std::vector<std::string>& command, const std::string& log,
                                    const std::function<absl::Status(pid_t)>& known) {
  std::vector<std::string> words = {"/bin/sh", "-c", kGate, "sh"};
  words.insert(words.end(), command.begin(), command.end());
  std::vector<std::string> environment = Inherited();
  int gate[2];
  if (pipe2(gate, O_CLOEXEC) != 0) return absl::UnavailableError(Cat("cannot make a pipe: ", std::strerror(errno)));
  Actions actions;
  pid_t pid = 0;
  int error = actions.Set(gate[0], log.c_str());
  if (error == 0) {
    error = posix_spawn(&pid, "/bin/sh", actions.files(), actions.attributes(), Pointers(words).data(),
                        Pointers(environment).data());
  }
  close(gate[0]);
  absl::Status status;
  if (error != 0) {
    status = absl::UnavailableError(Cat("cannot start ", command.front(), ", with its output in ", log, ": ",
                                        std::strerror(error)));
  } else {
    status = known(pid);
  }
  // A pipe has room for it; where the child is gone, its exit is found as every other is.
  if (status.ok()) (void)!write(gate[1], "go\n", 3);
  close(gate[1]);
  if (status.ok()) return pid;
  if (pid > 0) waitpid(pid, nullptr, 0);  // it read nothing and ends
  return status;
}

}  // namespace sluice::provision
