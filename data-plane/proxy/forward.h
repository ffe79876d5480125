#pragma once

// The upstream half of an exchange: a connection is found, the request goes out, the answer's head comes back and its
// body is passed on. One per forwarded request; lives within the exchange's coroutine.

#include <memory>
#include <optional>
#include <string>

#include "data-plane/proxy/dialer.h"
#include "data-plane/proxy/downstream.h"
#include "data-plane/proxy/forward_fields.h"
#include "data-plane/proxy/hash_key.h"
#include "data-plane/proxy/plugin_run.h"
#include "data-plane/proxy/request_pump.h"

namespace sluice::proxy {

// The gateway's answer to a request body that failed; also says why in the exchange.
Reply RefuseBody(Exchange& exchange, BodyError error);

class Forward {
 public:
  // `body`: what was read and kept of the request's body; null where it still comes from the client.
  Forward(Worker& worker, Exchange& exchange, Downstream& downstream, const PluginRun& plugins,
          const std::string* body);
  Forward(const Forward&) = delete;

  // nullopt: the client has the response, or is gone. A Reply: it must have that instead.
  io::Task<Verdict> Run();
  // After the answer, whoever gave it: nothing runs on behalf of this object any more.
  io::Task<void> Join() { return pump_.Join(); }
  bool pumping() const { return pump_.started(); }

 private:
  enum class Answer : uint8_t { kHead, kRetry, kFailed };

  Verdict Refused(int status, std::string_view message, std::string_view reason);
  Verdict DialFailed(DialError error);
  std::string HostFor() const;
  UpstreamStream::Outgoing RequestHead();
  Verdict TakeFirstBody(UpstreamStream::Outgoing& out);
  io::Task<bool> SendRequest();
  bool RequestSent(bool whole, io::IoError error);
  io::Task<Answer> ReadHead(bool reused);
  io::Task<bool> RelayInterim(http::ResponseHead& head);
  MonotonicTime NextLook(MonotonicTime deadline) const;
  bool KeepWaiting(MonotonicTime& deadline);
  bool StillSending(MonotonicTime& deadline) const;
  Answer Lost(bool reused, io::IoError error);
  Answer Fail(Verdict verdict);
  bool MayRepeat() const;
  void TargetFailed(bool timed_out);

  io::Task<Verdict> Relay();
  http::Framing ClientFraming() const;
  void AddResponseFields();
  io::Task<bool> Pass(BodyPiece& first);
  io::Task<bool> PassWithRest(Downstream::Outgoing out, const http::Fields* trailers);
  io::Task<bool> PassRest();
  bool Passed(bool sent);
  const http::Fields* Trailers() const;
  void NoteGrpcStatus();
  io::Task<bool> SendLast(std::string_view data);
  io::Task<Verdict> PassWhole(UpstreamStream::BodyPiece first);
  io::Task<UpstreamStream::BodyPiece> ReadResponse(io::Piped* piped = nullptr);
  io::Task<Verdict> Tunnel();
  io::Task<void> CopyTunnel();
  void Cut(std::string_view reason);
  void Recycle();

  Worker& worker_;
  Exchange& exchange_;
  Downstream& downstream_;
  const PluginRun& plugins_;
  const std::string* body_;
  const Service& service_;
  const HashKey hash_;
  Dialer dialer_;
  std::unique_ptr<UpstreamStream> upstream_;
  RequestPump pump_;
  ForwardedText forwarded_;
  http::ResponseHead head_;
  Verdict failure_;
  bool fields_added_ = false;
  bool body_taken_ = false;  // something of the client's body was used up
  bool head_request_;
  bool client_gone_ = false;
  std::string authority_;
  std::string target_;
  std::string content_length_;
  std::string via_;
  std::string upstream_latency_;
  std::string proxy_latency_;
};

}  // namespace sluice::proxy
