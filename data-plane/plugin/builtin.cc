#include "data-plane/plugin/builtin.h"

namespace sluice {

std::span<const PluginType> BuiltinPlugins() {
  static constexpr PluginType kPlugins[] = {
      {"correlation-id", plugins::MakeCorrelationId},
      {"cors", plugins::MakeCors},
      {"http-log", plugins::MakeHttpLog},
      {"ip-restriction", plugins::MakeIpRestriction},
      {"key-auth", plugins::MakeKeyAuth},
      {"rate-limiting", plugins::MakeRateLimiting},
      {"request-size-limiting", plugins::MakeRequestSizeLimiting},
      {"request-termination", plugins::MakeRequestTermination},
      {"request-transformer", plugins::MakeRequestTransformer},
      {"response-transformer", plugins::MakeResponseTransformer},
  };
  return kPlugins;
}

}  // namespace sluice
