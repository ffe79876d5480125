// What is no fault at all: changes, drains, restarts. Not one request may fail, not one tunnel may end.

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <future>
#include <iostream>
#include <sstream>

#include "common/base/text.h"
#include "tests/faults/fixture.h"

namespace sluice::test {
namespace {

// An upstream that agrees to a WebSocket and sends back every byte after that. One connection.
class EchoUpstream {
 public:
  EchoUpstream() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{AF_INET, 0, {htonl(INADDR_LOOPBACK)}, {}};
    socklen_t length = sizeof address;
    REQUIRE(bind(listener_, reinterpret_cast<sockaddr*>(&address), length) == 0);
    REQUIRE(listen(listener_, 1) == 0);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Run(); });
  }
  ~EchoUpstream() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  uint16_t port() const { return port_; }

 private:
  void Run() {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    std::string head;
    char chunk[4096];
    ssize_t got = 0;
    while (head.find("\r\n\r\n") == std::string::npos && (got = recv(fd, chunk, sizeof chunk, 0)) > 0) {
      head.append(chunk, static_cast<size_t>(got));
    }
    const std::string_view agreed =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    send(fd, agreed.data(), agreed.size(), MSG_NOSIGNAL);
    while ((got = recv(fd, chunk, sizeof chunk, 0)) > 0) send(fd, chunk, static_cast<size_t>(got), MSG_NOSIGNAL);
    close(fd);
  }

  const int listener_;
  uint16_t port_ = 0;
  std::thread thread_;
};

// curl, asking so often, `count` times, over TLS on connections that it keeps: how many were not answered with 200.
std::future<std::string> Curl(const std::string& version, uint16_t port, int rate, int count) {
  const std::string at = Cat(Platform::Host("shop"), ":", port);
  std::vector<std::string> command = {
      "curl", "-sk", version, "--rate", Cat(rate, "/s"), "--resolve", Cat(at, ":127.0.0.1"), "-o", "/dev/null",
      "-w", "%{http_code} %{http_version} %{errormsg}\n",
      Cat("https://", at, "/anything?[1-", count, "]")};
  return std::async(std::launch::async, [command, version, count] {
    const std::string good = version == "--http2" ? "200 2 " : "200 1.1 ";
    std::istringstream lines(Run(command, "", {}, std::chrono::seconds(1800)).out);
    std::string line, bad;
    int answered = 0;
    while (std::getline(lines, line)) {
      if (line == good) ++answered;
      else bad.append(line).append("; ");
    }
    return Cat(count - answered, " failed: ", bad);
  });
}

TEST_CASE("changes fail no request over HTTP/1.1, HTTP/2 or TLS, and end no tunnel") {
  const int changes = Count(60, 2000);
  EchoUpstream echo;
  Platform platform({.nodes = 2, .upstream_ports = {echo.port()}});
  const auto document = [&](int number) {
    std::ostringstream text;
    text << kEcho << "- name: chat\n  url: http://127.0.0.1:" << echo.port()
         << "\n  routes:\n  - name: chat\n    paths: [/chat]\n  tags: [n" << number << "]\n";
    return text.str();
  };
  platform.Serve("shop", document(0));
  WireClient tunnel = platform.Connect(0);
  tunnel.Send("GET /chat HTTP/1.1\r\nHost: shop.gw.localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
              "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  const std::string head = tunnel.Take(13);
  REQUIRE(head == "HTTP/1.1 101 ");
  while (tunnel.Take(1) != "\r" || tunnel.Take(3) != "\n\r\n") {
  }
  Load load(platform.http_ports(), Platform::Host("shop"));
  load.SetRate(10);
  auto http2 = Curl("--http2", platform.https_port(0), 10, changes);
  auto tls = Curl("--http1.1", platform.https_port(1), 10, changes);
  const auto start = std::chrono::steady_clock::now();
  for (int i = 1; i <= changes; ++i) {
    platform.Ok({"apply", "-g", "shop", "-f", "-", "--wait"}, platform.WithUpstream(document(i)));
    tunnel.Send("across the change");
    REQUIRE(tunnel.Take(17) == "across the change");
    std::this_thread::sleep_until(start + i * std::chrono::milliseconds(100));
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::cout << changes << " changes, each live before the next: " << took.count() << " s\n";
  CHECK(http2.get() == "0 failed: ");
  CHECK(tls.get() == "0 failed: ");
  load.Stop();
  INFO(load.first_failure());
  CHECK(load.failed() == 0);
  CHECK(load.Admitted().size() > static_cast<size_t>(changes));
}

TEST_CASE("nodes that are told to stop and started again, one after another, fail no request") {
  const int drains = Count(4, 100);
  Platform platform(2);
  platform.Serve("shop", kEcho);
  Link http(platform.http_port(1)), https(platform.https_port(1));  // the load balancer
  Load load({http.port()}, Platform::Host("shop"));
  load.SetRate(20);
  auto http2 = Curl("--http2", https.port(), 10, 10 * 5 * drains);
  for (int i = 0; i < drains; ++i) {
    const int node = i % 2;
    http.SetTarget(platform.http_port(1 - node));
    https.SetTarget(platform.https_port(1 - node));
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    platform.StopNode(node);
    platform.StartNode(node);
  }
  CHECK(http2.get() == "0 failed: ");
  load.Stop();
  INFO(load.first_failure());
  CHECK(load.failed() == 0);
}

}  // namespace
}  // namespace sluice::test
