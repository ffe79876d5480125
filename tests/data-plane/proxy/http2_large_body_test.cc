// Bodies at the plan's bound over HTTP/2, within the windows that the node gives.

#include <algorithm>

#include "catch2/catch.hpp"
#include "tests/support/http2_client.h"
#include "tests/support/node.h"

using namespace sluice::test::h2;
using sluice::test::Http2Client;
using sluice::test::Node;

namespace {

constexpr size_t kTenMegabytes = 10'485'760;  // of the serverless plan
constexpr size_t kPiece = 16'384;

// The status of an upload of that size on stream 1 of a connection of its own.
std::string Upload(Node& node, size_t size, const std::string& fields) {
  Http2Client client(node.group().http_port());
  client.Send(Frame(kSettings, kAck, 0) + Post(1, fields));
  size_t stream_window = 65'535, connection_window = 65'535;
  for (size_t left = size; left > 0;) {
    const size_t piece = std::min({left, kPiece, stream_window, connection_window});
    if (piece == 0) {
      const auto update = client.Next([](const auto& frame) { return frame.type == kWindowUpdate; });
      REQUIRE(update.has_value());
      (update->stream == 0 ? connection_window : stream_window) += update->number();
      continue;
    }
    left -= piece, stream_window -= piece, connection_window -= piece;
    client.Send(Frame(kData, left == 0 ? kEndStream : 0, 1, std::string(piece, 'x')));
  }
  return client.Read(1).status;
}

}  // namespace

TEST_CASE("ten megabytes over HTTP/2 pass and one byte more is refused, declared or not") {
  Node node;
  CHECK(Upload(node, kTenMegabytes, Field("content-length", "10485760")) == "200");
  CHECK(node.upstream().last().ends_with("\r\n\r\n" + std::string(kTenMegabytes, 'x')));
  CHECK(Upload(node, kTenMegabytes, "") == "200");
  CHECK(node.upstream().requests() == 2);
  CHECK(Upload(node, kTenMegabytes + 1, "") == "413");
  Http2Client client(node.group().http_port());
  client.Send(Post(1, Field("content-length", "10485761")));
  CHECK(client.Read(1).status == "413");
  CHECK(node.upstream().requests() == 2);
}
