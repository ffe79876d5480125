// A server's side of HTTP/2, after the preface and the client's settings. What arrives as a request has one meaning in
// HTTP/1.1 as well, its body is as long as it said, every stream closes once, and nothing depends on how bytes arrive.

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "data-plane/http/http2_session.h"
#include "data-plane/http/target.h"
#include "data-plane/http/writer.h"
#include "tests/fuzz/framings.h"
#include "tests/fuzz/fuzz.h"

namespace sluice::fuzz {
namespace {

using http::Framing;
using http::Http2Error;

void CheckDowngrade(const http::RequestHead& head) {
  std::string written;
  http::AppendRequestHead(written, head.method, head.target, head.authority, head.fields, head.framing);
  CheckOneFraming(written, head.framing);
  size_t scanned = 0;
  SLUICE_CHECK(http::FindHeadEnd(written, scanned) == written.size());
  http::RequestHead again;
  const http::ParseError error = http::ParseRequestHead(written, again);
  if (error.status == 431) return;
  SLUICE_CHECK(!error);
  SLUICE_CHECK(again.method == head.method && again.target == head.target && again.authority == head.authority);
  SLUICE_CHECK(again.framing.kind == head.framing.kind && again.framing.length == head.framing.length);
}

class Server final : public http::Http2Observer {
 public:
  Server() : session_(http::Http2Session::Role::kServer, *this) {}

  void Receive(std::string_view bytes) { session_.Receive(bytes, {}); }

  // Everything there is to send, and the end. What happened, in words.
  std::string Finish() {
    std::string out;
    session_.Pull(out, 1 << 20, {});
    session_.CloseStreams(Http2Error::kCancel);
    for (const auto& exchange : exchanges_) {
      SLUICE_CHECK(exchange->closed);
      if (exchange->ended) story_.append(exchange->body).append("\n");  // of others, how much came depends on the cuts
    }
    return story_;
  }

  http::Http2StreamObserver* OnRequest(http::Http2Stream& stream, http::RequestHead head,
                                       http::ParseError refused) override {
    SLUICE_CHECK(exchanges_.size() < 10'000);
    story_ += "request " + std::to_string(stream.id()) + " " + std::to_string(refused.status) + "\n";
    auto& exchange = *exchanges_.emplace_back(std::make_unique<Exchange>(*this, stream));
    http::ResponseHead answer;
    answer.status = refused ? refused.status : 200;
    if (!refused) {
      CheckDowngrade(head);
      story_.append(head.method).append(" ").append(head.authority).append(head.target).append("\n");
      for (const auto& field : head.fields) story_.append(field.name).append(":").append(field.value).append("\n");
      exchange.framing = head.framing;
    }
    session_.Respond(stream, answer, {Framing::Kind::kLength, 2}, false);
    session_.Send(stream, "ok", true);
    return &exchange;
  }
  void OnGoAway() override { story_ += "goaway\n"; }

 private:
  struct Exchange final : http::Http2StreamObserver {
    Exchange(Server& server, http::Http2Stream& stream) : server(server), stream(&stream) {}
    void OnData(std::string_view data) override {
      SLUICE_CHECK(!closed && !ended);
      body.append(data);
      SLUICE_CHECK(framing.kind != Framing::Kind::kLength || body.size() <= framing.length);
      server.session_.Consume(*stream, data.size());
    }
    void OnEnd(http::Fields trailers) override {
      SLUICE_CHECK(!closed && !ended);
      ended = true;
      SLUICE_CHECK(framing.kind != Framing::Kind::kLength || body.size() == framing.length);
      for (const auto& field : trailers) SLUICE_CHECK(http::IsToken(field.name) && http::IsFieldValue(field.value));
      server.story_ += "end of " + std::to_string(stream->id()) + "\n";
    }
    void OnSent() override { SLUICE_CHECK(!closed); }
    void OnClosed(Http2Error) override {
      SLUICE_CHECK(!closed);
      closed = true;
    }
    Server& server;
    http::Http2Stream* stream;
    Framing framing;
    std::string body;
    bool ended = false;
    bool closed = false;
  };

  std::vector<std::unique_ptr<Exchange>> exchanges_;
  std::string story_;
  http::Http2Session session_;
};

std::string StoryOf(std::string_view input, size_t piece) {
  Server server;
  server.Receive(http::kHttp2Preface);
  server.Receive(std::string_view("\0\0\0\4\0\0\0\0\0", 9));  // SETTINGS without any
  for (; !input.empty(); input.remove_prefix(std::min(piece, input.size()))) server.Receive(input.substr(0, piece));
  return server.Finish();
}

}  // namespace

void Run(std::string_view input) {
  SLUICE_CHECK(StoryOf(input, 7) == StoryOf(input, input.size() + 1));
}

}  // namespace sluice::fuzz
