#pragma once

// One epoll loop, run by one thread. Everything it resumes runs on that thread; only Post and Stop may be called from
// others. Time is read once per turn (Now) so that a turn sees one instant.

#include <chrono>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <memory>

#include "common/base/clock.h"
#include "data-plane/io/task.h"

namespace sluice::io {

inline constexpr MonotonicTime kNever = MonotonicTime::max();

class Loop;

// A deadline of one suspended coroutine, intrusive and cheap to arm and disarm (a hashed wheel with kTimerTickMs
// ticks). Fires on the loop's thread, never early.
inline constexpr int kTimerTickMs = 4;
class Timer {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  ~Timer() {
    if (loop_ != nullptr) Disarm();
  }
  // `fire(context)` runs once at or after `deadline`; kNever arms nothing.
  void Arm(Loop& loop, MonotonicTime deadline, void (*fire)(void*), void* context);
  void Disarm();
  bool armed() const { return loop_ != nullptr; }

 private:
  friend class TimerWheel;
  Loop* loop_ = nullptr;
  Timer* prev_ = nullptr;  // a circle of those in the same slot
  Timer* next_ = nullptr;
  uint32_t slot_ = 0;
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

// What is posted and not yet run is bounded: whoever posts waits for the answer before posting again. More than this is
// our mistake and ends the process.
inline constexpr size_t kMaxPosted = 65'536;
// Rounds of deferred coroutines between two looks at the sockets, so that coroutines which wake each other starve
// nobody.
inline constexpr int kMaxDeferRounds = 4;
// Steps of bulk transfers between two looks at the sockets: with 64 KiB copied or 256 KiB spliced each they take a few
// hundred microseconds, which is what a small request may have to wait for them, however many transfers there are.
inline constexpr size_t kMaxBulkInTurn = 4;

class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;

  // Runs until Stop; may run again afterwards. Spawned coroutines that are still suspended are destroyed with the loop.
  void Run();
  void Stop();  // from any thread

  // Runs `work` on the loop's thread, in order of posting. From any thread; wakes the loop.
  void Post(std::function<void()> work);

  // Starts a coroutine that nobody awaits, in this turn, after what runs now returns. Loop's thread only.
  void Spawn(Task<void> task);

  // Resumes `handle` in this turn (the next one after kMaxDeferRounds), after what runs now returns. Breaks recursion
  // and re-entrance. Whoever defers a handle makes sure that nobody else resumes it.
  void Defer(std::coroutine_handle<> handle);
  // The same, after everything else that is ready, and only kMaxBulkInTurn a turn: for steps of large transfers.
  void DeferBulk(std::coroutine_handle<> handle);
  // Lets the others run: suspends the caller by Defer.
  auto Yield() {
    struct Awaiter {
      Loop& loop;
      bool await_ready() const { return false; }
      void await_suspend(std::coroutine_handle<> handle) { loop.Defer(handle); }
      void await_resume() const {}
    };
    return Awaiter{*this};
  }

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
// time; Set before Wait is kept. Set never resumes the waiter itself, the loop does. Loop's thread only.
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
      bool await_ready() const { return event.woken_ = event.set_; }
      void await_suspend(std::coroutine_handle<> handle) {
        SLUICE_CHECK(!event.waiter_);
        event.waiter_ = handle;
        event.timer_.Arm(event.loop_, deadline, [](void* self) { static_cast<Event*>(self)->TimeOut(); }, &event);
      }
      bool await_resume() const { return event.woken_; }
    };
    return Awaiter{*this, deadline};
  }

 private:
  void TimeOut();
  Loop& loop_;
  bool set_ = false;
  bool woken_ = false;  // by Set, also where Reset came before the waiter ran
  std::coroutine_handle<> waiter_;
  Timer timer_;
};

}  // namespace sluice::io
