// What a node's TLS port agrees to, asked by another's client.

#include <sstream>

#include "catch2/catch.hpp"
#include "tests/integration/platform.h"

namespace sluice::test {
namespace {

// `openssl s_client` as the least careful client there is, so that what is refused is refused by the node.
std::string Handshake(Platform& platform, std::vector<std::string> options, const std::string& input = "Q\n") {
  options.insert(options.begin(), {"openssl", "s_client", "-connect",
                                   "127.0.0.1:" + std::to_string(platform.https_port()), "-servername", "gw.localhost",
                                   "-CAfile", platform.state() + "/ca.pem"});
  const Finished ended = Run(options, input);
  return ended.out + ended.err;
}

bool Agreed(const std::string& said) {
  return said.find("Cipher is (NONE)") == std::string::npos && said.find("Cipher is ") != std::string::npos;
}

std::vector<std::string> Ciphers(const std::string& version) {
  std::istringstream names(Run({"openssl", "ciphers", "-s", version, "ALL:COMPLEMENTOFALL:@SECLEVEL=0"}).out);
  std::vector<std::string> ciphers;
  for (std::string name; std::getline(names, name, ':');) {
    if (name.back() == '\n') name.pop_back();
    if (!name.starts_with("TLS_")) ciphers.push_back(name);
  }
  return ciphers;
}

constexpr char kWeakest[] = "ALL:COMPLEMENTOFALL:@SECLEVEL=0";

TEST_CASE("TLS 1.2 and 1.3 are spoken and nothing older, without compression and without early data") {
  Platform platform;
  for (const char* version : {"-tls1_2", "-tls1_3"}) {
    const std::string said = Handshake(platform, {version, "-comp", "-cipher", kWeakest});
    INFO(said);
    CHECK(Agreed(said));
    CHECK(said.find("Verification: OK") != std::string::npos);
    CHECK(said.find("Compression: NONE") != std::string::npos);
    CHECK(said.find("Expansion: NONE") != std::string::npos);
  }
  for (const char* version : {"-tls1_1", "-tls1"}) {
    const std::string said = Handshake(platform, {version, "-cipher", kWeakest});
    INFO(said);
    CHECK_FALSE(Agreed(said));
    CHECK(said.find("alert protocol version") != std::string::npos);
  }
  const std::string request = "GET / HTTP/1.1\r\nHost: nobody.gw.localhost\r\nConnection: close\r\n\r\n";
  const std::string tickets = Handshake(platform, {"-tls1_3", "-ign_eof"}, request);
  CHECK(tickets.find("Max Early Data: 0\n") != std::string::npos);
  CHECK(tickets.find("Max Early Data: 1") == std::string::npos);
}

TEST_CASE("of all ciphers of TLS 1.2, those with forward secrecy and authenticated encryption alone are taken") {
  Platform platform;
  std::vector<std::string> taken;
  const std::vector<std::string> all = Ciphers("-tls1_2");
  CHECK(all.size() > 50);
  for (const std::string& cipher : all) {
    if (Agreed(Handshake(platform, {"-tls1_2", "-cipher", cipher + ":@SECLEVEL=0"}))) taken.push_back(cipher);
  }
  INFO(Catch::StringMaker<std::vector<std::string>>::convert(taken));
  CHECK(taken.size() >= 2);
  for (const std::string& cipher : taken) {
    INFO(cipher);
    CHECK(cipher.starts_with("ECDHE-"));
    CHECK((cipher.find("-GCM-") != std::string::npos || cipher.ends_with("-CHACHA20-POLY1305")));
  }
}

TEST_CASE("a connection of TLS 1.2 is never negotiated anew") {
  Platform platform;
  const std::string said = Handshake(platform, {"-tls1_2"}, "R\n");
  INFO(said);
  CHECK(said.find("Secure Renegotiation IS supported") != std::string::npos);  // that is, its flaw is not
  CHECK(said.find("RENEGOTIATING") != std::string::npos);
  CHECK(said.find("no renegotiation") != std::string::npos);
}

}  // namespace
}  // namespace sluice::test
