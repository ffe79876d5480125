#include "common/egress/policy.h"

#include "catch2/catch.hpp"

namespace sluice::egress {
namespace {

std::vector<Range> Ranges(std::initializer_list<std::string_view> texts) {
  std::vector<Range> ranges;
  for (std::string_view text : texts) ranges.push_back(*ParseRange(text));
  return ranges;
}

std::string Rule(const Policy& policy, std::string_view address, uint16_t port = 80) {
  const Decision decision = policy.Check(*ParseAddress(address), port);
  return std::string(decision.allowed ? "+" : "-") + std::string(decision.rule);
}

const Policy kPublicOnly({}, {});

struct Row {
  std::string_view address;
  std::string_view rule;
};

void CheckRows(const Policy& policy, std::initializer_list<Row> rows) {
  for (const Row& row : rows) {
    INFO(row.address);
    CHECK(Rule(policy, row.address) == row.rule);
  }
}

TEST_CASE("loopback is refused however it is wrapped") {
  CheckRows(kPublicOnly, {{"127.0.0.1", "-loopback"},
                          {"127.255.255.255", "-loopback"},
                          {"::1", "-loopback"},
                          {"0.0.0.0", "-unspecified"},
                          {"::", "-unspecified"},
                          {"::ffff:127.0.0.1", "-loopback"},
                          {"::ffff:7f00:1", "-loopback"},
                          {"64:ff9b::7f00:1", "-loopback"},
                          {"2002:7f00:1::", "-loopback"},
                          {"64:ff9b:1::7f00:1", "-loopback"},
                          {"2001:0:808:808::80ff:fffe", "-loopback"},
                          {"2001:0:7f00:1::f7f7:f7f7", "-loopback"},
                          {"::127.0.0.1", "-reserved"}});
}

TEST_CASE("metadata services are refused however they are wrapped") {
  CheckRows(kPublicOnly, {{"169.254.169.254", "-metadata"},
                          {"169.254.170.2", "-metadata"},
                          {"168.63.129.16", "-metadata"},
                          {"100.100.100.200", "-metadata"},
                          {"192.0.0.192", "-metadata"},
                          {"fd00:ec2::254", "-metadata"},
                          {"fd20:ce::254", "-metadata"},
                          {"::ffff:169.254.169.254", "-metadata"},
                          {"64:ff9b::a9fe:a9fe", "-metadata"},
                          {"2002:a9fe:a9fe::1", "-metadata"},
                          {"64:ff9b:1:a9fe:a9:fe00::", "-metadata"}});
}

TEST_CASE("IPv4 ranges that are not public are refused from their first to their last address") {
  CheckRows(kPublicOnly, {{"0.255.255.255", "-unspecified"},
                          {"1.0.0.0", "+public"},
                          {"9.255.255.255", "+public"},
                          {"10.0.0.0", "-private"},
                          {"10.255.255.255", "-private"},
                          {"11.0.0.0", "+public"},
                          {"100.63.255.255", "+public"},
                          {"100.64.0.0", "-shared"},
                          {"100.127.255.255", "-shared"},
                          {"100.128.0.0", "+public"},
                          {"126.255.255.255", "+public"},
                          {"128.0.0.0", "+public"},
                          {"169.253.255.255", "+public"},
                          {"169.254.0.0", "-link-local"},
                          {"169.254.255.255", "-link-local"},
                          {"169.255.0.0", "+public"},
                          {"172.15.255.255", "+public"},
                          {"172.16.0.0", "-private"},
                          {"172.31.255.255", "-private"},
                          {"172.32.0.0", "+public"},
                          {"191.255.255.255", "+public"},
                          {"192.0.0.0", "-reserved"},
                          {"192.0.0.255", "-reserved"},
                          {"192.0.1.0", "+public"},
                          {"192.0.2.0", "-documentation"},
                          {"192.0.2.255", "-documentation"},
                          {"192.0.3.0", "+public"},
                          {"192.88.98.255", "+public"},
                          {"192.88.99.0", "-reserved"},
                          {"192.88.100.0", "+public"},
                          {"192.167.255.255", "+public"},
                          {"192.168.0.0", "-private"},
                          {"192.168.255.255", "-private"},
                          {"192.169.0.0", "+public"},
                          {"198.17.255.255", "+public"},
                          {"198.18.0.0", "-benchmark"},
                          {"198.19.255.255", "-benchmark"},
                          {"198.20.0.0", "+public"},
                          {"198.51.100.0", "-documentation"},
                          {"198.51.101.0", "+public"},
                          {"203.0.113.255", "-documentation"},
                          {"203.0.114.0", "+public"},
                          {"223.255.255.255", "+public"},
                          {"224.0.0.0", "-multicast"},
                          {"239.255.255.255", "-multicast"},
                          {"240.0.0.0", "-reserved"},
                          {"255.255.255.254", "-reserved"},
                          {"255.255.255.255", "-broadcast"}});
}

TEST_CASE("IPv6 outside global unicast is refused, and its special ranges too") {
  CheckRows(kPublicOnly, {{"2606:4700::1111", "+public"},    {"2a00:1450::1", "+public"},
                          {"3ffe:ffff::", "+public"},        {"1fff:ffff::", "-reserved"},
                          {"4000::", "-reserved"},           {"fc00::", "-private"},
                          {"fdff:ffff::1", "-private"},      {"fe80::1", "-link-local"},
                          {"febf::1", "-link-local"},        {"fec0::1", "-private"},
                          {"ff02::1", "-multicast"},         {"100::1", "-reserved"},
                          {"2001:db8::1", "-documentation"}, {"2001:db9::1", "+public"},
                          {"3fff::1", "-documentation"},     {"3fff:0fff::1", "-documentation"},
                          {"3fff:1000::1", "+public"},       {"2001:2::1", "-reserved"},
                          {"2001:1ff::1", "-reserved"},      {"2001:200::1", "+public"},
                          {"5f00::1", "-reserved"},          {"::2", "-reserved"}});
}

TEST_CASE("wrapped public addresses are public") {
  CheckRows(kPublicOnly, {{"::ffff:8.8.8.8", "+public"},
                          {"64:ff9b::808:808", "+public"},
                          {"2002:808:808::1", "+public"},
                          {"2001:0:808:808::f7f7:f7f7", "+public"},
                          {"64:ff9b:1:808:8:800:808:808", "-private"}});
}

TEST_CASE("ports below 1024 are refused but those of the web") {
  CHECK(Rule(kPublicOnly, "8.8.8.8", 443) == "+public");
  CHECK(Rule(kPublicOnly, "8.8.8.8", 1024) == "+public");
  CHECK(Rule(kPublicOnly, "8.8.8.8", 65535) == "+public");
  CHECK(Rule(kPublicOnly, "8.8.8.8", 1023) == "-port");
  CHECK(Rule(kPublicOnly, "8.8.8.8", 25) == "-port");
  CHECK(Rule(kPublicOnly, "8.8.8.8", 0) == "-port");
}

TEST_CASE("an operator opens a range for some ports only") {
  const Policy policy(Ranges({"127.0.0.1:9000-9010", "10.0.0.0/8"}), {});
  CHECK(Rule(policy, "127.0.0.1", 9000) == "+operator");
  CHECK(Rule(policy, "127.0.0.1", 9011) == "-loopback");
  CHECK(Rule(policy, "127.0.0.2", 9000) == "-loopback");
  CHECK(Rule(policy, "10.1.2.3", 22) == "+operator");
  CHECK(Rule(policy, "64:ff9b::a01:203", 22) == "+operator");
  CHECK(Rule(policy, "192.168.0.1") == "-private");
}

TEST_CASE("the platform's own addresses stay refused, whoever allows them") {
  const Policy policy(Ranges({"0.0.0.0/0", "::/0"}), Ranges({"127.0.0.1:7001-7003", "203.0.113.9"}));
  CHECK(Rule(policy, "127.0.0.1", 7002) == "-platform");
  CHECK(Rule(policy, "::ffff:127.0.0.1", 7002) == "-platform");
  CHECK(Rule(policy, "64:ff9b::7f00:1", 7002) == "-platform");
  CHECK(Rule(policy, "2002:7f00:1::", 7002) == "-platform");
  CHECK(Rule(policy, "127.0.0.1", 7004) == "+operator");
  CHECK(Rule(policy, "203.0.113.9", 443) == "-platform");
}

TEST_CASE("metadata stays refused where an operator allows everything") {
  const Policy policy(Ranges({"0.0.0.0/0", "::/0"}), {});
  CheckRows(policy, {{"169.254.169.254", "-metadata"},
                     {"fd00:ec2::254", "-metadata"},
                     {"64:ff9b::a9fe:a9fe", "-metadata"},
                     {"10.0.0.1", "+operator"}});
}

TEST_CASE("no wrapped IPv4 address is allowed that is refused plainly") {
  for (uint32_t high = 0; high < 0x10000; ++high) {
    const uint8_t a = static_cast<uint8_t>(high >> 8), b = static_cast<uint8_t>(high);
    const Address plain{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, 7, 9}};
    const bool allowed = kPublicOnly.Check(plain, 80).allowed;
    const Address nat64{{0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, a, b, 7, 9}};
    const Address sixtofour{{0x20, 0x02, a, b, 7, 9}};
    const Address teredo{{0x20, 1, 0, 0, 8, 8, 8, 8, 0, 0, 0, 0, uint8_t(~a), uint8_t(~b), uint8_t(~7), uint8_t(~9)}};
    for (const Address& wrapped : {nat64, sixtofour, teredo})
      REQUIRE(kPublicOnly.Check(wrapped, 80).allowed == allowed);
  }
}

}  // namespace
}  // namespace sluice::egress
