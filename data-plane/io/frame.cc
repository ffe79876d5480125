#include <new>

#include "data-plane/io/task.h"

namespace sluice::io::internal {
namespace {

#ifdef __SANITIZE_ADDRESS__
constexpr bool kPooled = false;
#else
constexpr bool kPooled = true;
#endif

// Opens the thread's free lists with its first frame, and gives back with the thread what they hold. Frames that
// outlive the thread's own objects go straight to the heap.
struct FreeLists {
  FreeLists() {
    for (FrameClass& cls : frame_classes) cls.room = kMaxFreeFrames;
  }
  ~FreeLists() {
    for (FrameClass& cls : frame_classes) {
      cls.room = 0;
      while (cls.first != nullptr) ::operator delete(std::exchange(cls.first, cls.first->next));
    }
  }
};

}  // namespace

thread_local constinit std::array<FrameClass, kFrameClasses> frame_classes{};

void* NewFrame(size_t size) {
  if (!kPooled) return ::operator new(size);
  static thread_local FreeLists lists;
  const size_t index = FrameClassOf(size);
  return ::operator new(index < kFrameClasses ? (index + 1) * kFrameClassBytes : size);
}

void DropFrame(void* frame, size_t) noexcept { ::operator delete(frame); }

}  // namespace sluice::io::internal
