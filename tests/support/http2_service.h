#pragma once

// An upstream that speaks HTTP/2 by prior knowledge, from the same session as the proxy's, in server role. Runs on the
// threads of a test's Upstream, one a connection.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "data-plane/http/http2_session.h"
#include "tests/support/node.h"

namespace sluice::test {

class Http2Service;

// One request, and what is answered.
class Http2Call final : public http::Http2StreamObserver {
 public:
  http::RequestHead head;
  std::string body;
  bool whole = false;
  bool closed = false;
  http::Http2Error error = http::Http2Error::kNone;

  // Sends the answer; to be called once.
  void Answer(int status, std::vector<std::pair<std::string, std::string>> fields = {}, std::string body = "",
              std::vector<std::pair<std::string, std::string>> trailers = {});
  void Reset(http::Http2Error why) {
    if (stream_ != nullptr) service_->Reset(*stream_, why);
  }

 private:
  friend class Http2Service;
  void OnData(std::string_view data) override;
  void OnEnd(http::Fields) override;
  void OnSent() override {}
  void OnClosed(http::Http2Error why) override;

  struct Sessions {
    virtual ~Sessions() = default;
    virtual void Reset(http::Http2Stream& stream, http::Http2Error why) = 0;
    virtual http::Http2Session& session() = 0;
    virtual void Whole(Http2Call& call) = 0;
    virtual void Closed(Http2Call& call) = 0;
  };
  Sessions* service_ = nullptr;
  http::Http2Stream* stream_ = nullptr;
  http::Fields trailers_;
  std::string reply_;
};

class Http2Service final : public http::Http2Observer, private Http2Call::Sessions {
 public:
  using OnCall = std::function<void(Http2Service&, Http2Call&)>;
  struct Script {
    OnCall head = nullptr;   // the head has come
    OnCall whole = nullptr;  // the request is whole
    OnCall closed = nullptr;
  };
  Http2Service(Peer& peer, const Script& script)
      : peer_(peer), script_(script), session_(http::Http2Session::Role::kServer, *this) {}

  // Until the connection ends.
  void Run() {
    do {
      Write();
      session_.Receive(std::exchange(peer_.buffered, ""), std::chrono::steady_clock::now());
      Write();
    } while (!session_.finished() && peer_.ReadMore());
  }
  void Write() {
    std::string out;
    session_.Pull(out, 1 << 20, std::chrono::steady_clock::now());
    peer_.Send(out);
  }
  Peer& peer() { return peer_; }
  http::Http2Session& session() override { return session_; }

  // As an Upstream's.
  static Upstream::Serve Serving(Script script) {
    return [script](Upstream&, Peer& peer) { Http2Service(peer, script).Run(); };
  }
  // Gives every request the same answer, once it is whole.
  static Upstream::Serve Answering(int status, std::vector<std::pair<std::string, std::string>> fields,
                                   std::string body, std::vector<std::pair<std::string, std::string>> trailers = {}) {
    return Serving({.whole = [=](Http2Service&, Http2Call& call) { call.Answer(status, fields, body, trailers); }});
  }

 private:
  http::Http2StreamObserver* OnRequest(http::Http2Stream& stream, http::RequestHead head, http::ParseError) override {
    auto& call = calls_.emplace_back(std::make_unique<Http2Call>());
    call->service_ = this;
    call->stream_ = &stream;
    call->head = std::move(head);
    if (script_.head) script_.head(*this, *call);
    if (call->stream_ != nullptr && stream.received_end()) Whole(*call);
    return call->stream_ != nullptr ? call.get() : nullptr;
  }
  void OnGoAway() override {}
  void Reset(http::Http2Stream& stream, http::Http2Error why) override { session_.Reset(stream, why); }
  void Whole(Http2Call& call) override {
    if (std::exchange(call.whole, true)) return;
    if (script_.whole) script_.whole(*this, call);
  }
  void Closed(Http2Call& call) override {
    if (script_.closed) script_.closed(*this, call);
  }

  Peer& peer_;
  const Script script_;
  std::vector<std::unique_ptr<Http2Call>> calls_;
  http::Http2Session session_;
};

inline void Http2Call::Answer(int status, std::vector<std::pair<std::string, std::string>> fields, std::string body,
                              std::vector<std::pair<std::string, std::string>> trailers) {
  if (stream_ == nullptr) return;
  http::ResponseHead head;
  head.status = status;
  for (const auto& [name, value] : fields) head.fields.Add(name, value);
  for (const auto& [name, value] : trailers) trailers_.Add(name, value);
  const bool end = body.empty() && trailers.empty();
  service_->session().Respond(*stream_, head, {.kind = http::Framing::Kind::kChunked}, end);
  reply_ = std::move(body);
  if (!end) service_->session().Send(*stream_, reply_, true, &trailers_);
}
inline void Http2Call::OnData(std::string_view data) {
  body += data;
  service_->session().Consume(*stream_, data.size());
}
inline void Http2Call::OnEnd(http::Fields) {
  service_->Whole(*this);
}
inline void Http2Call::OnClosed(http::Http2Error why) {
  stream_ = nullptr;
  closed = true;
  error = why;
  service_->Closed(*this);
}

}  // namespace sluice::test
