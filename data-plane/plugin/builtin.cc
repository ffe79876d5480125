#include "data-plane/plugin/builtin.h"

namespace sluice {

std::span<const PluginType> BuiltinPlugins() {
  constexpr bool kShared = true;
  static constexpr PluginType kPlugins[] = {
      {"correlation-id", plugins::MakeCorrelationId},
      {"cors", plugins::MakeCors, kShared},
      {"http-log", plugins::MakeHttpLog},
      {"ip-restriction", plugins::MakeIpRestriction, kShared},
      {"key-auth", plugins::MakeKeyAuth, kShared},
      {"rate-limiting", plugins::MakeRateLimiting},
      {"request-size-limiting", plugins::MakeRequestSizeLimiting, kShared},
      {"request-termination", plugins::MakeRequestTermination, kShared},
      {"request-transformer", plugins::MakeRequestTransformer, kShared},
      {"response-transformer", plugins::MakeResponseTransformer, kShared},
  };
  return kPlugins;
}

}  // namespace sluice
