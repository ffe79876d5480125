#pragma once

// A platform with one gateway, `shop`, under steady traffic through every node. Test thread only.

#include <cstdlib>

#include "catch2/catch.hpp"
#include "tests/integration/platform.h"
#include "tests/support/load.h"

namespace sluice::test {

// `tests/run faults` asks for the long ones.
inline int Count(int few, int many) {
  return std::getenv("SLUICE_FAULTS_LONG") == nullptr ? few : many;
}

class Busy {
 public:
  static constexpr int kNodes = 3;
  static constexpr int kRate = 20;  // requests a second and node: below the gateway's limit

  explicit Busy(PlatformOptions options = {.nodes = kNodes}) : platform(std::move(options)) {
    platform.Serve("shop", kEcho);
    load = std::make_unique<Load>(platform.http_ports(), Platform::Host("shop"));
    load->SetRate(kRate);
  }

  // Nobody was failed, and there was traffic to fail.
  void CheckTraffic() {
    INFO(load->first_failure());
    CHECK(load->failed() == 0);
    CHECK(load->Admitted().size() > 10);
  }

  // How many requests are answered from now on, within which a fault would have shown.
  void AwaitRequests(size_t count) {
    const size_t from = load->All().size();
    REQUIRE(Eventually([&] { return load->All().size() >= from + count; }));
  }

  // A change, live everywhere when this returns.
  void Change(int number) {
    std::string document = kEcho;
    document += "  tags: [\"n" + std::to_string(number) + "\"]\n";
    platform.Apply("shop", document);
  }

  bool AllConnected() {
    const std::string all = Jq("[.nodes[] | select(.connected)] | length");
    return all == std::to_string(platform.http_ports().size()) + "\n";
  }
  // It serves everything there is, as far as the control plane was told.
  bool Applied(const std::string& node) {
    return Jq(".head_revision as $head | .nodes[] | select(.name == \"" + node + "\") | .applied_revision == $head") ==
           "true\n";
  }
  // Of what `sluice nodes` shows.
  std::string Jq(const std::string& filter) {
    return Run({"jq", "-r", filter}, platform.Sluice({"nodes", "-o", "json"}).out).out;
  }

  Platform platform;
  std::unique_ptr<Load> load;
};

}  // namespace sluice::test
