#include "catch2/catch.hpp"
#include "common/egress/policy.h"

namespace sluice::egress {
namespace {

std::string Canonical(std::string_view text) {
  auto address = ParseAddress(text);
  return address.ok() ? address->ToString() : "error";
}

std::string RangeText(std::string_view text) {
  auto range = ParseRange(text);
  if (!range.ok()) return "error";
  return range->network.ToString() + "/" + std::to_string(range->prefix) + ":" + std::to_string(range->port_low) + "-" +
         std::to_string(range->port_high);
}

bool InRange(std::string_view range, std::string_view address, uint16_t port = 80) {
  return ParseRange(range)->Contains(*ParseAddress(address), port);
}

TEST_CASE("addresses are read and written in their canonical form") {
  CHECK(Canonical("192.0.2.1") == "192.0.2.1");
  CHECK(Canonical("0.0.0.0") == "0.0.0.0");
  CHECK(Canonical("255.255.255.255") == "255.255.255.255");
  CHECK(Canonical("::") == "::");
  CHECK(Canonical("::1") == "::1");
  CHECK(Canonical("2001:DB8:0:0:1:0:0:1") == "2001:db8::1:0:0:1");
  CHECK(Canonical("1:2:3:4:5:6:7:8") == "1:2:3:4:5:6:7:8");
  CHECK(Canonical("64:ff9b::192.0.2.33") == "64:ff9b::c000:221");
  CHECK(Canonical("abcd:abcd:abcd:abcd:abcd:abcd:192.168.158.190") == "abcd:abcd:abcd:abcd:abcd:abcd:c0a8:9ebe");
}

TEST_CASE("an IPv4-mapped address is the IPv4 address") {
  CHECK(Canonical("::ffff:127.0.0.1") == "127.0.0.1");
  CHECK(Canonical("::ffff:7f00:1") == "127.0.0.1");
  CHECK(*ParseAddress("::ffff:7f00:1") == *ParseAddress("127.0.0.1"));
}

TEST_CASE("other notations of an address are errors") {
  for (std::string_view text : {"",
                                " ",
                                "127.1",
                                "127.0.1",
                                "2130706433",
                                "0x7f000001",
                                "0177.0.0.1",
                                "127.0.0.01",
                                "127.0.0.1.",
                                "127.0.0.256",
                                "127.0.0.1 ",
                                " 127.0.0.1",
                                "127.0.0.-1",
                                "127..0.1",
                                "1.2.3.4.5",
                                "0x7f.0.0.1",
                                "fe80::1%eth0",
                                "fe80::1%25eth0",
                                "[::1]",
                                ":::",
                                "::1::",
                                "1:2:3:4:5:6:7",
                                "1:2:3:4:5:6:7:8:9",
                                "12345::",
                                "::g",
                                "1:2:3:4::5:6:7:8",
                                "::127.1",
                                "::ffff:127.0.0.01",
                                "localhost",
                                "127.0.0.1/8",
                                "①②⑦.0.0.1",
                                "1:2:3:4:5:6:7:192.0.2.1",
                                ":1:2:3:4:5:6:7",
                                "::1\n"}) {
    INFO(text);
    CHECK_FALSE(ParseAddress(text).ok());
  }
}

TEST_CASE("a NUL hides nothing behind an address") {
  CHECK_FALSE(ParseAddress(std::string_view("127.0.0.1\0.example.com", 22)).ok());
  CHECK_FALSE(ParseAddress(std::string_view("8.8.8.8\0", 8)).ok());
}

TEST_CASE("hosts that resolvers would read as numbers look numeric") {
  for (std::string_view host : {"127.1", "2130706433", "0x7f000001", "0X7F000001", "0x7f.1", "0177.0.0.1", "127.0.0.1.",
                                "0", "1", "0x", "256.256.256.256", "①②⑦.0.0.1", "fe80::1%eth0", "fe80::1%25eth0",
                                "::1::", "example.1", "example.0x1", "1.2.3.4.5"}) {
    INFO(host);
    CHECK(LooksNumeric(host));
  }
}

TEST_CASE("names and canonical addresses do not look numeric") {
  for (std::string_view host : {"localhost", "example.com", "example.com.", "1.example", "1e100.net", "0x7f.example",
                                "127.0.0.1", "::1", "8.8.8.8", "0xg", "x1", "", ".", "123-456", "deadbeef"}) {
    INFO(host);
    CHECK_FALSE(LooksNumeric(host));
  }
}

TEST_CASE("ranges are read with prefix and ports") {
  CHECK(RangeText("10.1.0.0/16") == "10.1.0.0/112:0-65535");
  CHECK(RangeText("127.0.0.1:9000") == "127.0.0.1/128:9000-9000");
  CHECK(RangeText("127.0.0.0/8:9000-9010") == "127.0.0.0/104:9000-9010");
  CHECK(RangeText("0.0.0.0/0") == "0.0.0.0/96:0-65535");
  CHECK(RangeText("::1") == "::1/128:0-65535");
  CHECK(RangeText("fd00::/8") == "fd00::/8:0-65535");
  CHECK(RangeText("[::1]:9000-9010") == "::1/128:9000-9010");
  CHECK(RangeText("[fd00::]/8:443") == "fd00::/8:443-443");
  CHECK(RangeText("[fd00::/8]:443") == "fd00::/8:443-443");
  CHECK(RangeText("[::1]") == "::1/128:0-65535");
  CHECK(RangeText("::ffff:10.0.0.0/104") == "10.0.0.0/104:0-65535");
  CHECK(RangeText("10.0.0.1:1") == "10.0.0.1/128:1-1");
  CHECK(RangeText("10.0.0.1:65535") == "10.0.0.1/128:65535-65535");
}

TEST_CASE("ranges that say two things or nothing are errors") {
  for (std::string_view text :
       {"",           "10.0.0.0/33",    "10.0.0.0/-1",      "10.0.0.0/",    "10.0.0.0/08",
        "10.0.0.1/8", "fd00::/129",     "fd00::1/8",        "10.0.0.1:0",   "10.0.0.1:65536",
        "10.0.0.1:",  "10.0.0.1:90-80", "10.0.0.1:80-",     "10.0.0.1:-80", "10.0.0.1:80-90-100",
        "[::1",       "::1]",           "[::1]9000",        "[::1]:x",      "localhost:80",
        "10.0/16",    "[10.0.0.1",      "::ffff:10.0.0.0/8"}) {
    INFO(text);
    CHECK_FALSE(ParseRange(text).ok());
  }
}

TEST_CASE("a range contains its first and last address and not their neighbours") {
  CHECK(InRange("10.1.0.0/16", "10.1.0.0"));
  CHECK(InRange("10.1.0.0/16", "10.1.255.255"));
  CHECK_FALSE(InRange("10.1.0.0/16", "10.0.255.255"));
  CHECK_FALSE(InRange("10.1.0.0/16", "10.2.0.0"));
  CHECK(InRange("100.64.0.0/10", "100.127.255.255"));
  CHECK_FALSE(InRange("100.64.0.0/10", "100.128.0.0"));
  CHECK(InRange("fe80::/10", "febf:ffff::1"));
  CHECK_FALSE(InRange("fe80::/10", "fec0::"));
}

TEST_CASE("a range contains its first and last port and not their neighbours") {
  CHECK(InRange("10.0.0.1:90-92", "10.0.0.1", 90));
  CHECK(InRange("10.0.0.1:90-92", "10.0.0.1", 92));
  CHECK_FALSE(InRange("10.0.0.1:90-92", "10.0.0.1", 89));
  CHECK_FALSE(InRange("10.0.0.1:90-92", "10.0.0.1", 93));
}

TEST_CASE("all of IPv6 is not all of IPv4") {
  CHECK(InRange("::/0", "2001:db8::1"));
  CHECK_FALSE(InRange("::/0", "10.0.0.1"));
  CHECK(InRange("0.0.0.0/0", "10.0.0.1"));
  CHECK_FALSE(InRange("0.0.0.0/0", "::1"));
}

}  // namespace
}  // namespace sluice::egress
