// Requests over HTTP/2, and what services and clients see of them.

#include "catch2/catch.hpp"
#include "tests/support/http2_client.h"
#include "tests/support/node.h"

using namespace sluice::test::h2;
using sluice::test::Answering;
using sluice::test::Http2Client;
using sluice::test::Node;
using sluice::test::NodeOptions;
using sluice::test::Peer;
using sluice::test::Upstream;

namespace {

// Answers with a body of that size.
Upstream::Serve Large(size_t size) {
  return Answering("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" + std::string(size, 'x'));
}

}  // namespace

TEST_CASE("a request over HTTP/2 with prior knowledge is served") {
  Node node;
  Http2Client client(node.group().http_port());
  client.Send(Get(1));
  const auto answer = client.Read(1);
  CHECK((answer.status == "200" && answer.body == "ok"));
  CHECK(answer.head.find("\ncontent-length: 2\n") != std::string::npos);
  CHECK(node.upstream().last().starts_with("GET / HTTP/1.1\r\nHost: "));
  CHECK(node.upstream().last().find("\r\nVia: 2 sluice\r\n") != std::string::npos);
}

TEST_CASE("a preface that comes in pieces is one") {
  Node node;
  Http2Client client(node.group().http_port(), "");
  for (char c : kPreface + Get(1)) client.Send({&c, 1});
  CHECK(client.Read(1).status == "200");
}

TEST_CASE("streams are served beside each other, each with its own answer") {
  Node node({.gateway = R"(hosts: "a.test" routes { paths: "/" })", .upstream = [](Upstream&, Peer& peer) {
               for (std::string request = peer.ReadRequest(); !request.empty(); request = peer.ReadRequest()) {
                 const std::string path = request.substr(4, request.find(' ', 4) - 4);
                 peer.Send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(path.size()) + "\r\n\r\n" + path);
               }
             }});
  Http2Client client(node.group().http_port());
  std::string bytes;
  for (uint32_t id = 1; id < 40; id += 2) {
    bytes += Frame(kHeaders, kEndStream | kEndHeaders, id,
                   "\x82\x86\x01\x06"s + "a.test" + Field(":path", "/" + std::to_string(id)));
  }
  client.Send(bytes);
  for (uint32_t id = 1; id < 40; id += 2) CHECK(client.Read(id).body == "/" + std::to_string(id));
}

TEST_CASE("a body with a length goes upstream with it, one without in chunks") {
  Node node;
  Http2Client client(node.group().http_port());
  client.Send(Post(1, Field("content-length", "5")) + Frame(kData, 0, 1, "he") + Frame(kData, kEndStream, 1, "llo"));
  CHECK(client.Read(1).status == "200");
  CHECK(node.upstream().last().find("\r\nContent-Length: 5\r\n") != std::string::npos);
  CHECK(node.upstream().last().ends_with("\r\n\r\nhello"));
  const std::string trailer = Field("x-forwarded-prefix", "/admin") + Field("x-t", "1");
  client.Send(Post(3) + Frame(kData, 0, 3, "hello") + Frame(kHeaders, kEndStream | kEndHeaders, 3, trailer));
  CHECK(client.Read(3).status == "200");
  CHECK(node.upstream().last().find("\r\nTransfer-Encoding: chunked\r\n") != std::string::npos);
  CHECK(node.upstream().last().ends_with("\r\n\r\n5\r\nhello\r\n0\r\n\r\n"));
}

TEST_CASE("a large upload passes through small windows") {
  Node node;
  Http2Client client(node.group().http_port());
  client.Send(Frame(kSettings, kAck, 0) + Post(1, Field("content-length", "1048576")));
  int64_t window = 65'536, connection = 1024 * 1024;
  size_t left = 1'048'576;
  while (left > 0) {
    while (window >= 16'384 && connection >= 16'384 && left > 0) {
      left -= 16'384;
      client.Send(Frame(kData, left == 0 ? kEndStream : 0, 1, std::string(16'384, 'x')));
      window -= 16'384;
      connection -= 16'384;
    }
    if (left == 0) break;
    const auto update = client.Next([](const auto& frame) { return frame.type == kWindowUpdate; });
    REQUIRE(update.has_value());
    (update->stream == 0 ? connection : window) += update->number();
  }
  CHECK(client.Read(1).status == "200");
  CHECK(node.upstream().last().ends_with("\r\n\r\n" + std::string(1'048'576, 'x')));
}

TEST_CASE("a large download waits for the client's windows") {
  NodeOptions options;
  options.upstream = Large(200'000);
  Node node(options);
  Http2Client client(node.group().http_port());
  client.Send(Get(1));
  size_t got = 0;
  while (got < 200'000) {
    const auto data = client.Next([](const auto& frame) { return frame.type == kData; });
    REQUIRE(data.has_value());
    got += data->payload.size();
    const std::string more = Number(static_cast<uint32_t>(data->payload.size()));
    client.Send(Frame(kWindowUpdate, 0, 0, more) + Frame(kWindowUpdate, 0, 1, more));
  }
  CHECK(got == 200'000);
}

TEST_CASE("a response without a length ends with its stream, and a cut one is reset") {
  Node chunked({.gateway = R"(hosts: "a.test" routes { paths: "/" })",
                .upstream = Answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")});
  Http2Client first(chunked.group().http_port());
  first.Send(Get(1));
  CHECK(first.Read(1).body == "ok");
  Node cut({.gateway = R"(hosts: "a.test" routes { paths: "/" })", .upstream = [](Upstream&, Peer& peer) {
              peer.ReadRequest();
              peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok");
              peer.Close();
            }});
  Http2Client second(cut.group().http_port());
  second.Send(Get(1));
  CHECK(second.Read(1).error == 2);  // INTERNAL_ERROR
}

TEST_CASE("trailers of an answer are not passed on, but for gRPC") {
  NodeOptions options;
  options.upstream = Answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-T: 1\r\n\r\n");
  Node node(options);
  Http2Client client(node.group().http_port());
  client.Send(Get(1));
  const auto answer = client.Read(1);
  CHECK((answer.status == "200" && answer.body == "ok" && answer.trailers.empty()));
}

TEST_CASE("HEAD has the length of a GET and no body") {
  Node node({.gateway = R"(hosts: "a.test" routes { paths: "/" })",
             .upstream = Answering("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n")});
  Http2Client client(node.group().http_port());
  client.Send(Frame(kHeaders, kEndStream | kEndHeaders, 1,
                    Field(":method", "HEAD") + "\x86\x84" + Field(":authority", "a.test")));
  const auto answer = client.Read(1);
  CHECK((answer.body.empty() && answer.head.find("\ncontent-length: 7\n") != std::string::npos));
}

TEST_CASE("what is refused is answered, and nothing goes upstream") {
  Node node;
  Http2Client client(node.group().http_port());
  client.Send(
      Get(1, Field("host", "b.test")) +
      Frame(kHeaders, kEndStream | kEndHeaders, 3, Field(":method", "CONNECT") + Field(":authority", "a.test:443")) +
      Get(5, Field("connection", "close")) +
      Frame(kHeaders, kEndStream | kEndHeaders, 7, "\x82\x86\x84" + Field(":authority", "nobody.test")));
  CHECK(client.Read(1).status == "400");
  CHECK(client.Read(3).status == "405");
  CHECK(client.Read(5).error == 1);
  CHECK(client.Read(7).status == "404");
  CHECK(node.upstream().requests() == 0);
  client.Send(Get(9));
  CHECK(client.Read(9).status == "200");
}

TEST_CASE("a body that is refused ends with the stream, and the connection goes on") {
  Node node({.gateway = R"(hosts: "a.test" plan { max_body_bytes: 5 } routes { paths: "/" })"});
  Http2Client client(node.group().http_port());
  client.Send(Post(1, Field("content-length", "6")));
  CHECK(client.Read(1).status == "413");
  client.Send(Post(3) + Frame(kData, 0, 3, "123456"));
  CHECK(client.Read(3).status == "413");
  client.Send(Get(5));
  CHECK(client.Read(5).status == "200");
}

TEST_CASE("a client that waits for 100 is asked for its body") {
  Node node;
  Http2Client client(node.group().http_port());
  client.Send(Post(1, Field("expect", "100-continue") + Field("content-length", "2")));
  const auto interim = client.Next([](const auto& frame) { return frame.type == kHeaders; });
  REQUIRE(interim.has_value());
  CHECK(interim->payload == ":status: 100\n");
  client.Send(Frame(kData, kEndStream, 1, "ok"));
  CHECK(client.Read(1).status == "200");
}

TEST_CASE("an upgrade to h2c is no upgrade") {
  Node node;
  const auto answer = node.Ask(
      "GET / HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
      "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n");
  CHECK((answer.status == 200 && answer.body == "ok"));
}

TEST_CASE("the preface is none behind a first request") {
  Node node;
  auto client = node.Connect();
  CHECK(client.Get("a.test", "/").status == 200);
  client.Send(kPreface);
  CHECK(client.Read().status == 505);
}
