#include "data-plane/http/body.h"

#include "catch2/catch.hpp"

namespace sluice::http {
namespace {

using Kind = Framing::Kind;

struct Outcome {
  std::string data;
  std::string_view error;
  bool done = false;
  size_t consumed = 0;
  bool operator==(const Outcome&) const = default;
};

// Feeds the input in pieces of `size` bytes.
Outcome Decode(Framing framing, std::string_view input, size_t size) {
  BodyDecoder decoder(framing);
  Outcome out;
  while (out.consumed < input.size()) {
    const BodyDecoder::Step step = decoder.Decode(input.substr(out.consumed, size));
    out.data += step.data;
    out.consumed += step.consumed;
    out.error = step.error;
    if (!step.error.empty() || step.consumed == 0) break;
  }
  out.done = decoder.done();
  return out;
}

Outcome Chunked(std::string_view input) {
  const Outcome whole = Decode({Kind::kChunked, 0}, input, input.size());
  const Outcome bytewise = Decode({Kind::kChunked, 0}, input, 1);
  CHECK(whole.data == bytewise.data);
  CHECK(whole.done == bytewise.done);
  CHECK(whole.error == bytewise.error);
  return whole;
}

TEST_CASE("no body is done before it begins") {
  BodyDecoder decoder({Kind::kNone, 0});
  CHECK(decoder.done());
  CHECK(decoder.Decode("next").consumed == 0);
}

TEST_CASE("a body by length takes its bytes and no other") {
  const Outcome out = Decode({Kind::kLength, 5}, "helloGET", 3);
  CHECK(out.data == "hello");
  CHECK(out.consumed == 5);
  CHECK(out.done);
}

TEST_CASE("bytes of a body by length that went another way count, and the rest is as long as it was") {
  BodyDecoder decoder({Kind::kLength, 10});
  CHECK(decoder.length_left() == 10);
  CHECK(decoder.Decode("abc").data == "abc");
  decoder.Skip(5);
  CHECK(decoder.length_left() == 2);
  CHECK(decoder.decoded() == 8);
  CHECK(decoder.Decode("ijk").data == "ij");
  CHECK(decoder.done());
  CHECK(BodyDecoder({Kind::kChunked, 0}).length_left() == 0);
  CHECK(BodyDecoder({Kind::kUntilClose, 0}).length_left() == 0);
}

TEST_CASE("a length of zero is done before it begins") { CHECK(BodyDecoder({Kind::kLength, 0}).done()); }

TEST_CASE("the end of the connection cuts a body by length short") {
  BodyDecoder decoder({Kind::kLength, 5});
  decoder.Decode("hell");
  CHECK_FALSE(decoder.EndOfInput());
  CHECK(decoder.decoded() == 4);
}

TEST_CASE("the end of the connection ends a body until close") {
  BodyDecoder decoder({Kind::kUntilClose, 0});
  CHECK(decoder.Decode("anything").data == "anything");
  CHECK_FALSE(decoder.done());
  CHECK(decoder.EndOfInput());
  CHECK(decoder.done());
}

TEST_CASE("chunks give their data, and what follows them stays") {
  const Outcome out = Chunked("5\r\nhello\r\n7\r\n, world\r\n0\r\n\r\nGET / HTTP/1.1\r\n");
  CHECK(out.data == "hello, world");
  CHECK(out.done);
  CHECK(out.consumed == 27);
}

TEST_CASE("chunk sizes are hexadecimal in either case") {
  CHECK(Chunked("a\r\n0123456789\r\n0\r\n\r\n").data == "0123456789");
  CHECK(Chunked("0A\r\n0123456789\r\n00\r\n\r\n").done);
}

TEST_CASE("the end of the connection cuts chunks short") {
  BodyDecoder decoder({Kind::kChunked, 0});
  decoder.Decode("5\r\nhello\r\n");
  CHECK_FALSE(decoder.EndOfInput());
}

TEST_CASE("chunk sizes that are not plain hexadecimal are refused") {
  for (const char* size : {"0x5", "+5", "-0", "-5", "0_5", " 5", "5 ", "\t5", "\"\"", "", "zz", "g", "5\x0b"}) {
    INFO(size);
    CHECK(Chunked(std::string(size) + "\r\nhello\r\n0\r\n\r\n").error == "chunk-size");
  }
}

TEST_CASE("a chunk size has 16 digits and stays below 2^63") {
  CHECK(Chunked("0000000000000005\r\nhello\r\n0\r\n\r\n").data == "hello");
  CHECK(Chunked("00000000000000005\r\nhello\r\n0\r\n\r\n").error == "chunk-size");
  CHECK(Chunked("7FFFFFFFFFFFFFFF\r\nx").error == "");
  CHECK(Chunked("8000000000000000\r\nx").error == "chunk-size");
  CHECK(Chunked("FFFFFFFFFFFFFFFFF\r\nx").error == "chunk-size");
  CHECK(Chunked("10000000000000005\r\nhello").error == "chunk-size");
}

TEST_CASE("chunk lines end with CRLF and with nothing else") {
  CHECK(Chunked("5\nhello\r\n0\r\n\r\n").error == "chunk-size");
  CHECK(Chunked("5\r\nhello\n0\r\n\r\n").error == "chunk-end");
  CHECK(Chunked("5\r\nhello\r\n0\n\r\n").error == "chunk-size");
  CHECK(Chunked("5\r\nhello\r\n0\r\n\n").error == "trailer");
  CHECK(Chunked("5\rX\nhello\r\n0\r\n\r\n").error == "chunk-size");
  CHECK(Chunked("5\r\nhelloXX0\r\n\r\n").error == "chunk-end");
  CHECK(Chunked("5\r\nhello\rX0\r\n\r\n").error == "chunk-end");
  CHECK(Chunked("0\r\n\rX").error == "chunk-end");
}

TEST_CASE("chunk extensions are dropped") {
  CHECK(Chunked("5;a=b\r\nhello\r\n0;last\r\n\r\n").data == "hello");
  CHECK(Chunked("5;a=\"b;\\\"c\"\r\nhello\r\n0\r\n\r\n").data == "hello");
}

TEST_CASE("chunk extensions are names, with a token or a quoted value, and nothing else") {
  for (const char* good : {";a", ";a;b=c", ";a=\"\"", ";a=\"\xe9\t \\\\\";b"}) {
    INFO(good);
    CHECK(Chunked("5" + std::string(good) + "\r\nhello\r\n0\r\n\r\n").data == "hello");
  }
  for (const char* bad : {";", ";;a", ";a;", "; a", ";a ", ";a =b", ";a= b", ";=b", ";a=", ";a=b=c", ";a=\"b\"c",
                          ";\xe9", ";a=(b)", ";\"a\""}) {
    INFO(bad);
    CHECK(Chunked("5" + std::string(bad) + "\r\nhello\r\n0\r\n\r\n").error == "chunk-extension");
  }
}

TEST_CASE("chunk extensions that could hide a line end are refused") {
  CHECK(Chunked("5;a\nb\r\nhello").error == "chunk-extension");
  CHECK(Chunked("5;a\rb\r\nhello").error == "chunk-size");
  CHECK(Chunked(std::string_view("5;a\0b\r\nhello", 12)).error == "chunk-extension");
  CHECK(Chunked("5;a=\"\r\nhello\"\r\n").error == "chunk-extension");
}

TEST_CASE("a body has 4 KiB of chunk extensions in all and not a byte more") {
  const std::string half(kMaxChunkExtensionBytes / 2 - 1, 'x');
  const std::string two = "1;" + half + "\r\na\r\n1;" + half + "\r\nb\r\n";
  CHECK(Decode({Kind::kChunked, 0}, two + "0\r\n\r\n", 4096).data == "ab");
  CHECK(Decode({Kind::kChunked, 0}, two + "0;x\r\n\r\n", 4096).error == "chunk-extension");
}

TEST_CASE("what looks like a request inside chunks is data, behind the last chunk it is a trailer") {
  const Outcome inside = Chunked("17\r\n0\r\n\r\nGET /smuggled HTTP\r\n0\r\n\r\n");
  CHECK(inside.data == "0\r\n\r\nGET /smuggled HTTP");
  CHECK(Chunked("0\r\nX:POST /smuggled HTTP/1.1\r\n\r\n").data == "");
  CHECK(Chunked("0\r\nPOST /smuggled HTTP/1.1\r\n\r\n").error == "trailer");
}

TEST_CASE("trailers are checked and dropped") {
  CHECK(Chunked("0\r\nX-A: b\r\nY:\r\n\r\n").done);
  CHECK(Chunked("0\r\n: b\r\n\r\n").error == "trailer");
  CHECK(Chunked("0\r\n X: b\r\n\r\n").error == "trailer");
  CHECK(Chunked("0\r\nX : b\r\n\r\n").error == "trailer");
  CHECK(Chunked("0\r\nX: a\nb\r\n\r\n").error == "trailer");
  CHECK(Chunked("0\r\nX: a\rb\r\n\r\n").error == "trailer");
  CHECK(Chunked("0\r\nX\r\n\r\n").error == "trailer");
}

TEST_CASE("a trailer says nothing of framing") {
  CHECK(Chunked("0\r\nContent-Length: 5\r\n\r\n").error == "trailer");
  CHECK(Chunked("0\r\nX: y\r\ntransfer_ENCODING: chunked\r\n\r\n").error == "trailer");
  CHECK(Chunked("0\r\nContent-Lengt: 5\r\nTransfer-Encodings: x\r\n\r\n").done);
}

TEST_CASE("trailers have 8 KiB and not a byte more") {
  const std::string line = "X:" + std::string(kMaxTrailerBytes - 6, 'v') + "\r\n";
  CHECK(Chunked("0\r\n" + line + "\r\n").done);
  CHECK(Chunked("0\r\nX" + line + "\r\n").error == "trailer");
}

TEST_CASE("a body that went wrong stays wrong") {
  BodyDecoder decoder({Kind::kChunked, 0});
  REQUIRE(decoder.Decode("x").error == "chunk-size");
  CHECK(decoder.Decode("5\r\nhello").error == "chunk-size");
  CHECK(decoder.Decode("5\r\nhello").consumed == 0);
}

}  // namespace
}  // namespace sluice::http
