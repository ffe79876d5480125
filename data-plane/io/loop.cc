#include "data-plane/io/loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <deque>
#include <mutex>
#include <vector>

#include "data-plane/io/timer_wheel.h"

namespace sluice::io {
namespace {

constexpr int kMaxEvents = 256;  // of one turn

// The frame at the bottom of a spawned coroutine. It frees itself at its end, or with the loop.
struct Root {
  struct promise_type {
    promise_type** first;
    size_t* count;
    promise_type* prev = nullptr;
    promise_type* next = nullptr;

    promise_type(promise_type** first, size_t* count, Task<void>&) : first(first), count(count) {
      next = *first;
      if (next != nullptr) next->prev = this;
      *first = this;
      ++*count;
    }
    ~promise_type() {
      (prev != nullptr ? prev->next : *first) = next;
      if (next != nullptr) next->prev = prev;
      --*count;
    }
    Root get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
    static void* operator new(size_t size) { return AllocateFrame(size); }
    static void operator delete(void* frame, size_t size) noexcept { FreeFrame(frame, size); }
  };
  std::coroutine_handle<promise_type> handle;
};

Root RunRoot(Root::promise_type**, size_t*, Task<void> task) {
  co_await std::move(task);
}

}  // namespace

struct Loop::Impl {
  explicit Impl(MonotonicTime now)
      : epoll_fd(epoll_create1(EPOLL_CLOEXEC)), event_fd(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)), wheel(now) {
    SLUICE_CHECK(epoll_fd >= 0 && event_fd >= 0);
    epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.ptr = nullptr}};
    SLUICE_CHECK(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, event_fd, &event) == 0);
  }
  ~Impl() {
    close(event_fd);
    close(epoll_fd);
  }

  void Wake() {
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(event_fd, &one, sizeof one);  // the counter cannot overflow
  }

  // How long epoll may wait, in milliseconds rounded up: -1 forever. `now` is when this turn began: a turn is short
  // beside a tick, and another look at the clock is not.
  int WaitMs(MonotonicTime now) const {
    if (!deferred.empty() || !bulk.empty()) return 0;
    const MonotonicTime wake = wheel.NextWake();
    if (wake == kNever) return -1;
    if (wake <= now) return 0;
    return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(wake - now).count());
  }

  void RunPosted() {
    {
      std::lock_guard lock(mutex);
      running_posts.swap(posts);
    }
    for (auto& work : running_posts) work();
    running_posts.clear();
  }

  void RunDeferred() {
    for (int round = 0; round < kMaxDeferRounds && !deferred.empty(); ++round) {
      running.swap(deferred);
      for (std::coroutine_handle<> handle : running) handle.resume();
      running.clear();
    }
  }

  void RunBulk() {
    const size_t count = std::min(bulk.size(), kMaxBulkInTurn);
    for (size_t i = 0; i < count; ++i) {
      const std::coroutine_handle<> handle = bulk.front();
      bulk.pop_front();
      handle.resume();
    }
  }

  int epoll_fd;
  int event_fd;
  TimerWheel wheel;
  std::atomic<bool> stop{false};

  std::array<epoll_event, kMaxEvents> events;
  int event_index = 0;
  int event_count = 0;

  std::vector<std::coroutine_handle<>> deferred;
  std::vector<std::coroutine_handle<>> running;
  std::deque<std::coroutine_handle<>> bulk;  // of the coroutines, at most one entry each
  Root::promise_type* roots = nullptr;

  std::mutex mutex;  // guards posts
  std::vector<std::function<void()>> posts;
  std::vector<std::function<void()>> running_posts;
};

Loop::Loop() : now_(std::chrono::steady_clock::now()) {
  impl_ = std::make_unique<Impl>(now_);
}

Loop::~Loop() {
  while (impl_->roots != nullptr) std::coroutine_handle<Root::promise_type>::from_promise(*impl_->roots).destroy();
  impl_->posts.clear();
}

void Loop::Run() {
  Impl& impl = *impl_;
  while (!impl.stop.exchange(false, std::memory_order_acquire)) {
    const int count = epoll_wait(impl.epoll_fd, impl.events.data(), kMaxEvents, impl.WaitMs(now_));
    now_ = std::chrono::steady_clock::now();
    SLUICE_CHECK(count >= 0 || errno == EINTR);
    impl.event_count = std::max(count, 0);
    bool posted = false;
    for (impl.event_index = 0; impl.event_index < impl.event_count; ++impl.event_index) {
      const epoll_event event = impl.events[impl.event_index];
      if (event.events == 0) continue;  // unwatched during this turn
      if (event.data.ptr == nullptr) {
        posted = true;
      } else {
        static_cast<Pollable*>(event.data.ptr)->OnEvents(event.events);
      }
    }
    impl.event_count = 0;
    if (posted) impl.RunPosted();
    impl.wheel.Fire(now_);
    impl.RunDeferred();
    impl.RunBulk();
  }
}

void Loop::Stop() {
  impl_->stop.store(true, std::memory_order_release);
  impl_->Wake();
}

void Loop::Post(std::function<void()> work) {
  bool first;
  {
    std::lock_guard lock(impl_->mutex);
    first = impl_->posts.empty();
    SLUICE_CHECK(impl_->posts.size() < kMaxPosted);
    impl_->posts.push_back(std::move(work));
  }
  if (first) impl_->Wake();
}

void Loop::Spawn(Task<void> task) {
  Defer(RunRoot(&impl_->roots, &spawned_, std::move(task)).handle);
}

void Loop::Defer(std::coroutine_handle<> handle) {
  impl_->deferred.push_back(handle);
}

void Loop::DeferBulk(std::coroutine_handle<> handle) {
  impl_->bulk.push_back(handle);
}

int Loop::Watch(int fd, Pollable* pollable) {
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = {.ptr = pollable}};
  return epoll_ctl(impl_->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : errno;
}

void Loop::Unwatch(int fd, Pollable* pollable) {
  epoll_ctl(impl_->epoll_fd, EPOLL_CTL_DEL, fd, nullptr);
  for (int i = impl_->event_index; i < impl_->event_count; ++i) {
    if (impl_->events[i].data.ptr == pollable) impl_->events[i].events = 0;
  }
}

void Timer::Arm(Loop& loop, MonotonicTime deadline, void (*fire)(void*), void* context) {
  if (loop_ != nullptr) Disarm();
  if (deadline == kNever) return;
  loop.impl_->wheel.Arm(*this, loop, {.at = deadline, .fire = fire, .context = context}, loop.now_);
}

void Timer::Disarm() {
  if (loop_ != nullptr) loop_->impl_->wheel.Disarm(*this);
}

void Event::Set() {
  set_ = true;
  if (!waiter_) return;
  woken_ = true;
  timer_.Disarm();
  loop_.Defer(std::exchange(waiter_, nullptr));
}

void Event::TimeOut() {
  std::exchange(waiter_, nullptr).resume();
}

}  // namespace sluice::io
