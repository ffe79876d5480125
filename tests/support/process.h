#pragma once

// A real process of a test: started with its output in a file, ended with the test. Test thread only.

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace sluice::test {

// A folder below /tmp that is removed with the object.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

std::string ReadFile(const std::string& path);  // "" where absent
void WriteFile(const std::string& path, const std::string& content);

// A TCP port of 127.0.0.1 that nobody listens on, below those that the kernel gives to outgoing connections.
uint16_t FreePort();

struct Finished {
  int exit_code = -1;  // 128 + signal where a signal ended it
  std::string out;
  std::string err;
};
// Runs a command to its end, at most `timeout`.
Finished Run(const std::vector<std::string>& command, const std::string& input = "",
             const std::vector<std::string>& environment = {}, std::chrono::seconds timeout = std::chrono::seconds(60));

class Process {
 public:
  // Output of both streams goes to `log`, appended.
  Process(std::vector<std::string> command, std::string log);
  ~Process();  // SIGKILL where it still runs
  Process(const Process&) = delete;

  pid_t pid() const { return pid_; }
  bool running();
  void Signal(int signal);
  // Its exit code (128 + signal where a signal ended it); fails the test at the deadline.
  int Wait(std::chrono::seconds timeout = std::chrono::seconds(45));
  void Kill();  // SIGKILL and wait
  // Signals and waits, for destructors that run after the last test: asserts nothing, and SIGKILLs past the timeout.
  void End(int signal, std::chrono::seconds timeout = std::chrono::seconds(10));
  const std::string& log() const { return log_; }

 private:
  std::string log_;
  pid_t pid_ = -1;
  int exit_code_ = -1;
};

}  // namespace sluice::test
