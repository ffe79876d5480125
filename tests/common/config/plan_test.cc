// What a serverless gateway may have, in the numbers that its owners are told.

#include "catch2/catch.hpp"
#include "common/config/config.h"

TEST_CASE("the plan of a serverless gateway") {
  const sluice::config::v1::Plan plan = sluice::config::ServerlessPlan();
  CHECK(plan.requests_per_second() == 100);
  CHECK(plan.max_body_bytes() == 10'485'760);
  CHECK(plan.max_requests_in_flight() == 200);
  CHECK(plan.max_upstream_connections() == 128);
  CHECK(plan.max_pending_per_target() == 100);
  CHECK(plan.max_buffered_bytes() == 64 * 1024 * 1024);
}
