// The PROXY protocol's header, byte by byte.

#include "data-plane/io/proxy_header.h"

#include "catch2/catch.hpp"

using namespace sluice::io;
using State = ProxyHeaderStep::State;
using namespace std::string_literals;

namespace {

const std::string kSignature = "\r\n\r\n\0\r\nQUIT\n"s;
const std::string kTcp4 = "\x7f\0\0\x01\x0a\0\0\x02\x30\x39\x01\xbb"s;  // 127.0.0.1:12345 to 10.0.0.2:443

std::string Version2(char command, char family, const std::string& block) {
  return kSignature + command + family + static_cast<char>(block.size() >> 8) + static_cast<char>(block.size()) + block;
}

State StateOf(const std::string& bytes) {
  ProxyHeader header;
  return ParseProxyHeader(bytes, header).state;
}

// Feeds it what it asks for, and no byte more; what it took. 0: malformed.
size_t Taken(const std::string& bytes, ProxyHeader& header) {
  size_t have = 0;
  for (;;) {
    const ProxyHeaderStep step = ParseProxyHeader(std::string_view(bytes).substr(0, have), header);
    if (step.state == State::kComplete) return step.bytes == have ? have : 0;
    if (step.state == State::kMalformed || step.bytes == 0 || have + step.bytes > bytes.size()) return 0;
    have += step.bytes;
  }
}

size_t Taken(const std::string& bytes) {
  ProxyHeader header;
  return Taken(bytes, header);
}

}  // namespace

TEST_CASE("a line of version 1 names both ends, and nothing behind it is taken") {
  const std::string line = "PROXY TCP4 192.0.2.7 10.0.0.2 40000 443\r\n";
  ProxyHeader header;
  CHECK(Taken(line + "GET / HTTP/1.1\r\n", header) == line.size());
  CHECK(header.has_addresses);
  CHECK(header.source == Endpoint{"192.0.2.7", 40000});
  CHECK(header.destination == Endpoint{"10.0.0.2", 443});
}

TEST_CASE("a line of version 1 carries IPv6, the shortest and the longest") {
  ProxyHeader header;
  const std::string shortest = "PROXY TCP6 :: ::1 0 1\r\n";
  CHECK(Taken(shortest + "x", header) == shortest.size());
  CHECK(header.source == Endpoint{"::", 0});
  const std::string address = "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff";
  const std::string longest = "PROXY TCP6 " + address + " " + address + " 65535 65535\r\n";
  CHECK(Taken(longest + "x", header) == longest.size());
  CHECK(header.source == Endpoint{address, 65535});
}

TEST_CASE("UNKNOWN leaves the connection its own ends, up to the line's limit") {
  ProxyHeader header;
  CHECK(Taken("PROXY UNKNOWN\r\nGET", header) == 15);
  CHECK_FALSE(header.has_addresses);
  const std::string start = "PROXY UNKNOWN ";
  const std::string fill(kMaxProxyLineBytes - start.size() - 2, 'x');
  CHECK(Taken(start + fill + "\r\n") == kMaxProxyLineBytes);
  CHECK(Taken(start + fill + "x\r\n") == 0);
}

TEST_CASE("a line of version 1 that is not to the letter is malformed") {
  for (const char* line :
       {"PROXY  TCP4 1.1.1.1 2.2.2.2 1 2\r\n", "PROXY TCP4 1.1.1.1 2.2.2.2 1\r\n",
        "PROXY TCP4 1.1.1.1 2.2.2.2 1 2 3\r\n", "PROXY TCP4 1.1.1.1 2.2.2.2 1 65536\r\n",
        "PROXY TCP4 1.1.1.1 2.2.2.2 01 2\r\n", "PROXY TCP4 01.1.1.1 2.2.2.2 1 2\r\n", "PROXY TCP4 ::1 ::1 1 2\r\n",
        "PROXY TCP6 1.1.1.1 2.2.2.2 1 2\r\n", "PROXY TCP5 1.1.1.1 2.2.2.2 1 2\r\n", "PROXY UNKNOWNX\r\n",
        "PROXY TCP4 1.1.1.1 2.2.2.2 1 2 \r\n", "PROXY TCP4 1.1.1.1 2.2.2.2 -1 2\r\n",
        "proxy TCP4 1.1.1.1 2.2.2.2 1 2\r\n", "GET / HTTP/1.1\r\n\r\n"}) {
    INFO(line);
    CHECK(StateOf(line) == State::kMalformed);
  }
  CHECK(StateOf("PROXY TCP4 1.1.1.1 2.2.2.2 1 2\n" + std::string(80, 'x')) == State::kMalformed);
}

TEST_CASE("version 2 names both ends of IPv4 and IPv6") {
  ProxyHeader header;
  const std::string four = Version2('\x21', '\x11', kTcp4);
  CHECK(Taken(four + "GET", header) == 28);
  CHECK(header.source == Endpoint{"127.0.0.1", 12345});
  CHECK(header.destination == Endpoint{"10.0.0.2", 443});
  std::string ends(36, '\0');  // [::1]:80 to [::2]:81
  ends[15] = '\x01';
  ends[31] = '\x02';
  ends[33] = '\x50';
  ends[35] = '\x51';
  const std::string six = Version2('\x21', '\x21', ends);
  CHECK(Taken(six + "GET", header) == 52);
  CHECK(header.source == Endpoint{"::1", 80});
  CHECK(header.destination == Endpoint{"::2", 81});
}

TEST_CASE("LOCAL, an unspecified family and UNIX sockets leave the connection its own ends") {
  for (const std::string& bytes : {Version2('\x20', '\0', ""), Version2('\x20', '\x11', "?"),
                                   Version2('\x21', '\0', "??"), Version2('\x21', '\x31', std::string(216, 'u'))}) {
    ProxyHeader header;
    CHECK(Taken(bytes + "GET", header) == bytes.size());
    CHECK_FALSE(header.has_addresses);
  }
}

TEST_CASE("version 2 refuses other versions, commands, families, datagrams and short addresses") {
  for (const std::string& bytes :
       {Version2('\x11', '\x11', kTcp4), Version2('\x22', '\x11', kTcp4), Version2('\x21', '\x12', kTcp4),
        Version2('\x21', '\x41', kTcp4), Version2('\x21', '\x11', kTcp4.substr(1)), Version2('\x21', '\x21', kTcp4),
        Version2('\x21', '\x31', kTcp4)}) {
    CHECK(StateOf(bytes) == State::kMalformed);
  }
}

TEST_CASE("a version 2 header at the limit is read, and one past it is malformed at once") {
  const size_t room = kMaxProxyHeaderBytes - 16 - kTcp4.size() - 3;
  const auto with_noop = [](size_t size) {
    const std::string tlv = "\x04"s + static_cast<char>(size >> 8) + static_cast<char>(size) + std::string(size, 'n');
    return Version2('\x21', '\x11', kTcp4 + tlv);
  };
  CHECK(Taken(with_noop(room)) == kMaxProxyHeaderBytes);
  CHECK(StateOf(with_noop(room + 1).substr(0, 16)) == State::kMalformed);
}

TEST_CASE("additions to a version 2 header must fill it to the byte") {
  CHECK(StateOf(Version2('\x21', '\x11', kTcp4 + "\x02\0\x01h"s)) == State::kComplete);
  CHECK(StateOf(Version2('\x21', '\x11', kTcp4 + "\x02\0\0\x01\0\x01h"s)) == State::kComplete);
  CHECK(StateOf(Version2('\x21', '\x11', kTcp4 + "\x02\0"s)) == State::kMalformed);
  CHECK(StateOf(Version2('\x21', '\x11', kTcp4 + "\x02\0\x02h"s)) == State::kMalformed);
  CHECK(StateOf(Version2('\x21', '\x11', kTcp4 + "\x02\0\x01hh"s)) == State::kMalformed);
}

TEST_CASE("a checksum in a version 2 header must be right") {
  const auto with_sum = [](const std::string& sum) {
    return StateOf(Version2('\x21', '\x11', kTcp4 + "\x03\0\x04"s + sum));
  };
  CHECK(with_sum("\x0d\xb6\xdf\x4c"s) == State::kComplete);
  CHECK(with_sum("\x0d\xb6\xdf\x4d"s) == State::kMalformed);
  CHECK(with_sum("\0\0\0\0"s) == State::kMalformed);
  CHECK(StateOf(Version2('\x21', '\x11', kTcp4 + "\x03\0\x03"s + "abc")) == State::kMalformed);
}

TEST_CASE("every beginning of a header asks for more, and for no more than there is") {
  for (const std::string& bytes : {"PROXY TCP4 192.0.2.7 10.0.0.2 40000 443\r\n"s, "PROXY UNKNOWN\r\n"s,
                                   "PROXY TCP6 :: ::1 0 1\r\n"s, Version2('\x21', '\x11', kTcp4)}) {
    for (size_t size = 0; size < bytes.size(); ++size) {
      ProxyHeader header;
      const ProxyHeaderStep step = ParseProxyHeader(std::string_view(bytes).substr(0, size), header);
      INFO(bytes << " " << size);
      CHECK(step.state == State::kMore);
      CHECK((step.bytes > 0 && size + step.bytes <= bytes.size()));
    }
  }
}
