#include "data-plane/ops/busiest_gateways.h"

#include "catch2/catch.hpp"

using sluice::ops::BusiestGateways;
using sluice::proxy::GatewayCounts;
using Totals = absl::flat_hash_map<std::string, GatewayCounts>;

namespace {

GatewayCounts Count(uint64_t requests) {
  GatewayCounts counts;
  counts.requests_by_class[2] = requests;
  return counts;
}

uint64_t Requests(const BusiestGateways& busiest, const std::string& gateway) {
  for (const auto& row : busiest.Rows()) {
    if (row.gateway == gateway) return row.counts.requests();
  }
  return 0;
}

}  // namespace

TEST_CASE("the busiest gateways get the labels, the rest is other") {
  BusiestGateways busiest(2);
  busiest.Update(Totals{{"a", Count(1)}, {"b", Count(5)}, {"c", Count(3)}}, {});
  CHECK(Requests(busiest, "b") == 5);
  CHECK(Requests(busiest, "c") == 3);
  CHECK(Requests(busiest, "a") == 0);
  CHECK(Requests(busiest, "other") == 1);
}

TEST_CASE("no label ever counts down, whoever becomes busy") {
  BusiestGateways busiest(1);
  busiest.Update(Totals{{"a", Count(2)}, {"b", Count(1)}}, {});
  busiest.Update(Totals{{"a", Count(2)}, {"b", Count(100)}}, {});
  CHECK(Requests(busiest, "a") == 2);
  CHECK(Requests(busiest, "other") == 100);
}

TEST_CASE("a label that was idle for long goes to a busy gateway, which starts from nought") {
  BusiestGateways busiest(1);
  busiest.Update(Totals{{"a", Count(2)}, {"b", Count(1)}}, {});
  for (int i = 0; i < sluice::ops::kIdleScrapes; ++i) busiest.Update(Totals{{"a", Count(2)}, {"b", Count(1)}}, {});
  CHECK(Requests(busiest, "a") == 2);
  busiest.Update(Totals{{"a", Count(2)}, {"b", Count(4)}}, {});
  CHECK(Requests(busiest, "a") == 0);
  CHECK(Requests(busiest, "b") == 3);
  CHECK(Requests(busiest, "other") == 1);
}

TEST_CASE("gateways without counts of their own are other") {
  BusiestGateways busiest(1);
  busiest.Update({}, Count(7));
  busiest.Update({}, Count(9));
  CHECK(Requests(busiest, "other") == 9);
}
