// The PROXY protocol's header: however its bytes arrive it is the same header, and no more is asked for than it has.

#include "data-plane/io/address.h"
#include "data-plane/io/proxy_header.h"
#include "tests/fuzz/fuzz.h"

namespace sluice::fuzz {

void Run(std::string_view input) {
  using State = io::ProxyHeaderStep::State;
  io::ProxyHeader header;
  const io::ProxyHeaderStep whole = io::ParseProxyHeader(input, header);
  if (whole.state == State::kMalformed) return;
  if (whole.state == State::kMore) {
    SLUICE_CHECK(whole.bytes > 0 && input.size() + whole.bytes <= io::kMaxProxyHeaderBytes);
    return;
  }
  SLUICE_CHECK(whole.bytes <= input.size() && whole.bytes <= io::kMaxProxyHeaderBytes);
  for (const io::Endpoint& end : {header.source, header.destination}) {
    SLUICE_CHECK(header.has_addresses ? io::CanonicalAddress(end.address) == end.address : end.address.empty());
  }
  for (size_t size = 0; size <= whole.bytes; ++size) {
    io::ProxyHeader again;
    const io::ProxyHeaderStep step = io::ParseProxyHeader(input.substr(0, size), again);
    if (size == whole.bytes) {
      SLUICE_CHECK(step.state == State::kComplete && step.bytes == size && again.source == header.source);
    } else {
      SLUICE_CHECK(step.state == State::kMore && step.bytes > 0 && size + step.bytes <= whole.bytes);
    }
  }
}

}  // namespace sluice::fuzz
