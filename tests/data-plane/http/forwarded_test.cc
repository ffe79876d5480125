// For whom proxies say that they ask.

#include "data-plane/http/forwarded.h"

#include "catch2/catch.hpp"

using namespace sluice::http;
using Hops = ForwardedHops;

namespace {

Fields With(std::string_view name, std::vector<std::string_view> values) {
  Fields fields;
  for (std::string_view value : values) fields.AppendView(name, value);
  return fields;
}

Hops XForwardedFor(std::vector<std::string_view> values) {
  return HopsOfXForwardedFor(With("X-Forwarded-For", std::move(values)));
}

Hops Forwarded(std::vector<std::string_view> values) {
  Hops hops;
  CHECK(HopsOfForwarded(With("Forwarded", std::move(values)), hops));
  return hops;
}

bool Malformed(std::string_view value) {
  Hops hops;
  return !HopsOfForwarded(With("Forwarded", {value}), hops);
}

}  // namespace

TEST_CASE("X-Forwarded-For is read from its end, over several fields") {
  CHECK(XForwardedFor({"192.0.2.1, 192.0.2.2", "192.0.2.3"}) == Hops{"192.0.2.3", "192.0.2.2", "192.0.2.1"});
  CHECK(XForwardedFor({"192.0.2.1,,\t192.0.2.2 ,"}) == Hops{"192.0.2.2", "192.0.2.1"});
  CHECK(XForwardedFor({""}).empty());
  CHECK(XForwardedFor({}).empty());
}

TEST_CASE("X-Forwarded-For takes ports and both notations of IPv6") {
  CHECK(XForwardedFor({"192.0.2.1:80, 2001:DB8::1, [2001:db8::2], [2001:db8::3]:443, ::ffff:192.0.2.9"}) ==
        Hops{"192.0.2.9", "2001:db8::3", "2001:db8::2", "2001:db8::1", "192.0.2.1"});
}

TEST_CASE("X-Forwarded-For ends at what is no address") {
  for (const char* entry : {"unknown", "_hidden", "localhost", "192.0.2", "192.0.2.1:", "192.0.2.1:65536",
                            "192.0.2.1:x", "[192.0.2.1]", "[2001:db8::1", "[2001:db8::1]x", "010.0.0.1", "0x7f.1", "1",
                            "fe80::1%eth0", "\"192.0.2.1\"", "192.0.2.1 192.0.2.2"}) {
    INFO(entry);
    CHECK(XForwardedFor({std::string("192.0.2.5, ") + entry + ", 192.0.2.6"}) == Hops{"192.0.2.6"});
  }
}

TEST_CASE("as many hops as the limit are read, and those past it are not looked at") {
  std::string value = "192.0.2.1";
  for (size_t i = 1; i < kMaxForwardedHops; ++i) value += ", 192.0.2.2";
  CHECK(XForwardedFor({value}).size() == kMaxForwardedHops);
  CHECK(XForwardedFor({value}).back() == "192.0.2.1");
  CHECK(XForwardedFor({value + ", 192.0.2.3"}).size() == kMaxForwardedHops);
  CHECK(XForwardedFor({value + ", 192.0.2.3"}).back() == "192.0.2.2");
}

TEST_CASE("Forwarded tells its hops from its end, over several fields, in any case") {
  CHECK(Forwarded({"for=192.0.2.1;proto=https, For=192.0.2.2", "by=_x; FOR=\"192.0.2.3:80\""}) ==
        Hops{"192.0.2.3", "192.0.2.2", "192.0.2.1"});
  CHECK(Forwarded({"for=\"[2001:db8::1]\", for=\"[2001:db8::2]:_port\", for=\"\\[2001:db8::3\\]:443\""}) ==
        Hops{"2001:db8::3", "2001:db8::2", "2001:db8::1"});
  CHECK(Forwarded({"", " , for=192.0.2.1 ,"}) == Hops{"192.0.2.1"});
}

TEST_CASE("an obfuscated, an unknown and a missing identifier end Forwarded's hops") {
  for (const char* element : {"for=_hidden", "for=unknown", "by=192.0.2.9", "proto=https", "for=\"\""}) {
    INFO(element);
    CHECK(Forwarded({std::string("for=192.0.2.5, ") + element + ", for=192.0.2.6"}) == Hops{"192.0.2.6"});
  }
}

TEST_CASE("a quotation mark in a string hides nothing, and an open one is malformed") {
  CHECK(Forwarded({"for=\"x, for=192.0.2.1\", for=192.0.2.2"}) == Hops{"192.0.2.2"});
  CHECK(Forwarded({"for=\"\\\"\", for=192.0.2.2"}) == Hops{"192.0.2.2"});
  CHECK(Malformed("for=\", for=192.0.2.2"));
  CHECK(Malformed("for=\"\\"));
}

TEST_CASE("a Forwarded that breaks its grammar is malformed") {
  for (const char* value : {"for", "for=", "=192.0.2.1", "for =192.0.2.1", "for= 192.0.2.1", "for=192.0.2.1;", ";",
                            "for=192.0.2.1 proto=http", "for=192.0.2.1;for=192.0.2.2", "for=[2001:db8::1]",
                            "for=\"192.0.2.1\"x", "192.0.2.1"}) {
    INFO(value);
    CHECK(Malformed(value));
  }
}
