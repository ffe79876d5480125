#include "catch2/catch.hpp"
#include "tests/data-plane/plugin/fixture.h"

namespace sluice::test {
namespace {

struct Visit : FakeExchange {
  explicit Visit(FakeRequest request) : FakeExchange(std::move(request)) { gateway = GatewayWithKeys(); }
};

FakeRequest WithHeader(std::string value) { return {.fields = {{"apikey", std::move(value)}}}; }

TEST_CASE("a known key in the header lets the request pass as its consumer") {
  Visit visit(WithHeader("secret"));
  CHECK_FALSE(PluginUnderTest("key-auth", "{}").Request(visit).has_value());
  CHECK(visit.consumer->username == "ann");
  CHECK(visit.credential_id == "33333333-3333-4333-8333-333333333333");
}

TEST_CASE("the upstream learns who the consumer is, and not the key") {
  Visit visit(WithHeader("secret"));
  PluginUnderTest("key-auth", "{}").Request(visit);
  CHECK(FieldsOf(visit.upstream.fields) ==
        std::map<std::string, std::string>{{"x-consumer-id", "11111111-1111-4111-8111-111111111111"},
                                           {"x-consumer-custom-id", "a-1"},
                                           {"x-consumer-username", "ann"},
                                           {"x-credential-identifier", "33333333-3333-4333-8333-333333333333"}});
}

TEST_CASE("the key goes on where it is not to be hidden") {
  Visit visit(WithHeader("secret"));
  PluginUnderTest("key-auth", R"({"hide_credentials": false})").Request(visit);
  CHECK(visit.upstream.fields.Get("apikey") == "secret");
}

TEST_CASE("a request without a key is told so and how to authenticate") {
  Visit visit({});
  Verdict verdict = PluginUnderTest("key-auth", "{}").Request(visit);
  REQUIRE(verdict.has_value());
  CHECK(verdict->status == 401);
  CHECK(verdict->message == "No API key found in request");
  CHECK(ReplyField(*verdict, "WWW-Authenticate") == "Key");
}

TEST_CASE("the challenge names the realm") {
  Visit visit({});
  Verdict verdict = PluginUnderTest("key-auth", R"({"realm": "my \"api\""})").Request(visit);
  CHECK(ReplyField(*verdict, "WWW-Authenticate") == R"(Key realm="my \"api\"")");
}

TEST_CASE("an empty key counts as none") {
  Visit visit(WithHeader(""));
  CHECK(PluginUnderTest("key-auth", "{}").Request(visit)->message == "No API key found in request");
}

TEST_CASE("an unknown key is unauthorized") {
  Visit visit(WithHeader("wrong"));
  Verdict verdict = PluginUnderTest("key-auth", "{}").Request(visit);
  CHECK(verdict->status == 401);
  CHECK(verdict->message == "Unauthorized");
  CHECK(ReplyField(*verdict, "WWW-Authenticate") == "Key");
}

TEST_CASE("the stored form of a key is not a key") {
  Visit visit(WithHeader("sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"));
  CHECK(PluginUnderTest("key-auth", "{}").Request(visit)->message == "Unauthorized");
}

TEST_CASE("a key whose time has come is unauthorized, one second before it is not") {
  PluginUnderTest plugin("key-auth", "{}");
  Visit at(WithHeader("old"));
  CHECK(plugin.Request(at)->message == "Unauthorized");
  Visit before(WithHeader("old"));
  before.fake_worker.fixed_clock.wall -= std::chrono::seconds(1);
  CHECK_FALSE(plugin.Request(before).has_value());
}

TEST_CASE("two keys in headers are refused even where both are right") {
  Visit visit({.fields = {{"apikey", "secret"}, {"ApiKey", "secret"}}});
  Verdict verdict = PluginUnderTest("key-auth", "{}").Request(visit);
  CHECK(verdict->status == 401);
  CHECK(verdict->message == "Duplicate API key found");
}

TEST_CASE("two keys in the query are refused") {
  Visit visit({.target = "/?apikey=secret&apikey=x"});
  CHECK(PluginUnderTest("key-auth", "{}").Request(visit)->message == "Duplicate API key found");
}

TEST_CASE("a key in the query lets the request pass and does not go on") {
  Visit visit({.target = "/?a=%20b&apikey=secret&c"});
  CHECK_FALSE(PluginUnderTest("key-auth", "{}").Request(visit).has_value());
  CHECK(visit.upstream.query == "a=%20b&c");
}

TEST_CASE("a query that held only the key goes on without a question mark") {
  Visit visit({.target = "/?apikey=secret"});
  PluginUnderTest("key-auth", "{}").Request(visit);
  CHECK_FALSE(visit.upstream.has_query);
}

TEST_CASE("the query is not looked at where keys may not be in it") {
  Visit visit({.target = "/?apikey=secret"});
  CHECK(PluginUnderTest("key-auth", R"({"key_in_query": false})").Request(visit)->message ==
        "No API key found in request");
}

TEST_CASE("headers are not looked at where keys may not be in them") {
  Visit visit(WithHeader("secret"));
  CHECK(PluginUnderTest("key-auth", R"({"key_in_header": false})").Request(visit).has_value());
}

TEST_CASE("names of keys are tried in order") {
  Visit visit({.target = "/?b=secret", .fields = {{"c", "wrong"}}});
  CHECK_FALSE(PluginUnderTest("key-auth", R"({"key_names": ["a", "b", "c"]})").Request(visit).has_value());
}

TEST_CASE("a key in a form lets the request pass and does not go on") {
  Visit visit({.method = "POST",
               .fields = {{"Content-Type", "application/x-www-form-urlencoded"}},
               .body = "a=1&apikey=secret"});
  CHECK_FALSE(PluginUnderTest("key-auth", R"({"key_in_body": true})").Request(visit).has_value());
  CHECK(visit.body == "a=1");
}

TEST_CASE("a key in a JSON body lets the request pass and does not go on") {
  Visit visit({.method = "POST",
               .fields = {{"Content-Type", "application/json"}},
               .body = R"({"apikey":"secret","z":1,"a":2})"});
  CHECK_FALSE(PluginUnderTest("key-auth", R"({"key_in_body": true})").Request(visit).has_value());
  CHECK(visit.body == R"({"z":1,"a":2})");
}

TEST_CASE("a list of keys in a JSON body is refused") {
  Visit visit({.method = "POST",
               .fields = {{"Content-Type", "application/json"}},
               .body = R"({"apikey":["secret","secret"]})"});
  CHECK(PluginUnderTest("key-auth", R"({"key_in_body": true})").Request(visit)->message == "Duplicate API key found");
}

TEST_CASE("a key in a multipart body lets the request pass") {
  Visit visit({.method = "POST",
               .fields = {{"Content-Type", "multipart/form-data; boundary=xx"}},
               .body = "--xx\r\nContent-Disposition: form-data; name=\"apikey\"\r\n\r\nsecret\r\n--xx--\r\n"});
  CHECK_FALSE(PluginUnderTest("key-auth", R"({"key_in_body": true})").Request(visit).has_value());
  CHECK(visit.body == "--xx--\r\n");
}

TEST_CASE("the body is not read where the key is in the header") {
  Visit visit({.method = "POST",
               .fields = {{"apikey", "secret"}, {"Content-Type", "application/json"}},
               .body = "{}"});
  PluginUnderTest("key-auth", R"({"key_in_body": true})").Request(visit);
  CHECK(visit.body_reads == 0);
}

TEST_CASE("a body that is not of its type cannot be processed") {
  Visit visit({.method = "POST", .fields = {{"Content-Type", "application/json"}}, .body = "{"});
  Verdict verdict = PluginUnderTest("key-auth", R"({"key_in_body": true})").Request(visit);
  CHECK(verdict->status == 400);
  CHECK(verdict->message == "Cannot process request body");
}

TEST_CASE("a body that is too large is refused, also where anybody may pass") {
  Visit visit({.method = "POST", .fields = {{"Content-Type", "application/json"}}, .body = "{}"});
  visit.refuse_body = true;
  PluginUnderTest plugin("key-auth", R"({"key_in_body": true, "anonymous": "guest"})");
  CHECK(plugin.Request(visit)->status == 413);
}

TEST_CASE("without a key a request goes on as the anonymous consumer") {
  Visit visit({});
  CHECK_FALSE(PluginUnderTest("key-auth", R"({"anonymous": "guest"})").Request(visit).has_value());
  CHECK(visit.credential_id.empty());
  CHECK(FieldsOf(visit.upstream.fields) ==
        std::map<std::string, std::string>{{"x-anonymous-consumer", "true"},
                                           {"x-consumer-id", "22222222-2222-4222-8222-222222222222"},
                                           {"x-consumer-username", "guest"}});
}

TEST_CASE("the anonymous consumer may be named by id") {
  Visit visit(WithHeader("wrong"));
  PluginUnderTest plugin("key-auth", R"({"anonymous": "22222222-2222-4222-8222-222222222222"})");
  CHECK_FALSE(plugin.Request(visit).has_value());
  CHECK(visit.consumer->username == "guest");
}

TEST_CASE("an anonymous consumer that does not exist is an error of the configuration") {
  Visit visit({});
  Verdict verdict = PluginUnderTest("key-auth", R"({"anonymous": "nobody"})").Request(visit);
  CHECK(verdict->status == 500);
  CHECK(verdict->message == "anonymous consumer nobody is configured but doesn't exist");
}

TEST_CASE("who is authenticated already is not asked again where anybody may pass") {
  Visit visit({});
  visit.credential_id = "other";
  CHECK_FALSE(PluginUnderTest("key-auth", R"({"anonymous": "guest"})").Request(visit).has_value());
  CHECK(visit.consumer == nullptr);
}

TEST_CASE("a preflight request needs a key unless told otherwise") {
  Visit visit({.method = "OPTIONS"});
  CHECK(PluginUnderTest("key-auth", "{}").Request(visit)->status == 401);
  CHECK_FALSE(PluginUnderTest("key-auth", R"({"run_on_preflight": false})").Request(visit).has_value());
}

TEST_CASE("realms and directories are refused with what to do instead") {
  CHECK(Refusal("key-auth", R"({"identity_realms": [{"scope": "cp"}]})") == "");
  CHECK(Refusal("key-auth", R"({"identity_realms": [{"scope": "realm", "id": "x"}]})")
            .starts_with("identity_realms[0].scope: Consumers belong to their gateway"));
  CHECK(Refusal("key-auth", R"({"principals": {"enabled": true}})")
            .starts_with("principals.enabled: There are no directories of principals"));
}

}  // namespace
}  // namespace sluice::test
