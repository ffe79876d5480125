#pragma once

// An exchange as the proxy runs it, from the head to the log. One per request, in the connection's coroutine; its
// worker's thread only.

#include <optional>
#include <string>

#include "data-plane/limit/buffered.h"
#include "data-plane/limit/slot.h"
#include "data-plane/plugin/exchange.h"
#include "data-plane/proxy/connection_limits.h"
#include "data-plane/proxy/downstream.h"
#include "data-plane/proxy/forward.h"
#include "data-plane/proxy/plugin_run.h"

namespace sluice::proxy {

class Worker;

class ProxyExchange final : public Exchange {
 public:
  // The head was complete at `started`. Fill in `client` and `request` before Run. `admission`: of the connection.
  ProxyExchange(Worker& worker, Downstream& downstream, Admission& admission);
  ~ProxyExchange() override;

  // The whole story. The client has an answer afterwards, or is gone; plugins, counters and the log have been told.
  io::Task<void> Run();
  // The same for a head that is not to be served.
  io::Task<void> Refuse(int refusal, std::string_view reason);
  // The node stops: plugins, counters and the log are told now, and the client must not take what it has for whole.
  void Cut();

  PluginWorker& worker() const override;
  io::Task<Body> ReadRequestBody(size_t max) override;
  void SetRequestBody(std::string body) override;

 private:
  friend class ExchangeList;
  io::Task<Verdict> Handle();
  io::Task<Verdict> WaitForGateway();
  io::Task<Verdict> HandleKnown(MonotonicTime now);
  io::Task<Verdict> WaitForSlot();
  io::Task<Verdict> HandleAdmitted();
  io::Task<Verdict> AskPlugins();
  io::Task<Verdict> Pass();
  Verdict FindGateway();
  bool CountConnection();
  Verdict Admit();
  Verdict ChooseRoute();
  Verdict CheckScheme();
  Verdict PrepareUpstream();
  Verdict Reject(int refusal, std::string_view message, std::string_view reason);
  io::Task<void> Give(Reply reply);
  void Finish();
  bool Buffer(size_t bytes);  // so many in all

  Worker& worker_;
  Downstream& downstream_;
  Admission& admission_;
  PluginRun plugins_;
  std::optional<std::string> body_;
  limit::Slot in_flight_;
  limit::Buffered buffered_;    // of the request's body, for plugins
  bool over_buffered_ = false;  // a plugin made a body for which the plan has no room
  std::optional<Forward> forward_;
  int port_ = -1;
  bool finished_ = false;
  ProxyExchange* previous_ = nullptr;
  ProxyExchange* next_ = nullptr;
};

// Those that a worker has under way. In the exchanges themselves, since every request joins and leaves.
class ExchangeList {
 public:
  void Add(ProxyExchange& exchange);
  void Remove(ProxyExchange& exchange);
  void Cut();

 private:
  ProxyExchange* first_ = nullptr;
};

}  // namespace sluice::proxy
