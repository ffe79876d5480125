#include "tests/data-plane/io/support.h"

#include <fcntl.h>

namespace sluice::io {

void Pair::SetNonBlocking(int fd) { SLUICE_CHECK(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == 0); }

}  // namespace sluice::io
