#pragma once

// An exchange without sockets: what the client sent is written down, what plugins did is read off. Its worker answers
// calls from a script, on a real loop, at a time that the test decides. One thread.

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "data-plane/http/fields.h"
#include "data-plane/plugin/exchange.h"
#include "data-plane/plugin/log_queue.h"

namespace sluice::test {

class FixedClock final : public Clock {
 public:
  MonotonicTime Now() const override { return MonotonicTime(std::chrono::seconds(1)); }
  WallTime WallNow() const override { return wall; }
  WallTime wall = WallTime(std::chrono::seconds(1'700'000'000));  // 2023-11-14T22:13:20Z, a Tuesday
};

class FakeWorker final : public PluginWorker {
 public:
  FakeWorker() : queues_(*this) {}
  io::Loop& loop() override { return loop_; }
  const Clock& clock() override { return fixed_clock; }
  int index() const override { return 0; }
  io::Task<HttpCallResult> Call(std::shared_ptr<const Gateway>, HttpCall call) override {
    calls.push_back(std::move(call));
    HttpCallResult result{.status = 200, .error = {}};
    if (!answers.empty()) {
      result.status = answers.front();
      answers.pop_front();
    }
    if (stop_after != 0 && calls.size() == stop_after) loop_.Stop();
    co_return result;
  }
  LogQueues& log_queues() override { return queues_; }

  FixedClock fixed_clock;
  std::vector<HttpCall> calls;
  std::deque<int> answers;  // statuses; 200 where it has run out
  size_t stop_after = 0;    // the loop stops behind that many calls

 private:
  io::Loop loop_;
  LogQueues queues_;
};

// Runs a task that suspends for nothing but other tasks of that kind.
template <typename T>
T RunNow(io::Task<T> task) {
  struct Driver {
    struct promise_type {
      Driver get_return_object() { return {}; }
      std::suspend_never initial_suspend() noexcept { return {}; }
      std::suspend_never final_suspend() noexcept { return {}; }
      void return_void() {}
      void unhandled_exception() { std::terminate(); }
    };
    static Driver Drive(io::Task<T> task, std::optional<T>& out) {
      T value = co_await std::move(task);
      out.emplace(std::move(value));
    }
  };
  std::optional<T> out;
  Driver::Drive(std::move(task), out);
  SLUICE_CHECK(out.has_value());
  return *std::move(out);
}

struct FakeRequest {
  std::string method = "GET";
  std::string target = "/";
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;
  bool chunked = false;
};

class FakeExchange : public Exchange {
 public:
  explicit FakeExchange(FakeRequest from = {}) : sent_(std::move(from)) {
    request.method = sent_.method;
    request.target = sent_.target;
    std::string_view target = sent_.target;
    const size_t mark = target.find('?');
    request.path = target.substr(0, mark);
    request.has_query = mark != std::string_view::npos;
    if (request.has_query) request.query = target.substr(mark + 1);
    for (const auto& [name, value] : sent_.fields) request.fields.AppendView(name, value);
    if (sent_.chunked) {
      request.framing.kind = http::Framing::Kind::kChunked;
    } else if (!sent_.body.empty()) {
      request.framing = {http::Framing::Kind::kLength, sent_.body.size()};
    }
    client.ip = "192.0.2.1";
    client.local_port = 8000;
    host = "a.test";
    path = request.path;
    request_id = "0123456789abcdef0123456789abcdef";
    upstream.method = sent_.method;
    upstream.path = path;
    upstream.query = request.query;
    upstream.has_query = request.has_query;
    for (const auto& [name, value] : sent_.fields) upstream.fields.AppendView(name, value);
    body = sent_.body;
  }

  PluginWorker& worker() const override { return fake_worker; }
  io::Task<Body> ReadRequestBody(size_t max) override {
    ++body_reads;
    Body read;
    if (sent_.body.size() > max || refuse_body) {
      read.failure = Reply::Message(413, "Request size limit exceeded");
    } else {
      read.bytes = &body;
    }
    co_return read;
  }
  void SetRequestBody(std::string with) override { body = std::move(with); }

  mutable FakeWorker fake_worker;
  std::string body;  // what goes upstream
  int body_reads = 0;
  bool refuse_body = false;

 private:
  const FakeRequest sent_;
};

}  // namespace sluice::test
