#pragma once

// What of a request an upstream hashes: its value in `hash_on`, or else in `hash_fallback`.

#include <optional>
#include <string>

#include "data-plane/balance/upstream.h"
#include "data-plane/plugin/exchange.h"

namespace sluice::proxy {

struct HashKey {
  std::optional<uint64_t> hash;  // empty: the request has neither; any target will do
  std::string set_cookie;        // the field's value where the client needs the cookie; "" where not
};
HashKey HashKeyOf(const Exchange& exchange, const Upstream& upstream);

}  // namespace sluice::proxy
