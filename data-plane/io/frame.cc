#include <array>
#include <new>

#include "data-plane/io/task.h"

namespace sluice::io {
namespace {

constexpr size_t kClassBytes = 64;
constexpr size_t kClasses = 32;  // frames up to 2 KiB; larger ones are rare and go to the heap

#ifdef __SANITIZE_ADDRESS__
constexpr bool kPooled = false;
#else
constexpr bool kPooled = true;
#endif

struct FreeFrameNode {
  FreeFrameNode* next;
};

struct FrameClass {
  FreeFrameNode* first = nullptr;
  size_t count = 0;
};

struct FramePool {
  std::array<FrameClass, kClasses> classes;
  bool open = true;

  ~FramePool() {
    open = false;  // frames that outlive the thread's own objects go straight to the heap
    for (FrameClass& cls : classes) {
      while (cls.first != nullptr) {
        FreeFrameNode* node = cls.first;
        cls.first = node->next;
        ::operator delete(node);
      }
    }
  }
};

thread_local FramePool pool;

size_t ClassOf(size_t size) { return (size - 1) / kClassBytes; }

}  // namespace

void* AllocateFrame(size_t size) {
  const size_t index = ClassOf(size);
  if (!kPooled || index >= kClasses) return ::operator new(size);
  FrameClass& cls = pool.classes[index];
  if (cls.first == nullptr) return ::operator new((index + 1) * kClassBytes);
  FreeFrameNode* node = cls.first;
  cls.first = node->next;
  --cls.count;
  return node;
}

void FreeFrame(void* frame, size_t size) noexcept {
  const size_t index = ClassOf(size);
  if (!kPooled || index >= kClasses || !pool.open || pool.classes[index].count >= kMaxFreeFrames) {
    ::operator delete(frame);
    return;
  }
  FrameClass& cls = pool.classes[index];
  FreeFrameNode* node = static_cast<FreeFrameNode*>(frame);
  node->next = cls.first;
  cls.first = node;
  ++cls.count;
}

}  // namespace sluice::io
