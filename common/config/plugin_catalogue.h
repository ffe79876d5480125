#pragma once

// Every plugin name that Kong's users know, and what Sluice says to it. Immutable; callable from every thread.

#include <span>
#include <string>
#include <string_view>

#include "google/protobuf/descriptor.h"

namespace sluice::config {

enum class PluginSupport { kSupported, kNotYet, kRestricted };

struct PluginEntry {
  std::string_view name;
  PluginSupport support;
  std::string_view reason;   // LOCAL_AGENT, STATUS_API, ADMIN_API, TLS_HANDSHAKE, NOT_ON_SERVERLESS, NOT_YET_SUPPORTED
  std::string_view instead;  // a sentence: what to use
  const google::protobuf::Descriptor* config;  // of its configuration message; null where not supported
  int priority = 0;
  bool no_consumer = false;
};

// Sorted by name.
std::span<const PluginEntry> PluginCatalogue();

// Null for a name nobody knows.
const PluginEntry* FindPlugin(std::string_view name);

}  // namespace sluice::config
