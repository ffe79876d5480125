#pragma once

// An HTTP server behind a Unix socket of its own, which answers as the test has said and remembers what it was asked.
// One connection at a time.

#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/process.h"

namespace sluice::test {

class FakeEngine {
 public:
  struct Request {
    std::string method, target, type, body;
  };

  FakeEngine();
  ~FakeEngine();
  FakeEngine(const FakeEngine&) = delete;

  const std::string& socket() const { return path_; }
  // To every request of that method and path ("GET /version"), from now on; 404 to all others.
  void Answer(const std::string& what, int status, const std::string& body);
  Request Asked(const std::string& what) const;  // the last one; empty: none
  size_t Count(const std::string& what) const;

 private:
  void Run();
  void Serve(int connection);
  std::string Reply(const Request& request);

  TempDir folder_;
  const std::string path_ = folder_ / "engine.sock";
  int listener_ = -1;
  mutable std::mutex mutex_;
  std::map<std::string, std::pair<int, std::string>> answers_;
  std::vector<std::pair<std::string, Request>> asked_;
  std::thread thread_;
};

}  // namespace sluice::test
