#include "common/base/descriptors.h"

#include <sys/resource.h>

namespace sluice {

bool IsReservedDescriptor(int descriptor) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return false;
  return static_cast<rlim_t>(descriptor) + kReservedDescriptors >= limit.rlim_cur;
}

}  // namespace sluice
