#include "tests/support/process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "catch2/catch.hpp"
#include "common/base/random.h"
#include "tests/support/eventually.h"

namespace sluice::test {
namespace {

int ExitCode(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

[[noreturn]] void Exec(const std::vector<std::string>& command, const std::vector<std::string>& environment) {
  for (const std::string& pair : environment) putenv(const_cast<char*>(pair.c_str()));
  std::vector<char*> argv;
  for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  execvp(argv[0], argv.data());
  dprintf(STDERR_FILENO, "cannot run %s\n", argv[0]);
  _exit(127);
}

}  // namespace

TempDir::TempDir() {
  char name[] = "/tmp/sluice-test-XXXXXX";
  REQUIRE(mkdtemp(name) != nullptr);
  path_ = name;
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

void WriteFile(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

uint16_t FreePort() {
  constexpr int kFirst = 12000, kCount = 20000, kMaxTries = 1000;
  static uint64_t next = Random64() % kCount;  // one after the other: none is given twice before it is taken
  for (int tries = 0; tries < kMaxTries; ++tries) {
    const auto port = static_cast<uint16_t>(kFirst + next++ % kCount);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool is_free = bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    close(fd);
    if (is_free) return port;
  }
  FAIL("no TCP port is free");
  return 0;
}

Finished Run(const std::vector<std::string>& command, const std::string& input,
             const std::vector<std::string>& environment, std::chrono::seconds timeout) {
  TempDir scratch;
  WriteFile(scratch / "in", input);
  const pid_t pid = fork();
  if (pid == 0) {
    dup2(open((scratch / "in").c_str(), O_RDONLY), STDIN_FILENO);
    dup2(open((scratch / "out").c_str(), O_WRONLY | O_CREAT, 0600), STDOUT_FILENO);
    dup2(open((scratch / "err").c_str(), O_WRONLY | O_CREAT, 0600), STDERR_FILENO);
    Exec(command, environment);
  }
  int status = 0;
  const bool ended = Eventually([&] { return waitpid(pid, &status, WNOHANG) == pid; }, timeout);
  if (!ended) {
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
  }
  Finished finished{.exit_code = ExitCode(status), .out = ReadFile(scratch / "out"), .err = ReadFile(scratch / "err")};
  INFO(command[0] << " did not end in time; stderr: " << finished.err);
  REQUIRE(ended);
  return finished;
}

Process::Process(std::vector<std::string> command, std::string log) : log_(std::move(log)) {
  pid_ = fork();
  if (pid_ == 0) {
    const int fd = open(log_.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    Exec(command, {});
  }
  REQUIRE(pid_ > 0);
}

Process::~Process() {
  End(SIGKILL);
}

void Process::End(int signal, std::chrono::seconds timeout) {
  Signal(signal);
  if (Eventually([&] { return !running(); }, timeout)) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

bool Process::running() {
  int status = 0;
  if (pid_ > 0 && waitpid(pid_, &status, WNOHANG) == pid_) {
    exit_code_ = ExitCode(status);
    pid_ = -1;
  }
  return pid_ > 0;
}

void Process::Signal(int signal) {
  if (pid_ > 0) kill(pid_, signal);
}

int Process::Wait(std::chrono::seconds timeout) {
  INFO("log: " << ReadFile(log_));
  REQUIRE(Eventually([&] { return !running(); }, timeout));
  return exit_code_;
}

void Process::Kill() {
  Signal(SIGKILL);
  Wait();
}

}  // namespace sluice::test
