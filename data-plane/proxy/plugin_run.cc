#include "data-plane/proxy/plugin_run.h"

namespace sluice::proxy {

const Plugin* PluginRun::Choose(const Exchange& exchange, const ChainStep& step) {
  // What a route for http takes is http to its plugins, gRPC or not.
  const bool grpc = exchange.match.route != nullptr ? exchange.match.route->protocols.IsGrpc() : exchange.grpc;
  for (const ChainStep::Candidate& candidate : step.candidates) {
    if (candidate.consumer != nullptr && candidate.consumer != exchange.consumer) continue;
    if (!candidate.protocols.For(exchange.client.tls, grpc)) continue;
    chosen_.push_back(candidate.plugin);
    moments_ |= candidate.plugin->moments();
    return candidate.plugin;
  }
  return nullptr;
}

io::Task<Verdict> PluginRun::OnRequest(Exchange& exchange, const Chain& chain) {
  Verdict verdict;
  for (const ChainStep& step : chain) {
    const Plugin* plugin = Choose(exchange, step);
    if (plugin == nullptr || verdict.has_value() || (plugin->moments() & kOnRequest) == 0) continue;
    verdict = co_await plugin->OnRequest(exchange);
  }
  co_return verdict;
}

void PluginRun::ChooseWithoutRequest(Exchange& exchange, const Chain& chain) {
  for (const ChainStep& step : chain) Choose(exchange, step);
}

Verdict PluginRun::OnRequestBody(Exchange& exchange, std::string_view data) const {
  if (!Has(kOnRequestBody) || data.empty()) return std::nullopt;
  for (const Plugin* plugin : chosen_) {
    if ((plugin->moments() & kOnRequestBody) == 0) continue;
    Verdict verdict = plugin->OnRequestBody(exchange, data);
    if (verdict.has_value()) return verdict;
  }
  return std::nullopt;
}

void PluginRun::OnResponse(Exchange& exchange, http::ResponseHead& head) const {
  if (!Has(kOnResponse)) return;
  for (const Plugin* plugin : chosen_) {
    if ((plugin->moments() & kOnResponse) != 0) plugin->OnResponse(exchange, head);
  }
}

void PluginRun::OnResponseBody(Exchange& exchange, BodyPiece& piece) const {
  if (!Has(kOnResponseBody)) return;
  for (const Plugin* plugin : chosen_) {
    if ((plugin->moments() & kOnResponseBody) != 0) plugin->OnResponseBody(exchange, piece);
  }
}

void PluginRun::OnDone(const Exchange& exchange) const noexcept {
  if (!Has(kOnDone)) return;
  for (const Plugin* plugin : chosen_) {
    if ((plugin->moments() & kOnDone) != 0) plugin->OnDone(exchange);
  }
}

}  // namespace sluice::proxy
