// Summerwind's h2spec, strictly, against both listeners of a data plane in this process.

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "catch2/catch.hpp"
#include "tests/data-plane/io/certificates.h"
#include "tests/support/node.h"

using sluice::test::Node;
using sluice::test::NodeOptions;

namespace {

struct Outcome {
  int status = -1;
  std::string output;
};

Outcome H2Spec(uint16_t port, const std::string& options) {
  const std::string command =
      SLUICE_H2SPEC " -S -h 127.0.0.1 -o 5 -p " + std::to_string(port) + " " + options + " 2>&1 </dev/null";
  Outcome outcome;
  FILE* pipe = popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  char bytes[4096];
  while (const size_t got = fread(bytes, 1, sizeof bytes, pipe)) outcome.output.append(bytes, got);
  const int ended = pclose(pipe);
  outcome.status = WIFEXITED(ended) ? WEXITSTATUS(ended) : -1;
  return outcome;
}

NodeOptions Options(sluice::io::TestAuthority& authority) {
  NodeOptions options;
  options.gateway = R"(hosts: "127.0.0.1" plan { requests_per_second: 100000 } routes { paths: "/" })";
  options.options.https = sluice::io::Endpoint{"127.0.0.1", 0};
  options.options.certificates = {authority.Issue("server", {.dns = {"a.test"}, .ips = {"127.0.0.1"}})};
  return options;
}

bool Installed() {
  if (access(SLUICE_H2SPEC, X_OK) == 0) return true;
  WARN("h2spec is not installed: `tests/run conformance` does so where Go is");
  return false;
}

void CheckAllPassed(const Outcome& outcome) {
  INFO(outcome.output);
  CHECK(outcome.status == 0);
  CHECK(outcome.output.find(" 0 failed") != std::string::npos);
  CHECK(outcome.output.find(" passed, ") != std::string::npos);
}

}  // namespace

TEST_CASE("h2spec passes whole on the plain port") {
  if (!Installed()) return;
  sluice::io::TestAuthority authority;
  Node node(Options(authority));
  CheckAllPassed(H2Spec(node.group().http_port(), ""));
}

TEST_CASE("h2spec passes whole on the TLS port") {
  if (!Installed()) return;
  sluice::io::TestAuthority authority;
  Node node(Options(authority));
  CheckAllPassed(H2Spec(node.group().https_port(), "-t -k"));
}
