// The driver against an engine of the test's own: an HTTP server behind a real Unix socket.

#include "control-plane/provision/docker.h"

#include "catch2/catch.hpp"
#include "control-plane/provision/http.h"
#include "control-plane/provision/tar.h"
#include "tests/control-plane/provision/fake_engine.h"
#include "tests/support/hand_clock.h"
#include "tests/support/process.h"

namespace sluice::provision {
namespace {

using test::FakeEngine;

constexpr char kVersion[] = R"({"ApiVersion": "1.41", "MinAPIVersion": "1.12"})";
constexpr char kImage[] = R"({"Id": "sha256:1"})";

struct World {
  World() {
    engine.Answer("GET /version", 200, kVersion);
    engine.Answer("GET /v1.41/images/sluice:1/json", 200, kImage);
    engine.Answer("GET /v1.41/containers/json", 200, "[]");
    options.socket = engine.socket();
    options.image = "sluice:1";
    options.network = "edge";
    options.prefix = "node";
    options.control_planes = "control-plane:7002";
    driver = MakeDockerDriver(options, clock);
  }
  absl::Status Start(int slot) {
    return driver->Start({NameOf("node", slot), "default", slot, [] { return std::string("a token"); }});
  }
  void Listed(const std::string& state, const std::string& print = "?") {
    engine.Answer("GET /v1.41/containers/json", 200,
                  R"([{"Id": "c1", "State": ")" + state + R"x(", "Status": "Up (healthy)", "Labels": {)x" +
                      R"("sluice.fleet": "sluice", "sluice.node": "node-1", "sluice.print": ")" + print + R"("}}])");
  }

  test::HandClock clock;
  FakeEngine engine;
  DockerOptions options;
  std::unique_ptr<Driver> driver;
};

void AcceptCreation(World& world) {
  world.engine.Answer("POST /v1.41/containers/create", 201, R"({"Id": "c1"})");
  world.engine.Answer("PUT /v1.41/containers/c1/archive", 200, "");
  world.engine.Answer("POST /v1.41/containers/c1/start", 204, "");
}

TEST_CASE("a node is a container that is made, given its token and started") {
  World world;
  world.options.publish = "127.0.0.1";
  world.options.environment = {"A=b"};
  world.options.arguments = {"--workers=2"};
  world.driver = MakeDockerDriver(world.options, world.clock);
  AcceptCreation(world);
  const absl::Status started = world.Start(2);
  INFO(started.message());
  REQUIRE(started.ok());
  const auto create = world.engine.Asked("POST /v1.41/containers/create");
  CHECK(create.target == "/v1.41/containers/create?name=sluice-node-2");
  CHECK(create.type == "application/json");
  for (const char* part :
       {R"("Image":"sluice:1")", R"("NetworkMode":"edge")", R"("--name=node-2")", R"("--control-plane=control-plane:7002")",
        R"("--workers=2")", R"("Env":["A=b"])", R"("sluice.fleet":"sluice")", R"("sluice.node":"node-2")",
        R"("sluice.cell":"default")", R"("ReadonlyRootfs":true)", R"("CapDrop":["ALL"])", R"("Interval":2000000000)",
        R"("RestartPolicy":{"Name":"unless-stopped"})", R"("HostPort":"8010")", R"("StopTimeout":45)"}) {
    CHECK_THAT(create.body, Catch::Contains(part));
  }
  CHECK_THAT(create.body, !Catch::Contains("a token"));  // anybody who may list containers reads that
  const auto put = world.engine.Asked("PUT /v1.41/containers/c1/archive");
  CHECK(put.target == "/v1.41/containers/c1/archive?path=%2Fvar%2Flib%2Fsluice");
  CHECK(put.body == TarOf({"join-token", "a token", 0400, 65532}));
  CHECK(world.engine.Asked("POST /v1.41/containers/c1/start").body.empty());
}

TEST_CASE("containers are found by their fleet's label, whoever made them") {
  World world;
  world.Listed("running");
  const auto listed = world.driver->List();
  INFO(listed.status().message());
  REQUIRE(listed.ok());
  REQUIRE(listed->size() == 1);
  CHECK((*listed)[0].name == "node-1");
  CHECK((*listed)[0].slot == 1);
  CHECK((*listed)[0].ready);
  CHECK((*listed)[0].outdated);
  CHECK(world.engine.Asked("GET /v1.41/containers/json").target ==
        "/v1.41/containers/json?all=1&filters=%7B%22label%22%3A%5B%22sluice.fleet%3Dsluice%22%5D%7D");
}

TEST_CASE("a container is outdated once its image or what it is made of has changed") {
  World world;
  AcceptCreation(world);
  REQUIRE(world.Start(1).ok());
  const std::string body = world.engine.Asked("POST /v1.41/containers/create").body;
  const std::string key = R"("sluice.print":")";
  const std::string print = body.substr(body.find(key) + key.size(), 32);
  world.Listed("running", print);
  CHECK_FALSE((*world.driver->List())[0].outdated);
  world.options.arguments = {"--workers=2"};
  CHECK((*MakeDockerDriver(world.options, world.clock)->List())[0].outdated);
  world.engine.Answer("GET /v1.41/images/sluice:1/json", 200, R"({"Id": "sha256:2"})");
  CHECK((*world.driver->List())[0].outdated);
  world.engine.Answer("GET /v1.41/images/sluice:1/json", 404, R"({"message": "none"})");
  CHECK_FALSE((*world.driver->List())[0].outdated);
}

TEST_CASE("a container that ended is told from one that runs or is started again") {
  World world;
  for (const char* state : {"running", "restarting", "paused"}) {
    world.Listed(state);
    CHECK((*world.driver->List())[0].state == State::kRunning);
  }
  for (const char* state : {"exited", "created", "dead"}) {
    world.Listed(state);
    CHECK((*world.driver->List())[0].state == State::kExited);
  }
}

TEST_CASE("a node is told to drain, and killed when its time is up") {
  World world;
  world.Listed("running");
  REQUIRE(world.driver->List().ok());
  world.engine.Answer("POST /v1.41/containers/c1/kill", 204, "");
  REQUIRE(world.driver->Stop("node-1").ok());
  CHECK(world.engine.Asked("POST /v1.41/containers/c1/kill").target == "/v1.41/containers/c1/kill?signal=SIGTERM");
  world.clock.now += kMaxStop - std::chrono::seconds(1);
  CHECK((*world.driver->List())[0].state == State::kStopping);
  CHECK(world.engine.Count("POST /v1.41/containers/c1/kill") == 1);
  world.clock.now += std::chrono::seconds(1);
  REQUIRE(world.driver->List().ok());
  CHECK(world.engine.Asked("POST /v1.41/containers/c1/kill").target == "/v1.41/containers/c1/kill?signal=SIGKILL");
}

TEST_CASE("a container that has ended is removed with its volumes before another takes its name") {
  World world;
  world.Listed("exited");
  REQUIRE(world.driver->List().ok());
  AcceptCreation(world);
  world.engine.Answer("DELETE /v1.41/containers/c1", 204, "");
  REQUIRE(world.Start(1).ok());
  CHECK(world.engine.Asked("DELETE /v1.41/containers/c1").target == "/v1.41/containers/c1?v=1&force=1");
}

TEST_CASE("a container that does not start is not left behind") {
  World world;
  AcceptCreation(world);
  world.engine.Answer("POST /v1.41/containers/c1/start", 500, R"({"message": "port is already allocated"})");
  world.engine.Answer("DELETE /v1.41/containers/c1", 204, "");
  CHECK(world.Start(1).message() ==
        "the Docker engine answers 500 to POST /containers/c1/start: port is already allocated");
  CHECK(world.engine.Count("DELETE /v1.41/containers/c1") == 1);
}

TEST_CASE("an image that the engine does not have is named, and no token is made for it") {
  World world;
  world.engine.Answer("GET /v1.41/images/sluice:1/json", 404, R"({"message": "No such image: sluice:1"})");
  bool asked = false;
  const absl::Status started = world.driver->Start({"node-1", "default", 1, [&] {
                                                      asked = true;
                                                      return std::string();
                                                    }});
  CHECK_THAT(std::string(started.message()), Catch::Contains("the engine has no image sluice:1"));
  CHECK_FALSE(asked);
}

TEST_CASE("an engine that speaks older or newer versions is spoken to in one that both know, or not at all") {
  World world;
  world.engine.Answer("GET /version", 200, R"({"ApiVersion": "1.60", "MinAPIVersion": "1.44"})");
  world.engine.Answer("GET /v1.47/containers/json", 200, "[]");
  world.engine.Answer("GET /v1.47/images/sluice:1/json", 200, kImage);
  CHECK(world.driver->List().ok());
  world.engine.Answer("GET /version", 200, R"({"ApiVersion": "1.90", "MinAPIVersion": "1.80"})");
  const auto too_new = MakeDockerDriver(world.options, world.clock)->List();
  CHECK(absl::IsFailedPrecondition(too_new.status()));
  world.engine.Answer("GET /version", 200, "hello");
  const auto other = MakeDockerDriver(world.options, world.clock)->List();
  CHECK_THAT(std::string(other.status().message()), Catch::Contains("is no Docker engine"));
}

TEST_CASE("where nobody listens the error says what to look at") {
  World world;
  world.options.socket = "/nowhere/docker.sock";
  const auto listed = MakeDockerDriver(world.options, world.clock)->List();
  CHECK(absl::IsUnavailable(listed.status()));
  CHECK_THAT(std::string(listed.status().message()),
             Catch::Contains("/nowhere/docker.sock") && Catch::Contains("may this process use its socket?"));
}

TEST_CASE("an answer past its bound is refused") {
  World world;
  world.engine.Answer("GET /v1.41/containers/json", 200, std::string(kMaxAnswerBytes + 1, ' '));
  CHECK(absl::IsResourceExhausted(world.driver->List().status()));
}

TEST_CASE("the archive of a file is read by tar, with its name, owner, mode and content") {
  test::TempDir folder;
  test::WriteFile(folder / "a.tar", TarOf({"join-token", "a token", 0400, 65532}));
  const auto listed = test::Run({"tar", "--numeric-owner", "-tvf", folder / "a.tar"});
  CHECK_THAT(listed.out, Catch::StartsWith("-r-------- 65532/65532") && Catch::Contains("join-token"));
  CHECK(test::Run({"tar", "-xOf", folder / "a.tar"}).out == "a token");
}

}  // namespace
}  // namespace sluice::provision
