#pragma once

// The lease protocol's values (lease.h) to and from the wire (sluice/lease/v1/lease.proto).

#include "common/quota/lease.h"
#include "sluice/lease/v1/lease.pb.h"

namespace sluice::quota {

lease::v1::Report ToWire(const Report& report);
// `hello` is not on the wire: it is the first of a stream.
Report FromWire(const lease::v1::Report& wire);
lease::v1::Answer ToWire(const Answer& answer);
Answer FromWire(const lease::v1::Answer& wire);
lease::v1::Bases ToWire(const Bases& bases);
Bases FromWire(const lease::v1::Bases& wire);

}  // namespace sluice::quota
