#pragma once

// The plugins there are, one maker each; BuiltinPlugins (plugin.h) lists them. Called on the sync thread.

#include <memory>

#include "absl/status/statusor.h"
#include "common/base/check.h"
#include "data-plane/plugin/plugin.h"
#include "google/protobuf/message.h"

namespace sluice::plugins {

using Made = absl::StatusOr<std::unique_ptr<const Plugin>>;
using google::protobuf::Message;

Made MakeCorrelationId(const Message& config, const PluginEnv& env);
Made MakeCors(const Message& config, const PluginEnv& env);
Made MakeHttpLog(const Message& config, const PluginEnv& env);
Made MakeIpRestriction(const Message& config, const PluginEnv& env);
Made MakeKeyAuth(const Message& config, const PluginEnv& env);
Made MakeRateLimiting(const Message& config, const PluginEnv& env);
Made MakeRequestSizeLimiting(const Message& config, const PluginEnv& env);
Made MakeRequestTermination(const Message& config, const PluginEnv& env);
Made MakeRequestTransformer(const Message& config, const PluginEnv& env);
Made MakeResponseTransformer(const Message& config, const PluginEnv& env);

// The message a maker was promised.
template <typename Config>
const Config& As(const Message& config) {
  const auto* typed = google::protobuf::DynamicCastToGenerated<const Config>(&config);
  SLUICE_CHECK(typed != nullptr);
  return *typed;
}

}  // namespace sluice::plugins
