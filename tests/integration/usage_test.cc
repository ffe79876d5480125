// What gateways are asked for, from the nodes to `sluice usage`.

#include "catch2/catch.hpp"
#include "tests/integration/platform.h"

namespace sluice::test {
namespace {

constexpr char kHost[] = "shop.gw.localhost";

// The total as `sluice usage` prints it: requests, refused, limited, too large, failed, bytes in, bytes out.
std::vector<int64_t> Total(Platform& platform, const std::string& by) {
  const std::string table = platform.Ok({"usage", "-g", "shop", "--since", "2h", "--by", by});
  std::istringstream line(table.substr(table.rfind("total") + 5));
  std::vector<int64_t> numbers;
  for (int64_t number; line >> number;) numbers.push_back(number);
  return numbers;
}

TEST_CASE("requests of every node are counted once each, also those of a node that was without a control plane") {
  Platform platform(2);
  platform.Serve("shop", kEcho);
  CHECK(Total(platform, "hour") == std::vector<int64_t>(7, 0));
  for (int i = 0; i < 3; ++i) CHECK(platform.Connect(0).Get(kHost, "/anything").status == 200);
  const std::string too_large = "Content-Length: 99999999\r\n";
  CHECK(platform.Connect(1).Get(kHost, "/anything", too_large).status == 413);
  platform.StopNode(0);  // which reports the minute that it leaves in
  CHECK(Total(platform, "minute")[0] == 3);
  platform.StopNode(1);
  for (const std::string by : {"minute", "hour", "day"}) {
    const std::vector<int64_t> total = Total(platform, by);
    CHECK(total[0] == 4);
    CHECK(total[1] == 1);
    CHECK(total[3] == 1);
    CHECK(total[6] > 0);
  }
}

TEST_CASE("what a node counts while the control plane is away is reported when it is back") {
  Platform platform;
  platform.Serve("shop", kEcho);
  platform.control_plane().Kill();
  CHECK(platform.Connect().Get(kHost, "/anything").status == 200);
  // The node reports once a minute.
  platform.StartControlPlane();
  REQUIRE(Eventually([&] { return Total(platform, "minute")[0] == 1; }, std::chrono::seconds(90)));
  platform.StopNode(0);
  CHECK(Total(platform, "hour")[0] == 1);
}

}  // namespace
}  // namespace sluice::test
