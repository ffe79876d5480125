#pragma once

// A session under test, with an observer that writes down what it hears. Test thread only.

#include <map>
#include <memory>

#include "data-plane/http/http2_session.h"
#include "tests/support/http2.h"

namespace sluice::http {

class Http2Peer : public Http2Observer {
 public:
  struct Stream : Http2StreamObserver {
    Http2Stream* handle = nullptr;  // null: closed
    RequestHead request;
    ParseError refused;
    std::vector<ResponseHead> responses;
    std::string data;
    Fields trailers;
    bool ended = false;
    int sent = 0;
    Http2Error closed{99};
    void OnResponse(ResponseHead head, bool) override { responses.push_back(std::move(head)); }
    void OnData(std::string_view piece) override { data += piece; }
    void OnEnd(Fields fields) override {
      ended = true;
      trailers = std::move(fields);
    }
    void OnSent() override { ++sent; }
    void OnClosed(Http2Error error) override {
      handle = nullptr;
      closed = error;
    }
  };

  explicit Http2Peer(Http2Session::Role role = Http2Session::Role::kServer) : session(role, *this) {
    if (role == Http2Session::Role::kServer) Send(test::h2::kPreface);
    sent_frames = Frames();
  }
  Http2StreamObserver* OnRequest(Http2Stream& stream, RequestHead head, ParseError refused) override {
    auto& seen = streams[static_cast<uint32_t>(stream.id())];
    seen = std::make_unique<Stream>();
    seen->handle = &stream;
    seen->request = std::move(head);
    seen->refused = refused;
    return seen.get();
  }
  void OnGoAway() override { ++goaways; }

  void Send(std::string_view bytes) { session.Receive(bytes, now); }
  std::vector<test::h2::Received> Frames(size_t max = 1 << 20) {
    std::string out;
    session.Pull(out, max, now);
    return test::h2::TakeFrames(out);
  }
  // The error of the RST_STREAM, or of the GOAWAY (stream 0), that is in the output; 99: none.
  uint32_t ErrorOf(uint32_t stream) {
    for (const auto& frame : Frames()) {
      if (stream != 0 && frame.type == test::h2::kReset && frame.stream == stream) return frame.number();
      if (stream == 0 && frame.type == test::h2::kGoAway) return frame.number(4);
    }
    return 99;
  }

  MonotonicTime now{std::chrono::seconds(1000)};
  std::map<uint32_t, std::unique_ptr<Stream>> streams;
  int goaways = 0;
  Http2Session session;
  std::vector<test::h2::Received> sent_frames;
};

}  // namespace sluice::http
