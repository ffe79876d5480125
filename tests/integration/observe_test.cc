// What operators see: metrics, health, the access log.

#include <grpcpp/grpcpp.h>

#include <algorithm>

#include "catch2/catch.hpp"
#include "grpc/health/v1/health.grpc.pb.h"
#include "tests/integration/platform.h"
#include "tests/support/load.h"

namespace sluice::test {
namespace {

std::string Metrics(uint16_t port) {
  return Run({"curl", "-fsS", "http://127.0.0.1:" + std::to_string(port) + "/metrics"}).out;
}

TEST_CASE("the metrics of both planes satisfy promtool") {
  Platform platform;
  platform.Serve("shop", kEcho);
  platform.Connect().Get("shop.gw.localhost", "/anything");
  for (const uint16_t port : {platform.ops_port(), platform.control_plane_ops_port()}) {
    const std::string metrics = Metrics(port);
    CHECK(metrics.find("sluice_") != std::string::npos);
    const Finished checked = Run({"promtool", "check", "metrics"}, metrics);
    INFO(checked.out << checked.err);
    CHECK(checked.exit_code == 0);
  }
}

TEST_CASE("the control plane tells what is in each cell, and whose limits move between its nodes") {
  Platform platform({.nodes = 3, .cells = {"default", "default", "west"}});
  for (const char* name : {"one", "two", "three"}) platform.Serve(name, kEcho);
  const auto shows = [&](const std::string& line) {
    return Metrics(platform.control_plane_ops_port()).find("\n" + line + "\n") != std::string::npos;
  };
  CHECK(shows("sluice_cell_gateways{cell=\"default\"} 2"));
  CHECK(shows("sluice_cell_gateways{cell=\"west\"} 1"));
  CHECK(shows("sluice_cell_nodes{cell=\"default\"} 2"));
  CHECK(shows("sluice_cell_owner{cell=\"west\"} 1"));
  CHECK(shows("sluice_cell_leased_gateways{cell=\"default\"} 0"));
  Load load({platform.http_port(0)}, Platform::Host("one"));
  load.SetRate(200);
  CHECK(Eventually([&] { return shows("sluice_cell_leased_gateways{cell=\"default\"} 1"); }));
  load.SetRate(0);
  CHECK(Eventually([&] { return shows("sluice_cell_leased_gateways{cell=\"default\"} 0"); }));
}

TEST_CASE("health is told without a token") {
  Platform platform;
  const auto stub = grpc::health::v1::Health::NewStub(
      grpc::CreateChannel("127.0.0.1:" + std::to_string(platform.admin_port()), grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  grpc::health::v1::HealthCheckResponse response;
  CHECK(stub->Check(&context, {}, &response).ok());
  CHECK(response.status() == grpc::health::v1::HealthCheckResponse::SERVING);
}

TEST_CASE("requests are counted once, by gateway and by code") {
  Platform platform;
  platform.Serve("shop", kEcho);
  WireClient client = platform.Connect();
  for (int i = 0; i < 3; ++i) client.Get("shop.gw.localhost", "/anything");
  client.Get("shop.gw.localhost", "/nothing");
  REQUIRE(Eventually([&] { return Metrics(platform.ops_port()).find("code=\"404\"") != std::string::npos; }));
  const std::string metrics = Metrics(platform.ops_port());
  INFO(metrics);
  CHECK(metrics.find("name=\"shop\"") != std::string::npos);
}

TEST_CASE("the access log has one JSON line a request, and no secret of it") {
  Platform platform;
  platform.Serve("shop", kEcho);
  platform.Connect().Get("shop.gw.localhost", "/anything?apikey=very-secret&a=1",
                         "Authorization: Bearer very-secret\r\n");
  const std::string log = platform.state() + "/node-1/access.log";
  REQUIRE(Eventually([&] { return ReadFile(log).find("/anything") != std::string::npos; }));
  const std::string line = ReadFile(log);
  INFO(line);
  CHECK(std::count(line.begin(), line.end(), '\n') == 1);
  CHECK(line.find("very-secret") == std::string::npos);
  for (const char* key :
       {"\"request_id\"", "\"gateway\"", "\"route\"", "\"service\"", "\"status\":200", "\"config_version\""}) {
    INFO(key);
    CHECK(line.find(key) != std::string::npos);
  }
}

}  // namespace
}  // namespace sluice::test
