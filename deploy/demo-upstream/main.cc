// A small HTTP/1.1 server that tells what it was asked: something to put behind a gateway while trying it out, testing
// it or measuring it.

#include <csignal>
#include <cstdio>
#include <string>
#include <thread>

#include "CLI/CLI.hpp"
#include "data-plane/http/target.h"
#include "data-plane/io/listener.h"
#include "data-plane/io/loop.h"
#include "deploy/demo-upstream/connection.h"

namespace {

// "127.0.0.1:9000", "[::1]:9000"; port 0 takes a free one.
bool ParseEndpoint(const std::string& text, sluice::io::Endpoint& out) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon + 1 == text.size()) return false;
  out.address = text.substr(0, colon);
  if (out.address.starts_with('[') && out.address.ends_with(']')) {
    out.address = out.address.substr(1, out.address.size() - 2);
  }
  const std::string digits = text.substr(colon + 1);
  if (digits.size() > 5 || digits.find_first_not_of("0123456789") != std::string::npos) return false;
  const int port = std::stoi(digits);
  out.port = static_cast<uint16_t>(port);
  return port <= 65535;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("An HTTP/1.1 server that tells what it was asked: /anything, /status/NNN, /delay/SECONDS, /bytes/N, "
               "/stream/N, /drip, /healthz");
  std::string listen = "127.0.0.1:9000";
  app.add_option("--listen", listen, "Address and port; port 0 takes a free one")->envname("SLUICE_LISTEN");
  app.set_version_flag("--version", "sluice-demo-upstream 0.1.0");
  CLI11_PARSE(app, argc, argv);

  sluice::io::Endpoint at;
  if (!ParseEndpoint(listen, at)) {
    std::fprintf(stderr, "--listen: \"%s\" is not ADDRESS:PORT\n", listen.c_str());
    return 64;
  }
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);

  sluice::io::Loop loop;
  auto listener = sluice::io::Listener::Open(loop, at, [&loop](sluice::io::Accepted accepted) {
    loop.Spawn(sluice::demo::ServeConnection(sluice::io::MakeTcpStream(loop, accepted.fd), accepted.peer.address));
  });
  if (!listener.ok()) {
    std::fprintf(stderr, "%s\n", std::string(listener.status().message()).c_str());
    return 1;
  }
  std::printf("listening on %s port %u\n", at.address.c_str(), unsigned{(*listener)->port()});
  std::fflush(stdout);
  std::thread signals([&loop, &ends] {
    int which;
    sigwait(&ends, &which);
    loop.Stop();
  });
  loop.Run();
  signals.join();
  return 0;
}
