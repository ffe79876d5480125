#include "data-plane/plugin/log_queue.h"

#include "catch2/catch.hpp"
#include "tests/support/fake_exchange.h"

namespace sluice::test {
namespace {

using std::chrono::milliseconds;

std::shared_ptr<LogSink> Sink() {
  auto sink = std::make_shared<LogSink>();
  sink->initial_retry_delay = milliseconds(1);
  sink->max_retry_delay = milliseconds(2);
  sink->max_retry_time = std::chrono::hours(1);
  return sink;
}

struct Queues {
  FakeWorker worker;
  void Push(std::string entry, std::shared_ptr<const LogSink> sink, std::string id = "a") {
    worker.log_queues().Push(id, std::move(sink), nullptr, std::move(entry));
  }
  // Until that many calls were made; what they lead to has then happened too.
  std::vector<std::string> Bodies(size_t calls) {
    worker.stop_after = calls;
    worker.loop().Run();
    std::vector<std::string> bodies;
    for (const HttpCall& call : worker.calls) bodies.push_back(call.body);
    return bodies;
  }
};

TEST_CASE("entries are sent one by one, in order") {
  Queues queues;
  queues.Push("1", Sink());
  queues.Push("2", Sink());
  CHECK(queues.Bodies(2) == std::vector<std::string>{"1", "2"});
}

TEST_CASE("entries that fill a batch are sent as a list") {
  Queues queues;
  auto sink = Sink();
  sink->array = true;
  sink->max_batch_size = 2;
  sink->max_coalescing_delay = std::chrono::hours(1);
  for (const char* entry : {"1", "2", "3", "4"}) queues.Push(entry, sink);
  CHECK(queues.Bodies(2) == std::vector<std::string>{"[1,2]", "[3,4]"});
}

TEST_CASE("a batch that does not fill is sent when its time has come") {
  Queues queues;
  auto sink = Sink();
  sink->array = true;
  sink->max_batch_size = 2;
  sink->max_coalescing_delay = milliseconds(1);
  queues.Push("1", sink);
  CHECK(queues.Bodies(1) == std::vector<std::string>{"[1]"});
}

TEST_CASE("a worker that stops does not wait for a batch to fill") {
  Queues queues;
  auto sink = Sink();
  sink->array = true;
  sink->max_batch_size = 2;
  sink->max_coalescing_delay = std::chrono::hours(1);
  queues.Push("1", sink);
  queues.worker.log_queues().Flush();
  CHECK(queues.Bodies(1) == std::vector<std::string>{"[1]"});
}

TEST_CASE("a delivery is tried again until it is answered with success") {
  Queues queues;
  queues.worker.answers = {0, 500, 301, 200};
  queues.Push("1", Sink());
  CHECK(queues.Bodies(4) == std::vector<std::string>{"1", "1", "1", "1"});
}

TEST_CASE("a delivery that cannot be made in time is dropped and counted") {
  Queues queues;
  auto sink = Sink();
  sink->max_retry_time = Duration::zero();
  queues.worker.answers = {500};
  queues.Push("1", sink);
  queues.Push("2", sink);
  CHECK(queues.Bodies(2) == std::vector<std::string>{"1", "2"});
  CHECK(queues.worker.log_queues().dropped() == 1);
}

TEST_CASE("with the most entries waiting the oldest gives way") {
  Queues queues;
  auto sink = Sink();
  sink->max_entries = 2;
  for (const char* entry : {"1", "2"}) queues.Push(entry, sink);
  CHECK(queues.worker.log_queues().dropped() == 0);
  queues.Push("3", sink);
  CHECK(queues.worker.log_queues().dropped() == 1);
  CHECK(queues.Bodies(2) == std::vector<std::string>{"2", "3"});
}

TEST_CASE("with the most bytes waiting the oldest gives way") {
  Queues queues;
  auto sink = Sink();
  sink->max_bytes = 4;
  for (const char* entry : {"11", "22"}) queues.Push(entry, sink);
  CHECK(queues.worker.log_queues().dropped() == 0);
  queues.Push("3", sink);
  CHECK(queues.worker.log_queues().bytes() == 3);
  CHECK(queues.Bodies(2) == std::vector<std::string>{"22", "3"});
}

TEST_CASE("an entry larger than the queue is dropped and drops no other") {
  Queues queues;
  auto sink = Sink();
  sink->max_bytes = 4;
  queues.Push("1", sink);
  queues.Push("12345", sink);
  CHECK(queues.worker.log_queues().dropped() == 1);
  CHECK(queues.Bodies(1) == std::vector<std::string>{"1"});
}

TEST_CASE("a queue holds no more than the worker's maximum, whatever it is configured for") {
  Queues queues;
  auto sink = Sink();
  sink->max_bytes = 2 * LogQueues::kMaxQueueBytes;
  const std::string half(LogQueues::kMaxQueueBytes / 2, 'x');
  queues.Push(half, sink);
  queues.Push(half, sink);
  CHECK(queues.worker.log_queues().bytes() == LogQueues::kMaxQueueBytes);
  queues.Push("1", sink);
  CHECK(queues.worker.log_queues().bytes() == LogQueues::kMaxQueueBytes / 2 + 1);
}

TEST_CASE("with the most bytes of all queues waiting the fullest gives way") {
  Queues queues;
  const std::string half(LogQueues::kMaxQueueBytes / 2, 'x');
  queues.Push("small", Sink(), "small");
  for (size_t i = 0; i < 2 * LogQueues::kMaxTotalBytes / LogQueues::kMaxQueueBytes; ++i) {
    queues.Push(half, Sink(), std::to_string(i / 2));
  }
  CHECK(queues.worker.log_queues().bytes() <= LogQueues::kMaxTotalBytes);
  CHECK(queues.worker.log_queues().dropped() == 1);
  queues.Bodies(1);
  CHECK(queues.worker.calls[0].body.size() == 5);
}

TEST_CASE("a changed configuration sends what waits to its new place") {
  Queues queues;
  auto before = Sink(), after = Sink();
  before->call.host = "before.test";
  after->call.host = "after.test";
  queues.Push("1", before);
  queues.Push("2", after);
  queues.Bodies(2);
  CHECK(queues.worker.calls[0].host == "after.test");
  CHECK(queues.worker.calls[0].body == "1");
}

TEST_CASE("a queue without entries is gone") {
  Queues queues;
  queues.Push("1", Sink(), "a");
  queues.Push("2", Sink(), "b");
  CHECK(queues.worker.log_queues().queues() == 2);
  queues.worker.loop().Post([&] {});
  queues.Bodies(2);
  queues.worker.loop().Post([&] { queues.worker.loop().Stop(); });
  queues.worker.loop().Run();
  CHECK(queues.worker.log_queues().queues() == 0);
  CHECK(queues.worker.log_queues().delivered() == 2);
  CHECK(queues.worker.log_queues().bytes() == 0);
}

}  // namespace
}  // namespace sluice::test
