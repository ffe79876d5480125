#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>

#include "catch2/catch.hpp"
#include "common/rpc/server.h"
#include "tests/support/process.h"

namespace sluice::rpc {
namespace {

// A self-signed certificate and its key, as <name>.pem and <name>.key.
TlsFiles Make(const test::TempDir& folder, const std::string& name) {
  const TlsFiles files{folder / (name + ".pem"), folder / (name + ".key"), ""};
  const test::Finished made =
      test::Run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                 "/CN=" + name, "-out", files.certificate, "-keyout", files.key});
  INFO(made.err);
  REQUIRE(made.exit_code == 0);
  return files;
}

std::string WhyNot(const TlsFiles& files) { return std::string(ServerCredentials(files).status().message()); }

TEST_CASE("a certificate goes with its own key, and with no other") {
  test::TempDir folder;
  const TlsFiles one = Make(folder, "one");
  const TlsFiles two = Make(folder, "two");
  CHECK(ServerCredentials(one).ok());
  CHECK(ClientCredentials(one).ok());
  CHECK(WhyNot({one.certificate, two.key, ""}) == two.key + " is not the key of " + one.certificate);
}

TEST_CASE("files that hold no PEM are named before anything listens") {
  test::TempDir folder;
  const TlsFiles good = Make(folder, "good");
  const std::string bad = folder / "bad.pem";
  test::WriteFile(bad, "garbage\n");
  CHECK(WhyNot({bad, good.key, ""}) == bad + " holds no certificate in PEM");
  CHECK(WhyNot({good.certificate, bad, ""}) == bad + " holds no private key in PEM without a password");
  CHECK(ClientCredentials({"", "", bad}).status().message() == bad + " holds no certificate in PEM");
  CHECK(ClientCredentials({"", "", good.certificate}).ok());
}

}  // namespace
}  // namespace sluice::rpc
