#pragma once

// A name server for tests: real UDP and TCP sockets on a free port of 127.0.0.1, in a thread of its own. It answers
// from a table and counts what it was asked.

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace sluice::io {

class DnsServer {
 public:
  struct Record {
    std::vector<std::string> v4;
    std::vector<std::string> v6;
    uint32_t ttl = 60;
    int rcode = 0;              // 3: no such name, 2: server failure
    bool silent = false;        // no answer at all
    bool only_over_tcp = false; // UDP answers are truncated
  };
  DnsServer();
  ~DnsServer();
  DnsServer(const DnsServer&) = delete;

  void Put(const std::string& name, Record record);  // unknown names: no such name
  std::string servers() const { return "127.0.0.1:" + std::to_string(port_); }
  int asked(const std::string& name) const;  // for A records
  int asked_in_all() const { return in_all_.load(); }

 private:
  bool Bind();  // both sockets to one port; false where that is taken
  void Serve();
  std::string Answer(const std::string& query, bool tcp);
  void ServeTcp();

  int udp_ = -1;
  int tcp_ = -1;
  int stop_[2];
  uint16_t port_ = 0;
  mutable std::mutex mutex_;  // guards records_ and asked_
  std::map<std::string, Record> records_;
  std::map<std::string, int> asked_;
  std::atomic<int> in_all_{0};
  std::thread thread_;
};

}  // namespace sluice::io
