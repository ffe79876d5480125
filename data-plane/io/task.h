#pragma once

// Task<T>: a lazy coroutine with one awaiter. It starts when awaited and resumes its awaiter when it ends. A task that
// ends without suspending returns to its awaiter like a function, so that awaiting in a loop uses no stack whatever the
// compiler makes of tail calls. It must be awaited or spawned (Loop::Spawn) exactly once. Belongs to one loop's thread.
// Frames come from a free list of that thread. Exceptions end the process. A function that knows its result already
// returns that as a Task, without a frame: on the common path most of a request's steps need not wait.

#include <array>
#include <concepts>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "common/base/check.h"

namespace sluice::io {

// Frame memory by size class, kept for reuse by the thread that frees it; at most kMaxFreeFrames a class are kept.
// (Under AddressSanitizer nothing is kept, so that it sees every use after the end.)
inline constexpr size_t kMaxFreeFrames = 1024;

namespace internal {

inline constexpr size_t kFrameClassBytes = 64;
inline constexpr size_t kFrameClasses = 128;  // frames up to 8 KiB; larger ones are rare and go to the heap

struct FreeFrameNode {
  FreeFrameNode* next;
};

struct FrameClass {
  FreeFrameNode* first = nullptr;
  size_t room = 0;  // for so many more; none before the thread's first use, and after its end
};

extern thread_local constinit std::array<FrameClass, kFrameClasses> frame_classes;

constexpr size_t FrameClassOf(size_t size) { return (size - 1) / kFrameClassBytes; }
void* NewFrame(size_t size);
void DropFrame(void* frame, size_t size) noexcept;

}  // namespace internal

inline void* AllocateFrame(size_t size) {
  const size_t index = internal::FrameClassOf(size);
  if (index >= internal::kFrameClasses) return internal::NewFrame(size);
  internal::FrameClass& cls = internal::frame_classes[index];
  if (cls.first == nullptr) return internal::NewFrame(size);
  ++cls.room;
  return std::exchange(cls.first, cls.first->next);
}

inline void FreeFrame(void* frame, size_t size) noexcept {
  const size_t index = internal::FrameClassOf(size);
  if (index >= internal::kFrameClasses || internal::frame_classes[index].room == 0) {
    return internal::DropFrame(frame, size);
  }
  internal::FrameClass& cls = internal::frame_classes[index];
  auto* const node = static_cast<internal::FreeFrameNode*>(frame);
  node->next = std::exchange(cls.first, node);
  --cls.room;
}

template <typename T>
class Task;

namespace internal {

struct PromiseBase {
  std::coroutine_handle<> continuation;
  bool starting = false;  // the awaiter is still on the stack below and goes on by itself

  struct FinalAwaiter {
    bool await_ready() const noexcept { return false; }
    template <typename Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> ended) const noexcept {
      const PromiseBase& promise = ended.promise();
      if (promise.starting) return std::noop_coroutine();
      return promise.continuation;
    }
    void await_resume() const noexcept {}
  };

  std::suspend_always initial_suspend() const noexcept { return {}; }
  FinalAwaiter final_suspend() const noexcept { return {}; }
  [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
  static void* operator new(size_t size) { return AllocateFrame(size); }
  static void operator delete(void* frame, size_t size) noexcept { FreeFrame(frame, size); }
};

template <typename T>
struct Promise : PromiseBase {
  std::optional<T> value;
  Task<T> get_return_object();
  template <typename U>
  void return_value(U&& result) {
    value.emplace(std::forward<U>(result));
  }
};

template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object();
  void return_void() const noexcept {}
};

}  // namespace internal

template <typename T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = internal::Promise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  explicit Task(Handle handle) : handle_(handle) {}
  // Done already, with that result.
  template <typename U>
    requires(!std::is_void_v<T> && std::convertible_to<U, T>)
  Task(U&& result) : handle_(nullptr), result_(std::forward<U>(result)) {}  // NOLINT: a result is a task that is done
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)), result_(std::move(other.result_)) {}
  Task& operator=(Task&&) = delete;
  Task(const Task&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }

  // Whether it was made from its result; Take moves that out.
  bool done() const { return !handle_; }
  auto Take() {
    SLUICE_CHECK(result_.has_value());
    return std::move(*result_);
  }

  auto operator co_await() && noexcept {
    struct Awaiter {
      Task& task;
      bool await_ready() const noexcept { return task.done(); }
      bool await_suspend(std::coroutine_handle<> awaiter) const noexcept {
        const Handle handle = task.handle_;
        internal::PromiseBase& promise = handle.promise();
        promise.continuation = awaiter;
        promise.starting = true;
        handle.resume();
        promise.starting = false;
        return !handle.done();
      }
      T await_resume() const {
        if constexpr (!std::is_void_v<T>) {
          if (task.done()) return task.Take();
          SLUICE_CHECK(task.handle_.promise().value.has_value());
          return std::move(*task.handle_.promise().value);
        }
      }
    };
    return Awaiter{*this};
  }

 private:
  Handle handle_;
  [[no_unique_address]] std::conditional_t<std::is_void_v<T>, std::monostate, std::optional<T>> result_;
};

namespace internal {
template <typename T, typename Next>
Task<std::invoke_result_t<Next, T>> ThenLater(Task<T> task, Next next) {
  T result = co_await std::move(task);
  co_return next(std::move(result));
}
}  // namespace internal

// What `next` makes of the task's result: at once where that is there already.
template <typename T, typename Next>
Task<std::invoke_result_t<Next, T>> Then(Task<T> task, Next next) {
  if (task.done()) return next(task.Take());
  return internal::ThenLater(std::move(task), std::move(next));
}

template <typename T>
Task<T> internal::Promise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<Promise<T>>::from_promise(*this));
}
inline Task<void> internal::Promise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<Promise<void>>::from_promise(*this));
}

}  // namespace sluice::io
