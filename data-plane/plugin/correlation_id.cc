#include <unistd.h>

#include <cstdio>

#include "common/base/random.h"
#include "common/schema/text.h"
#include "data-plane/plugin/builtin.h"
#include "data-plane/plugin/exchange.h"
#include "sluice/plugins/v1/correlation_id.pb.h"

namespace sluice::plugins {
namespace {

class CorrelationId final : public Plugin {
 public:
  CorrelationId(const v1::CorrelationId& config, const PluginEnv& env)
      : header_(config.header_name()),
        generator_(config.generator()),
        echo_(config.echo_downstream()),
        uuid_(RandomUuid()),
        state_(env.state) {}

  unsigned moments() const override { return echo_ ? kOnRequest | kOnResponse : kOnRequest; }

  io::Task<Verdict> OnRequest(Exchange& exchange) const override {
    std::string_view sent = exchange.request.fields.Get(header_);
    exchange.correlation_id = sent.empty() ? Generate(exchange) : std::string(sent);
    if (sent.empty()) exchange.upstream.fields.Set(header_, exchange.correlation_id);
    return Verdict();
  }

  void OnResponse(Exchange& exchange, http::ResponseHead& head) const override {
    std::string_view id = exchange.correlation_id;
    if (id.empty()) id = exchange.request.fields.Get(header_);
    if (!id.empty()) head.fields.Set(header_, id);
  }

 private:
  std::string Generate(const Exchange& exchange) const {
    if (generator_ == "uuid") return RandomUuid();
    if (generator_ == "tracker") return Track(exchange);
    return schema::Cat(uuid_, "#", state_->plugin_counters().Next());
  }

  // address-port-process-connection-requests-time. The address is the client's: the node's own is the platform's
  // affair.
  static std::string Track(const Exchange& exchange) {
    const auto milliseconds =
        std::chrono::duration_cast<std::chrono::milliseconds>(exchange.started_wall.time_since_epoch()).count();
    char fraction[8];
    std::snprintf(fraction, sizeof fraction, ".%03d", static_cast<int>(milliseconds % 1000));
    const Client& client = exchange.client;
    const int process = getpid() + exchange.worker().index();
    return schema::Cat(client.ip, "-", client.local_port, "-", process, "-", client.connection, "-",
                       client.requests_on_connection, "-", milliseconds / 1000, fraction);
  }

  const std::string header_;
  const std::string generator_;
  const bool echo_;
  const std::string uuid_;
  const std::shared_ptr<GatewayState> state_;
};

}  // namespace

Made MakeCorrelationId(const Message& config, const PluginEnv& env) {
  return std::make_unique<CorrelationId>(As<v1::CorrelationId>(config), env);
}

}  // namespace sluice::plugins
