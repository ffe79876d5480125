// Bodies that plugins hold and those that wait in streams of HTTP/2: what they may hold of a gateway's share, what
// becomes of the length, what is given back.

#include "catch2/catch.hpp"
#include "data-plane/plugin/exchange.h"
#include "data-plane/route/gateway.h"
#include "tests/support/http2_client.h"
#include "tests/support/node.h"

using namespace sluice;
namespace h2 = test::h2;
using test::Answering;
using test::Http2Client;
using test::Node;
using test::NodeOptions;
using test::WireResponse;

namespace {

std::shared_ptr<const Gateway> served;  // the gateway of the last request

// By the header Wish: reads the request's body, gives it another of so many bytes, or holds the response.
class Holder final : public Plugin {
 public:
  unsigned moments() const override { return kOnRequest | kOnResponse | kOnResponseBody; }
  io::Task<Verdict> OnRequest(Exchange& exchange) const override {
    served = exchange.gateway;
    const std::string_view give = exchange.request.fields.Get("give");
    if (exchange.request.fields.Has("read")) {
      Exchange::Body body = co_await exchange.ReadRequestBody(1'000'000);
      if (body.bytes == nullptr) co_return std::move(body.failure);
    }
    if (!give.empty()) exchange.SetRequestBody(std::string(std::stoul(std::string(give)), 'g'));
    co_return std::nullopt;
  }
  void OnResponse(Exchange& exchange, http::ResponseHead&) const override {
    if (exchange.request.fields.Has("hold")) exchange.BufferResponse();
  }
  void OnResponseBody(Exchange&, BodyPiece&) const override {}
};

absl::StatusOr<std::unique_ptr<const Plugin>> MakeHolder(const google::protobuf::Message&, const PluginEnv&) {
  return std::make_unique<Holder>();
}

constexpr PluginType kHolder[] = {{"correlation-id", MakeHolder}};

NodeOptions Holding(const std::string& plan, const std::string& answer = "ok") {
  NodeOptions options{.gateway = R"(hosts: "a.test" routes { paths: "/" } plugins { name: "correlation-id" } plan { )" +
                                 plan + " }",
                      .upstream = Answering("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(answer.size()) +
                                            "\r\n\r\n" + answer)};
  options.plugins = kHolder;
  return options;
}

std::string Get(const std::string& fields) { return "GET / HTTP/1.1\r\nHost: a.test\r\n" + fields + "\r\n\r\n"; }

std::string Post(const std::string& fields, const std::string& body) {
  return "POST / HTTP/1.1\r\nHost: a.test\r\n" + fields + "\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

// What is still counted once the request is over: the next one on its connection begins only then.
int64_t HeldAfter(Node& node, const std::string& request, int expected) {
  auto client = node.Connect();
  client.Send(request);
  CHECK(client.Read().status == expected);
  CHECK(client.Get("nobody.test", "/").status == 404);
  const int64_t held = served->state().buffered_bytes;
  served.reset();
  return held;
}

}  // namespace

TEST_CASE("request bytes held at the plan's bound pass, one past it is a 503, and nothing stays counted") {
  Node node(Holding("max_buffered_bytes: 8"));
  CHECK(HeldAfter(node, Post("Read: 1", "12345678"), 200) == 0);
  CHECK(HeldAfter(node, Post("Read: 1", "123456789"), 503) == 0);
  CHECK(node.upstream().requests() == 1);
  CHECK(node.stats().rejected["buffered-bytes"] == 1);
}

TEST_CASE("response bytes held at the plan's bound pass, one past it is a 503, and nothing stays counted") {
  Node exact(Holding("max_buffered_bytes: 8", "12345678"));
  CHECK(HeldAfter(exact, Get("Hold: 1"), 200) == 0);
  Node past(Holding("max_buffered_bytes: 8", "123456789"));
  CHECK(HeldAfter(past, Get("Hold: 1"), 503) == 0);
  CHECK(past.stats().rejected["buffered-bytes"] == 1);
  CHECK(past.stats().requests[static_cast<size_t>(Source::kGateway)][503] == 1);
}

TEST_CASE("request and response count together") {
  Node node(Holding("max_buffered_bytes: 8", "1234"));
  CHECK(HeldAfter(node, Post("Read: 1\r\nHold: 1", "1234"), 200) == 0);
  CHECK(HeldAfter(node, Post("Read: 1\r\nHold: 1", "12345"), 503) == 0);
}

TEST_CASE("a response that is not held costs nothing of the bound") {
  Node node(Holding("max_buffered_bytes: 1", "123456789"));
  CHECK(HeldAfter(node, Get("X: 1"), 200) == 0);
}

TEST_CASE("a body that a plugin makes counts as well, once, also where it replaces another") {
  Node node(Holding("max_buffered_bytes: 8"));
  CHECK(HeldAfter(node, Get("Give: 8"), 200) == 0);
  CHECK(HeldAfter(node, Post("Read: 1\r\nGive: 8", "12345678"), 200) == 0);
  CHECK(HeldAfter(node, Get("Give: 9"), 503) == 0);
  CHECK(HeldAfter(node, Post("Read: 1\r\nGive: 9", "12345678"), 503) == 0);
  CHECK(node.upstream().requests() == 2);
}

TEST_CASE("the longest response that can be held passes and one byte more is a 502") {
  const std::string longest(Exchange::kMaxBufferedResponse, 'x');
  Node node(Holding("", longest));
  CHECK(node.Ask(Get("Hold: 1")).body == longest);
  Node past(Holding("", longest + "x"));
  CHECK(HeldAfter(past, Get("Hold: 1"), 502) == 0);
  CHECK(past.stats().rejected["response-too-large"] == 1);
}

TEST_CASE("a request without a body to which a plugin gives one goes upstream with its length") {
  Node node(Holding(""));
  CHECK(node.Ask(Get("Give: 5")).status == 200);
  CHECK(node.upstream().last().ends_with("\r\nContent-Length: 5\r\n\r\nggggg"));
  CHECK(node.upstream().last().find("Transfer-Encoding") == std::string::npos);
}

TEST_CASE("a body that a plugin replaces unread is read away, and both connections go on") {
  Node node(Holding(""));
  auto client = node.Connect();
  client.Send(Post("Give: 3", "hello"));
  CHECK(client.Read().status == 200);
  CHECK(node.upstream().last().ends_with("\r\nContent-Length: 3\r\n\r\nggg"));
  CHECK(client.Get("a.test", "/").status == 200);
  CHECK(node.upstream().connections() == 1);
}

TEST_CASE("a body that a plugin empties goes upstream with length zero") {
  Node node(Holding(""));
  CHECK(node.Ask(Post("Read: 1\r\nGive: 0", "hello")).status == 200);
  CHECK(node.upstream().last().ends_with("\r\nContent-Length: 0\r\n\r\n"));
}

TEST_CASE("request bytes that wait in a stream of HTTP/2 count: at the bound they pass, one past it is a 503") {
  Node node(Holding("max_buffered_bytes: 8"));
  Http2Client client(node.group().http_port());
  client.Send(h2::Post(1) + h2::Frame(h2::kData, h2::kEndStream, 1, "12345678"));
  CHECK(client.Read(1).status == "200");
  client.Send(h2::Post(3) + h2::Frame(h2::kData, h2::kEndStream, 3, "123456789"));
  CHECK(client.Read(3).status == "503");
  CHECK(node.stats().rejected["buffered-bytes"] == 1);
  client.Send(h2::Get(5));
  CHECK(client.Read(5).status == "200");
  CHECK(node.upstream().requests() == 2);
}

TEST_CASE("response bytes that wait for the window of a stream count: at the bound they wait, one past it is cut") {
  const std::string no_window = h2::Frame(h2::kSettings, 0, 0, std::string("\0\4\0\0\0\0", 6));
  for (const std::string answer : {"12345678", "123456789"}) {
    Node node(Holding("max_buffered_bytes: 8", answer));
    Http2Client client(node.group().http_port());
    client.Send(no_window + h2::Get(1));
    if (answer.size() == 8) {
      REQUIRE(client.Next([](const h2::Received& frame) { return frame.type == h2::kHeaders; }).has_value());
      client.Send(h2::Frame(h2::kWindowUpdate, 0, 1, h2::Number(8)));
      const auto data = client.Next([](const h2::Received& frame) { return frame.type == h2::kData; });
      CHECK((data.has_value() && data->payload == answer));
    } else {
      CHECK(client.Read(1).error == 2);  // INTERNAL_ERROR
    }
    CHECK(node.stats().rejected["buffered-bytes"] == answer.size() - 8);
    client.Send(h2::Post(3));  // the exchange before is over, the next one has begun
    client.Send(h2::Frame(h2::kWindowUpdate, 0, 3, h2::Number(100)) + h2::Frame(h2::kData, h2::kEndStream, 3));
    client.Read(3);
    CHECK(served->state().buffered_bytes == 0);
    served.reset();
  }
}
