#pragma once

// A plugin built from the JSON a user writes, and the moments of one request in words.

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "data-plane/plugin/plugin.h"
#include "tests/support/fake_exchange.h"

namespace sluice::test {

class PluginUnderTest {
 public:
  // Ends the test where the configuration is not valid.
  PluginUnderTest(std::string_view name, std::string_view json);

  Verdict Request(Exchange& exchange) const;
  // The response's fields by lower-case name, several values joined by " | ".
  std::map<std::string, std::string> Response(Exchange& exchange, int status = 200,
                                              std::map<std::string, std::string> fields = {}) const;
  const Plugin& plugin() const { return *plugin_; }
  GatewayState& state() const { return *env_.state; }

 private:
  PluginEnv env_;
  std::unique_ptr<const Plugin> plugin_;
};

// The first violation of a configuration as "field: message"; "" where it is valid. On a plan with restrictions.
std::string Refusal(std::string_view name, std::string_view json);

// A gateway with the consumers ann (id 1…1, custom id a-1) and guest, and ann's keys "secret" and "old", expired.
std::shared_ptr<const Gateway> GatewayWithKeys();

std::map<std::string, std::string> FieldsOf(const http::Fields& fields);
std::string ReplyField(const Reply& reply, std::string_view name);  // "" where absent

}  // namespace sluice::test
