// The proxy's parts that need no sockets: replies, the access log.

#include "catch2/catch.hpp"
#include "data-plane/proxy/access_log.h"
#include "data-plane/proxy/reply.h"

using sluice::Reply;
using namespace sluice::proxy;

TEST_CASE("an error is worded in the form the client prefers") {
  CHECK(ChooseFormat("") == ErrorFormat::kJson);
  CHECK(ChooseFormat("image/png") == ErrorFormat::kJson);
  CHECK(ChooseFormat("*/*") == ErrorFormat::kJson);
  CHECK(ChooseFormat("text/plain") == ErrorFormat::kText);
  CHECK(ChooseFormat("text/html,application/xml;q=0.9,*/*;q=0.8") == ErrorFormat::kHtml);
  CHECK(ChooseFormat("text/html;q=0.1, application/xml") == ErrorFormat::kXml);
  CHECK(ChooseFormat("text/html;q=0, application/json;q=0.2") == ErrorFormat::kJson);
}

TEST_CASE("an error names the request in every form") {
  const Reply reply = Reply::Message(404, "a <b>");
  CHECK(Render(reply, "", "id").body == "{\n  \"message\":\"a <b>\",\n  \"request_id\":\"id\"\n}");
  CHECK(Render(reply, "", "id").content_type == "application/json; charset=utf-8");
  CHECK(Render(reply, "text/plain", "id").body == "a <b>\nrequest_id: id\n");
  CHECK(Render(reply, "text/html", "id").body.find("<h1>a &lt;b&gt;</h1><p>request_id: id</p>") != std::string::npos);
  CHECK(Render(reply, "text/xml", "id").body.find("<requestid>id</requestid>") != std::string::npos);
}

TEST_CASE("what a plugin words itself goes out as it is") {
  CHECK(Render(Reply::Json(401, R"({"message":"Unauthorized"})"), "text/html", "id").body == R"({"message":"Unauthorized"})");
}

TEST_CASE("secrets in a query are not logged") {
  std::string out;
  const std::vector<std::string> more = {"pass"};
  AppendRedactedQuery("a=1&apikey=s3&ToKeN=s3&x_secret=s3&%61pikey=s3&pass=s3&b", &more, out);
  CHECK(out == "a=1&apikey=REDACTED&ToKeN=REDACTED&x_secret=REDACTED&%61pikey=REDACTED&pass=REDACTED&b");
}

TEST_CASE("a ring takes lines until it is full, and counts what it drops") {
  LogRing ring(8);
  CHECK(ring.Push("12345678"));
  CHECK_FALSE(ring.Push("9"));
  CHECK(ring.dropped() == 1);
  CHECK(ring.Front() == "12345678");
  ring.Pop(6);
  CHECK(ring.Push("abcdef"));
  CHECK(ring.Front() == "78");
  ring.Pop(2);
  CHECK(ring.Front() == "abcdef");
}
