// Private keys of a gateway: where they are kept, and where they must not be.

#include <sys/stat.h>

#include <filesystem>

#include "absl/strings/escaping.h"
#include "catch2/catch.hpp"
#include "tests/integration/platform.h"
#include "tests/support/pems.h"

namespace sluice::test {
namespace {

std::string Indented(const std::string& pem) {
  std::string out = "|\n    ";
  for (const char c : pem.substr(0, pem.size() - 1)) out += c == '\n' ? std::string("\n    ") : std::string(1, c);
  return out + "\n";
}

std::string Document() {
  return "_format_version: \"3.0\"\ncertificates:\n- cert: " + Indented(kRsaCertificate) +
         "  key: " + Indented(kRsaKey) +
         "  snis:\n  - name: shop.example.com\nca_certificates:\n- cert: " + Indented(kAuthority);
}

// The lines of base64 in the key: none may be found anywhere, in whichever form PostgreSQL prints bytes.
std::vector<std::string> Lines(const std::string& pem) {
  std::vector<std::string> out;
  for (size_t at = 0; at < pem.size();) {
    const size_t end = pem.find('\n', at);
    if (end - at == 64) out.push_back(pem.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

bool Holds(const std::string& text, const std::string& line) {
  return text.find(line) != std::string::npos || text.find(absl::BytesToHexString(line)) != std::string::npos;
}

std::string VersionOf(Platform& platform) {
  const std::string json = platform.Ok({"gateway", "get", "shop", "-o", "json"});
  const size_t at = json.find("\"version\"");
  REQUIRE(at != std::string::npos);
  return json.substr(at, json.find_first_of(",}\n", at) - at);
}

// What a control plane on the platform's database and state says that does not start.
std::string StartError(Platform& platform, const std::vector<std::string>& environment = {}) {
  const auto any = [] { return "127.0.0.1:" + std::to_string(FreePort()); };
  const Finished ended =
      Run({std::string(SLUICE_BIN) + "/sluice-control-plane", "--database", platform.database().conninfo(), "--state",
           platform.state(), "--admin", any(), "--sync", any(), "--ops", any()},
          "", environment);
  CHECK(ended.exit_code == 1);
  return ended.out + ended.err;
}

TEST_CASE("a private key is served to nodes, and is in no dump, of gateway or database, in no log, and on no disk") {
  Platform platform;
  platform.Serve("shop", Document());
  REQUIRE(Eventually([&] { return platform.OnDisk(0).find(Lines(kRsaKey).front()) != std::string::npos; }));
  const std::string dump = platform.Ok({"dump", "-g", "shop"});
  const Finished database = Run({"pg_dump", "-d", platform.database().conninfo()});
  REQUIRE(database.exit_code == 0);
  CHECK(database.out.find("shop.example.com") != std::string::npos);  // names are kept in clear
  CHECK(Lines(kRsaKey).size() > 20);
  for (const std::string& line : Lines(kRsaKey)) {
    CHECK_FALSE(Holds(database.out, line));
    CHECK_FALSE(Holds(dump, line));
    CHECK_FALSE(Holds(ReadFile(platform.state() + "/control-plane.log"), line));
    CHECK_FALSE(Holds(ReadFile(platform.state() + "/node-1/log"), line));
    CHECK_FALSE(Holds(ReadFile(platform.state() + "/node-1/state/last-good"), line));
    CHECK_FALSE(Holds(ReadFile(platform.state() + "/node-1/state/last-good.previous"), line));
  }
}

TEST_CASE("a document with certificates applies again without a change, and so does its dump, after a restart too") {
  Platform platform;
  platform.Serve("shop", Document());
  const std::string version = VersionOf(platform);
  platform.StopControlPlane();
  platform.StartControlPlane();
  for (const std::string& document : {Document(), platform.Ok({"dump", "-g", "shop"})}) {
    const Finished diff = platform.Sluice({"diff", "-g", "shop", "-f", "-"}, document);
    INFO(diff.out << diff.err);
    CHECK(diff.exit_code == 0);
    platform.Ok({"apply", "-g", "shop", "-f", "-"}, document);
  }
  CHECK(VersionOf(platform) == version);
}

TEST_CASE("the control plane starts with the secret key of its database only") {
  Platform platform;
  const std::string path = platform.state() + "/secret-key", key = ReadFile(path);
  struct stat status;
  REQUIRE(stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  platform.StopControlPlane();
  std::filesystem::remove(path);
  CHECK(StartError(platform).find("there is no secret key file") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(path));
  WriteFile(path, absl::Base64Escape(std::string(32, 'x')));
  CHECK(StartError(platform).find("give the secret key file of this database") != std::string::npos);
  WriteFile(path, "not a key");
  CHECK(StartError(platform).find("is not 32 bytes in base64") != std::string::npos);
  CHECK(StartError(platform, {"SLUICE_SECRET_KEY=" + absl::Base64Escape(std::string(32, 'y'))})
            .find("give the secret key file of this database") != std::string::npos);
  WriteFile(path, key);
  platform.StartControlPlane();
}

}  // namespace
}  // namespace sluice::test
