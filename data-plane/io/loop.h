#pragma once

// One epoll loop, run by one thread. Everything it resumes runs on that thread; only Post and Stop may be called from
// others. Time is read once per turn (Now) so that a turn sees one instant.

#include <chrono>
#include <coroutine>
#include <functional>
#include <memory>

#include "common/base/clock.h"
#include "data-plane/io/task.h"

namespace sluice::io {

inline constexpr MonotonicTime kNever = MonotonicTime::max();

class Loop;

// A deadline of one suspended coroutine, intrusive and cheap to arm and disarm (a hashed wheel with kTimerTickMs ticks).
// Fires on the loop's thread, never early.
inline constexpr int kTimerTickMs = 4;
class Timer {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  ~Timer() { Disarm(); }
  // `fire(context)` runs once at or after `deadline`; kNever arms nothing.
  void Arm(Loop& loop, MonotonicTime deadline, void (*fire)(void*), void* context);
  void Disarm();
  bool armed() const { return loop_ != nullptr; }

 private:
  friend class Loop;
  Loop* loop_ = nullptr;
  Timer* prev_ = nullptr;
  Timer* next_ = nullptr;
  MonotonicTime deadline_{};
  void (*fire_)(void*) = nullptr;
  void* context_ = nullptr;
};

// What epoll reports of a descriptor, edge-triggered. Implemented by streams and listeners.
class Pollable {
 public:
  virtual ~Pollable() = default;
  virtual void OnEvents(uint32_t epoll_events) = 0;
};

class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;

  // Runs until Stop. Detached coroutines that are still suspended then are destroyed with the loop.
  void Run();
  void Stop();  // from any thread

  // Runs `work` on the loop's thread, in order of posting. From any thread; wakes the loop.
  void Post(std::function<void()> work);

  // Starts a coroutine that nobody awaits. Loop's thread only.
  void Spawn(Task<void> task);

  // Resumes `handle` in this turn, after what runs now returns. Breaks recursion and re-entrance.
  void Defer(std::coroutine_handle<> handle);

  MonotonicTime Now() const { return now_; }
  // Resumes the caller at or after the deadline.
  auto SleepUntil(MonotonicTime deadline);
  size_t spawned() const { return spawned_; }

  // Registers for EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET. Returns 0 or an errno.
  int Watch(int fd, Pollable* pollable);
  void Unwatch(int fd, Pollable* pollable);  // `pollable` gets no event afterwards, not even one of this turn

 private:
  friend class Timer;
  struct Impl;
  std::unique_ptr<Impl> impl_;
  MonotonicTime now_;
  size_t spawned_ = 0;
};

// Suspends until the timer fires.
class Sleep {
 public:
  Sleep(Loop& loop, MonotonicTime deadline) : loop_(loop), deadline_(deadline) {}
  bool await_ready() const { return deadline_ <= loop_.Now(); }
  void await_suspend(std::coroutine_handle<> handle) {
    handle_ = handle;
    timer_.Arm(loop_, deadline_, [](void* self) { static_cast<Sleep*>(self)->handle_.resume(); }, this);
  }
  void await_resume() const {}

 private:
  Loop& loop_;
  MonotonicTime deadline_;
  Timer timer_;
  std::coroutine_handle<> handle_;
};

inline auto Loop::SleepUntil(MonotonicTime deadline) { return Sleep(*this, deadline); }

// One coroutine waits for another's news: Wait returns true when Set was called, false at the deadline. One waiter at a
// time; Set before Wait is kept. Loop's thread only.
class Event {
 public:
  explicit Event(Loop& loop) : loop_(loop) {}
  void Set();
  void Reset() { set_ = false; }
  bool is_set() const { return set_; }
  auto Wait(MonotonicTime deadline = kNever) {
    struct Awaiter {
      Event& event;
      MonotonicTime deadline;
      bool await_ready() const { return event.set_; }
      void await_suspend(std::coroutine_handle<> handle) {
        SLUICE_CHECK(!event.waiter_);
        event.waiter_ = handle;
        event.timer_.Arm(event.loop_, deadline, [](void* self) { static_cast<Event*>(self)->Resume(); }, &event);
      }
      bool await_resume() const { return event.set_; }
    };
    return Awaiter{*this, deadline};
  }

 private:
  void Resume();  // resumes the waiter from the loop, not from within Set
  Loop& loop_;
  bool set_ = false;
  std::coroutine_handle<> waiter_;
  Timer timer_;
};

}  // namespace sluice::io
