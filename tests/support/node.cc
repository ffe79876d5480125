#include "tests/support/node.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <future>

#include "catch2/catch.hpp"
#include "google/protobuf/text_format.h"

namespace sluice::test {
namespace {

constexpr int kWaitMs = 15'000;

size_t BodyLength(const std::string& head) {
  const size_t at = head.find("\r\nContent-Length: ");
  return at == std::string::npos ? 0 : std::strtoul(head.c_str() + at + 18, nullptr, 10);
}

std::string Replace(std::string text, const std::string& word, const std::string& by) {
  for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + by.size())) {
    text.replace(at, word.size(), by);
  }
  return text;
}

}  // namespace

Peer::~Peer() {
  Close();
}

bool Peer::ReadMore() {
  pollfd ready{fd_, POLLIN, 0};
  if (fd_ < 0 || poll(&ready, 1, kWaitMs) <= 0) return false;
  char bytes[65536];
  const ssize_t got = recv(fd_, bytes, sizeof bytes, 0);
  if (got <= 0) return false;
  buffered.append(bytes, got);
  return true;
}

std::string Peer::ReadHead() {
  size_t end;
  while ((end = buffered.find("\r\n\r\n")) == std::string::npos) {
    if (!ReadMore()) return "";
  }
  std::string head = buffered.substr(0, end + 4);
  buffered.erase(0, end + 4);
  return head;
}

std::string Peer::ReadRequest() {
  std::string request = ReadHead();
  if (request.empty()) return "";
  size_t size = BodyLength(request);
  if (request.find("\r\nTransfer-Encoding: chunked\r\n") != std::string::npos) {
    constexpr std::string_view kLast = "0\r\n\r\n";
    size_t end, seen = 0;
    while ((end = buffered.find(kLast, seen)) == std::string::npos) {
      seen = buffered.size() - std::min(buffered.size(), kLast.size() - 1);
      if (!ReadMore()) return "";
    }
    size = end + kLast.size();
  }
  while (buffered.size() < size) {
    if (!ReadMore()) return "";
  }
  request += buffered.substr(0, size);
  buffered.erase(0, size);
  return request;
}

bool Peer::TrySend(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(sent);
  }
  return true;
}

void Peer::Reset() {
  const linger now{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  Close();
}

void Peer::Close() {
  std::lock_guard lock(mutex_);
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

void Peer::Interrupt() {
  std::lock_guard lock(mutex_);
  if (fd_ >= 0) shutdown(fd_, SHUT_RDWR);
}

bool Peer::WaitForClose() {
  while (ReadMore()) {
  }
  char byte;
  return recv(fd_, &byte, 1, MSG_DONTWAIT) == 0 || errno == ECONNRESET;
}

Upstream::Serve Answering(std::string response) {
  return [response](Upstream& upstream, Peer& peer) {
    for (std::string request = peer.ReadRequest(); !request.empty(); request = peer.ReadRequest()) {
      upstream.Record(request);
      peer.Send(response);
    }
  };
}

std::string Balanced(const std::string& upstream, const std::string& targets, const std::string& route) {
  std::string text = R"(id: "11111111-1111-4111-8111-111111111111" hosts: "a.test" services { name: "s" host: "u" }
                        plan { requests_per_second: 10000 egress_allow: "127.0.0.0/8" } upstreams { name: "u" )";
  return text.append(upstream).append("} ").append(targets).append("routes { ").append(route).append(" }");
}

std::string TargetEntity(uint16_t port, const std::string& more) {
  return R"(targets { upstream: "u" target: "127.0.0.1:)" + std::to_string(port) + "\" " + more + "} ";
}

Upstream::Upstream(Serve serve) : serve_(std::move(serve)), fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(bind(fd_, reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(listen(fd_, 128) == 0);
  REQUIRE(getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { Accept(); });
}

Upstream::~Upstream() {
  stopping_ = true;
  shutdown(fd_, SHUT_RDWR);
  acceptor_.join();
  {
    std::lock_guard lock(mutex_);
    for (const auto& peer : peers_) peer->Interrupt();
  }
  for (std::thread& thread : threads_) thread.join();
  close(fd_);
}

void Upstream::Accept() {
  while (!stopping_) {
    const int fd = accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    ++connections_;
    std::lock_guard lock(mutex_);
    Peer* peer = peers_.emplace_back(std::make_unique<Peer>(fd)).get();
    threads_.emplace_back([this, peer] {
      serve_(*this, *peer);
      peer->Close();
    });
  }
}

int Upstream::requests() const {
  std::lock_guard lock(mutex_);
  return static_cast<int>(requests_.size());
}

std::string Upstream::request(int index) const {
  std::lock_guard lock(mutex_);
  return index < static_cast<int>(requests_.size()) ? requests_[index] : "";
}

std::string Upstream::last() const {
  std::lock_guard lock(mutex_);
  return requests_.empty() ? "" : requests_.back();
}

void Upstream::Record(std::string request) {
  std::lock_guard lock(mutex_);
  requests_.push_back(std::move(request));
}

Node::Node(NodeOptions options)
    : allow_upstream_(options.allow_upstream), plugins_(options.plugins), upstream_(options.upstream) {
  options.options.http = io::Endpoint{"127.0.0.1", 0};
  options.options.workers = options.workers;
  auto group = proxy::WorkerGroup::Start(options.options);
  INFO(group.status().ToString());
  REQUIRE(group.ok());
  group_ = std::move(*group);
  if (!options.gateway.empty()) Publish(options.gateway);
  for (const std::string& gateway : options.more_gateways) Publish(gateway);
  if (options.ready) group_->SetReady();
}

Node::~Node() = default;

std::shared_ptr<const Gateway> Node::Compile(std::string text) {
  const std::string port = std::to_string(upstream_.port());
  config::v1::GatewayConfig config;
  REQUIRE(google::protobuf::TextFormat::ParseFromString(Replace(std::move(text), "UPSTREAM_PORT", port), &config));
  config::v1::Plan plan = config::ServerlessPlan();
  plan.MergeFrom(config.plan());
  if (allow_upstream_) plan.add_egress_allow("127.0.0.1:" + port);
  *config.mutable_plan() = plan;
  if (config.version() == 0) config.set_version(1);
  if (config.id().empty()) config.set_id("00000000-0000-4000-8000-" + std::string(12, '0' + states_.size() % 10));
  if (config.name().empty()) config.set_name(config.hosts(0));
  config.set_kind(config::v1::SERVERLESS);
  if (config.services().empty()) {
    config::v1::Service* service = config.add_services();
    service->set_name("upstream");
    service->set_host("127.0.0.1");
    service->set_port(upstream_.port());
  }
  for (config::v1::Route& route : *config.mutable_routes()) {
    if (!route.has_service()) route.set_service(config.services(0).name());
  }
  schema::Violations violations;
  config::Complete(config, violations);
  for (const schema::Violation& violation : violations.list()) FAIL_CHECK(violation.field << ": " << violation.message);
  std::shared_ptr<GatewayState> state;
  for (const auto& [id, known] : states_) {
    if (id == config.id()) state = known;
  }
  if (state == nullptr) {
    state = std::make_shared<GatewayState>();
    states_.emplace_back(config.id(), state);
  }
  state->SetLimit(plan.requests_per_second());
  auto gateway = Gateway::Compile(config, plugins_, config::FleetRules{}, state);
  INFO(gateway.status().ToString());
  REQUIRE(gateway.ok());
  return *gateway;
}

void Node::Publish(const std::string& text) {
  std::shared_ptr<const Gateway> gateway = Compile(text);
  std::promise<void> done;
  group_->Publish({{gateway->id(), gateway}}, [&] { done.set_value(); });
  done.get_future().wait();
}

void Node::Remove(const std::string& gateway_id) {
  std::promise<void> done;
  group_->Publish({{gateway_id, nullptr}}, [&] { done.set_value(); });
  done.get_future().wait();
}

WireResponse Node::Ask(std::string_view bytes) {
  WireClient client(group_->http_port());
  client.Send(bytes);
  return client.Read();
}

proxy::Stats Node::stats() {
  std::promise<proxy::Stats> stats;
  group_->Collect([&](proxy::Stats sum) { stats.set_value(std::move(sum)); });
  return stats.get_future().get();
}

}  // namespace sluice::test
