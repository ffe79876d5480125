// Plugins at work in the data path: their moments, their answers, whole bodies, and the log at the end.

#include <fstream>
#include <thread>

#include "catch2/catch.hpp"
#include "data-plane/plugin/exchange.h"
#include "tests/support/node.h"
#include "tests/support/process.h"

using namespace sluice;
using test::Eventually;
using test::Node;
using test::NodeOptions;
using test::WireResponse;

namespace {

std::atomic<int> done{0};

// Upper-cases the response, whole where asked; answers itself where asked; keeps the request's body where asked.
class Probe final : public Plugin {
 public:
  unsigned moments() const override { return kOnRequest | kOnRequestBody | kOnResponse | kOnResponseBody | kOnDone; }
  io::Task<Verdict> OnRequest(Exchange& exchange) const override {
    const std::string_view wish = exchange.request.fields.Get("wish");
    if (wish == "answer") co_return Reply::Json(401, R"({"message":"Unauthorized"})");
    if (wish == "keep") {
      Exchange::Body body = co_await exchange.ReadRequestBody(8);
      if (body.bytes == nullptr) co_return std::move(body.failure);
      exchange.SetRequestBody("<" + *body.bytes + ">");
    }
    co_return std::nullopt;
  }
  Verdict OnRequestBody(Exchange&, std::string_view data) const override {
    if (data.find("forbidden") != std::string_view::npos) return Reply::Message(403, "no");
    return std::nullopt;
  }
  void OnResponse(Exchange& exchange, http::ResponseHead& head) const override {
    head.fields.Add("Probe", "1");
    if (exchange.request.fields.Get("wish") == "whole") exchange.BufferResponse();
  }
  void OnResponseBody(Exchange&, BodyPiece& piece) const override {
    std::string upper(piece.bytes);
    for (char& c : upper) c = static_cast<char>(std::toupper(c));
    piece.Replace(upper);
  }
  void OnDone(const Exchange&) const noexcept override { ++done; }
};

absl::StatusOr<std::unique_ptr<const Plugin>> MakeProbe(const google::protobuf::Message&, const PluginEnv&) {
  done = 0;
  return std::make_unique<Probe>();
}

constexpr PluginType kProbe[] = {{"correlation-id", MakeProbe}};

NodeOptions Probed() {
  NodeOptions options{.gateway = R"(hosts: "a.test" routes { paths: "/" } plugins { name: "correlation-id" })"};
  options.plugins = kProbe;
  return options;
}

std::string Post(const std::string& wish, const std::string& body) {
  const std::string length = std::to_string(body.size());
  return "POST / HTTP/1.1\r\nHost: a.test\r\nWish: " + wish + "\r\nContent-Length: " + length + "\r\n\r\n" + body;
}

// OnDone follows the answer, on another thread than the test's.
bool DoneBecomes(int count) {
  for (int i = 0; i < 5000 && done < count; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return done == count;
}

}  // namespace

TEST_CASE("a plugin changes the response's head and body") {
  Node node(Probed());
  WireResponse response = node.Ask("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
  CHECK(response.fields["probe"] == "1");
  CHECK(response.body == "OK");
  CHECK(response.fields["transfer-encoding"] == "chunked");
}

TEST_CASE("a plugin that wants the response whole gets it whole, and its length is known") {
  Node node(Probed());
  WireResponse response = node.Ask("GET / HTTP/1.1\r\nHost: a.test\r\nWish: whole\r\n\r\n");
  CHECK(response.body == "OK");
  CHECK(response.fields["content-length"] == "2");
}

TEST_CASE("a plugin's answer ends the request before the upstream") {
  Node node(Probed());
  WireResponse response = node.Ask("GET / HTTP/1.1\r\nHost: a.test\r\nWish: answer\r\n\r\n");
  CHECK(response.status == 401);
  CHECK(response.fields["probe"] == "1");
  CHECK(node.upstream().requests() == 0);
  CHECK(DoneBecomes(1));
}

TEST_CASE("a body that a plugin keeps goes on as the plugin left it, with its length") {
  Node node(Probed());
  CHECK(node.Ask(Post("keep", "12345678")).status == 200);
  CHECK(node.upstream().last().ends_with("\r\nContent-Length: 10\r\n\r\n<12345678>"));
}

TEST_CASE("a body past what a plugin keeps is a 413") {
  Node node(Probed());
  CHECK(node.Ask(Post("keep", "123456789")).status == 413);
  CHECK(node.upstream().requests() == 0);
}

TEST_CASE("a plugin that refuses a body on its way answers instead of the upstream") {
  Node node(Probed());
  CHECK(node.Ask(Post("", "forbidden")).status == 403);
  CHECK(node.upstream().requests() == 0);
}

TEST_CASE("every request is done exactly once, also where nobody waits for its answer") {
  NodeOptions options = Probed();
  options.upstream = [](auto&, test::Peer& peer) {
    peer.ReadRequest();
    peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
    while (peer.TrySend(std::string(65'536, 'x'))) {
    }
  };
  Node node(std::move(options));
  {
    auto client = node.Connect();
    client.Send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
    REQUIRE(Eventually([&] { return node.upstream().connections() > 0; }));
  }
  CHECK(DoneBecomes(1));
}

TEST_CASE("each request leaves one line in the access log, as JSON and without secrets") {
  test::TempDir folder;
  {
    NodeOptions options;
    options.options.access_log = folder / "access.log";
    Node node(std::move(options));
    node.Ask("GET /p?apikey=s3cr3t HTTP/1.1\r\nHost: a.test\r\n\r\n");
    node.Ask("GET / HTTP/1.1\r\nHost: b.test\r\n\r\n");
  }
  const std::string log = test::ReadFile(folder / "access.log");
  CHECK(std::count(log.begin(), log.end(), '\n') == 2);
  CHECK(log.find("s3cr3t") == std::string::npos);
  CHECK(log.find(R"("path":"/p","query":"apikey=REDACTED","protocol":"HTTP/1.1","status":200,"source":"upstream")") !=
        std::string::npos);
  CHECK(log.find(R"("status":404,"source":"gateway","reject_reason":"unknown-host")") != std::string::npos);
}
