#include "data-plane/plugin/log_queue.h"

#include <algorithm>
#include <utility>

#include "common/observe/log.h"

namespace sluice {

struct LogQueues::Queue {
  explicit Queue(io::Loop& loop) : batch_ready(loop) {}
  struct Entry {
    std::string text;
    MonotonicTime since;
  };
  std::string id;
  std::shared_ptr<const LogSink> sink;
  std::shared_ptr<const Gateway> gateway;
  std::deque<Entry> entries;
  size_t bytes = 0;    // waiting
  size_t sending = 0;  // on the way
  io::Event batch_ready;
  bool warned = false;  // of what was dropped since the last delivery
};

LogQueues::~LogQueues() = default;

void LogQueues::Push(const std::string& instance_id, std::shared_ptr<const LogSink> sink,
                     std::shared_ptr<const Gateway> gateway, std::string entry) {
  auto found = queues_.find(instance_id);
  const bool is_new = found == queues_.end();
  const size_t most = sink->max_bytes == 0 ? kMaxQueueBytes : std::min(sink->max_bytes, kMaxQueueBytes);
  const size_t sending = is_new ? 0 : found->second->sending;
  if (entry.size() + sending > most || entry.size() > kMaxBatchBytes || (is_new && queues_.size() >= kMaxQueues)) {
    ++dropped_;
    return;
  }
  if (is_new) {
    found = queues_.emplace(instance_id, std::make_shared<Queue>(worker_.loop())).first;
    found->second->id = instance_id;
  }
  std::shared_ptr<Queue> queue = found->second;
  queue->sink = std::move(sink);
  queue->gateway = std::move(gateway);
  while (!queue->entries.empty() &&
         (queue->entries.size() >= queue->sink->max_entries || queue->bytes + sending + entry.size() > most)) {
    DropOldest(*queue);
  }
  queue->bytes += entry.size();
  bytes_ += entry.size();
  queue->entries.push_back({std::move(entry), worker_.loop().Now()});
  MakeRoom();
  if (queue->entries.size() >= queue->sink->max_batch_size) queue->batch_ready.Set();
  if (is_new) worker_.loop().Spawn(Deliver(std::move(queue)));
}

void LogQueues::Flush() {
  flushing_ = true;
  for (auto& [id, queue] : queues_) queue->batch_ready.Set();
}

void LogQueues::DropOldest(Queue& queue) {
  const size_t size = queue.entries.front().text.size();
  queue.entries.pop_front();
  queue.bytes -= size;
  bytes_ -= size;
  CountDropped(queue, 1, "no room");
}

void LogQueues::CountDropped(Queue& queue, size_t entries, std::string_view why) {
  dropped_ += entries;
  if (queue.warned) return;
  queue.warned = true;
  log::Warning("log entries dropped", {{"plugin", queue.id}, {"why", why}});
}

// Halves the fullest queue, so that the search for it is rare.
void LogQueues::MakeRoom() {
  while (bytes_ > kMaxTotalBytes) {
    auto fullest = std::ranges::max_element(queues_, {}, [](const auto& entry) { return entry.second->bytes; });
    Queue& queue = *fullest->second;
    if (queue.entries.empty()) return;
    for (size_t drop = (queue.entries.size() + 1) / 2; drop > 0; --drop) DropOldest(queue);
  }
}

std::string LogQueues::TakeBatch(Queue& queue, size_t& count) {
  std::string body;
  for (count = 0; !queue.entries.empty() && count < queue.sink->max_batch_size; ++count) {
    std::string& text = queue.entries.front().text;
    if (count > 0 && body.size() + text.size() > kMaxBatchBytes) break;
    if (queue.sink->array) body += count == 0 ? '[' : ',';
    body += text;
    queue.bytes -= text.size();
    queue.sending += text.size();
    queue.entries.pop_front();
    if (!queue.sink->array) {
      ++count;
      break;
    }
  }
  if (queue.sink->array) body += ']';
  return body;
}

io::Task<void> LogQueues::Deliver(std::shared_ptr<Queue> queue) {
  while (!queue->entries.empty()) {
    const bool full = queue->entries.size() >= queue->sink->max_batch_size;
    const MonotonicTime until = queue->entries.front().since + queue->sink->max_coalescing_delay;
    if (!full && !flushing_ && until > worker_.loop().Now()) {
      queue->batch_ready.Reset();
      co_await queue->batch_ready.Wait(until);
      continue;
    }
    size_t count = 0;
    std::string body = TakeBatch(*queue, count);
    const bool delivered = co_await Send(queue, std::move(body));
    bytes_ -= queue->sending;
    queue->sending = 0;
    if (delivered) {
      delivered_ += count;
      queue->warned = false;
    } else {
      CountDropped(*queue, count, "no answer in time");
    }
  }
  queues_.erase(queue->id);
}

io::Task<bool> LogQueues::Send(std::shared_ptr<Queue> queue, std::string body) {
  const MonotonicTime deadline = worker_.loop().Now() + queue->sink->max_retry_time;
  Duration delay = queue->sink->initial_retry_delay;
  for (;;) {
    HttpCall call = queue->sink->call;
    call.body = body;
    std::shared_ptr<const Gateway> gateway = queue->gateway;
    io::Task<HttpCallResult> pending = worker_.Call(std::move(gateway), std::move(call));
    const HttpCallResult result = co_await std::move(pending);
    if (result.status >= 200 && result.status < 300) co_return true;
    const MonotonicTime next = worker_.loop().Now() + delay;
    if (next > deadline) co_return false;
    co_await worker_.loop().SleepUntil(next);
    delay = std::min(delay * 2, queue->sink->max_retry_delay);
  }
}

}  // namespace sluice
