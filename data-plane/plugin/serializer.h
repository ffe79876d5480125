#pragma once

// One request and its response as the JSON object that log servers receive. Values that are credentials read REDACTED.
// Pure over an exchange that has ended.

#include <string>

#include "data-plane/plugin/exchange.h"

namespace sluice::plugins {

std::string SerializeExchange(const Exchange& exchange);

}  // namespace sluice::plugins
