#include "catch2/catch.hpp"
#include "data-plane/http/parser.h"

namespace sluice::http {
namespace {

size_t EndOf(std::string_view buffer) {
  size_t scanned = 0;
  return FindHeadEnd(buffer, scanned);
}

TEST_CASE("a head ends behind its empty line, whatever follows") {
  CHECK(EndOf("GET / HTTP/1.1\r\nHost: h\r\n\r\n") == 27);
  CHECK(EndOf("GET / HTTP/1.1\r\nHost: h\r\n\r\nGET /next") == 27);
}

TEST_CASE("a head without its empty line is incomplete") {
  CHECK(EndOf("") == 0);
  CHECK(EndOf("GET / HTTP/1.1\r\nHost: h\r\n") == 0);
  CHECK(EndOf("GET / HTTP/1.1\r\nHost: h\r\n\r") == 0);
  CHECK(EndOf("GET / HTTP/1.1\r") == 0);
}

TEST_CASE("one CRLF before the request line belongs to the head") {
  CHECK(EndOf("\r\n") == 0);
  CHECK(EndOf("\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n") == 29);
  CHECK(EndOf("\r\n\r\nGET") == 4);
}

TEST_CASE("a head that arrives byte by byte ends where it would have at once") {
  const std::string head = "\r\nPOST /x HTTP/1.1\r\nHost: h\r\nA: b\r\n\r\n";
  size_t scanned = 0;
  for (size_t size = 0; size < head.size(); ++size) REQUIRE(FindHeadEnd(head.substr(0, size), scanned) == 0);
  CHECK(scanned == head.size() - 1);
  CHECK(FindHeadEnd(head, scanned) == head.size());
}

TEST_CASE("bytes that cannot become a head any more are told at once") {
  for (const std::string bad : {"GET / HTTP/1.1\n", "GET / HTTP/1.1\r\nHost: h\nX", "\n", "GET / HTTP/1.1\rHost: h",
                                "GET / HTTP/1.1\r\nHost: h\r\n\rZ", "\r\r"}) {
    INFO(bad);
    const size_t end = EndOf(bad);
    REQUIRE(end > 0);
    RequestHead head;
    CHECK(ParseRequestHead(std::string_view(bad).substr(0, end), head).status == 400);
  }
}

TEST_CASE("a bare CR is told also where it arrives in pieces") {
  size_t scanned = 0;
  REQUIRE(FindHeadEnd("GET / HTTP/1.1\r", scanned) == 0);
  CHECK(FindHeadEnd("GET / HTTP/1.1\rX", scanned) > 0);
}

TEST_CASE("an incomplete request line has 8 KiB, and one byte more is too long") {
  CHECK_FALSE(CheckIncompleteHead(std::string(kMaxRequestLine + 1, 'a')));  // its CR may have come
  CHECK(CheckIncompleteHead(std::string(kMaxRequestLine + 2, 'a')).status == 414);
  CHECK(CheckIncompleteHead("GET / HTTP/1.1\r\nX: " + std::string(kMaxRequestLine, 'a')).status == 0);
}

TEST_CASE("an incomplete head that has outgrown every valid one is too large") {
  const std::string start = "GET / HTTP/1.1\r\nX: ";
  const size_t most = kMaxRequestLine + kMaxHeadBytes;
  CHECK_FALSE(CheckIncompleteHead(start + std::string(most - start.size(), 'a')));
  CHECK(CheckIncompleteHead(start + std::string(most - start.size() + 1, 'a')).status == 431);
}

}  // namespace
}  // namespace sluice::http
