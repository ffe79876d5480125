#pragma once

// A chain of plugins at work on one exchange: which instance of each name runs is settled at its turn, by the
// consumer that is known then, and holds for the later moments. Lives as long as the exchange.

#include "absl/container/inlined_vector.h"
#include "data-plane/plugin/exchange.h"

namespace sluice::proxy {

class PluginRun {
 public:
  // In order, up to the first that answers; the ones after it take part in the later moments all the same.
  io::Task<Verdict> OnRequest(Exchange& exchange, const Chain& chain);
  // For an exchange that no route took: the later moments only.
  void ChooseWithoutRequest(Exchange& exchange, const Chain& chain);

  Verdict OnRequestBody(Exchange& exchange, std::string_view data) const;
  void OnResponse(Exchange& exchange, http::ResponseHead& head) const;
  void OnResponseBody(Exchange& exchange, BodyPiece& piece) const;
  void OnDone(const Exchange& exchange) const noexcept;
  bool Has(Moment moment) const { return (moments_ & moment) != 0; }

 private:
  const Plugin* Choose(const Exchange& exchange, const ChainStep& step);
  absl::InlinedVector<const Plugin*, 8> chosen_;
  unsigned moments_ = 0;
};

}  // namespace sluice::proxy
