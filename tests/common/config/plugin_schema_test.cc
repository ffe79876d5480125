// Holds the plugins' messages against Kong's own schemas (tests/support/kong_schemas): a decK file must mean the same
// here.

#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "catch2/catch.hpp"
#include "common/config/plugin_catalogue.h"
#include "nlohmann/json.hpp"
#include "sluice/schema/v1/schema.pb.h"

namespace sluice::config {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using nlohmann::json;

// Where the messages differ, on purpose. Names of several fields and aspects are separated by blanks.
struct Accepted {
  const char* plugin;
  const char* fields;
  const char* aspects;
  const char* reason;
};
constexpr Accepted kAccepted[] = {
    {"cors", "max_age", "type minimum maximum", "seconds are whole, and -1 forbids caching"},
    {"http-log", "timeout", "type minimum maximum", "milliseconds are whole, and a delivery ends some day"},
    {"http-log", "keepalive", "type", "milliseconds are whole; no value but the default is taken"},
    {"http-log", "queue.max_bytes", "minimum maximum", "a queue has room for something and not for everything"},
    {"http-log", "queue.max_retry_time", "minimum maximum", "retries end within a day"},
    {"ip-restriction", "status", "type minimum maximum", "only a final status answers a request"},
    {"rate-limiting", "second minute hour day month year", "type minimum maximum",
     "half a request cannot be admitted; the maximum is what JSON numbers hold exactly"},
    {"rate-limiting", "error_code", "type minimum maximum", "only a final status answers a request"},
    {"request-size-limiting", "allowed_payload_size", "minimum maximum", "in bytes it must fit 64 bits"},
    {"request-termination", "status_code", "minimum", "1xx is no final status: the client would go on waiting"},
};

json LoadFacts(std::string_view plugin) {
  std::ifstream in("tests/support/kong_schemas/" + std::string(plugin) + ".json");
  REQUIRE(in.good());
  return json::parse(in);
}

std::string TypeOf(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return "boolean";
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return "number";
    case FieldDescriptor::CPPTYPE_STRING:
      return "string";
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return "object";
    default:
      return "integer";
  }
}

// What the message says, in the form of the fact files.
void Collect(const Descriptor& message, const std::string& prefix, json& out) {
  for (int i = 0; i < message.field_count(); ++i) {
    const FieldDescriptor& field = *message.field(i);
    const schema::v1::Field& options = field.options().GetExtension(schema::v1::field);
    json fact = {{"type", field.is_repeated() && !field.is_map() ? "array" : TypeOf(field)}};
    if (field.is_map()) fact["values"] = TypeOf(*field.message_type()->map_value());
    if (fact["type"] == "array") fact["items"] = TypeOf(field);
    if (!options.default_().empty()) fact["default"] = json::parse(options.default_());
    if (options.has_min()) fact["minimum"] = options.min();
    if (options.has_max()) fact["maximum"] = options.max();
    if (options.required()) fact["required"] = true;
    for (const std::string& value : options.one_of()) {
      fact["enum"].push_back(TypeOf(field) == "integer" ? json::parse(value) : json(value));
    }
    const std::string path = prefix + field.name();
    const bool is_record = TypeOf(field) == "object" && !field.is_map();
    // A record is filled with its own defaults, which says no more than they do.
    if (is_record) fact.erase("default");
    out[path] = fact;
    if (is_record && field.message_type()->file()->package() == "sluice.plugins.v1") {
      Collect(*field.message_type(), path + ".", out);
    }
  }
}

bool Same(const std::string& aspect, const json& a, const json& b) {
  if (aspect != "enum" && !(aspect == "default" && a.is_array())) return a == b;
  return std::set<json>(a.begin(), a.end()) == std::set<json>(b.begin(), b.end());
}

// "http-log timeout type"
std::set<std::string> Differences(const PluginEntry& entry) {
  const json facts = LoadFacts(entry.name)["fields"];
  json ours;
  Collect(*entry.config, "", ours);
  std::set<std::string> found;
  auto note = [&](const std::string& field, const std::string& aspect) {
    found.insert(std::string(entry.name) + " " + field + " " + aspect);
  };
  for (const auto& [field, fact] : facts.items()) {
    if (!ours.contains(field)) note(field, "missing");
  }
  for (const auto& [field, fact] : ours.items()) {
    if (!facts.contains(field)) {
      note(field, "extra");
      continue;
    }
    for (const char* aspect : {"type", "items", "values", "default", "enum", "minimum", "maximum", "required"}) {
      const bool here = fact.contains(aspect), there = facts[field].contains(aspect);
      if (here != there || (here && !Same(aspect, fact[aspect], facts[field][aspect]))) note(field, aspect);
    }
  }
  return found;
}

std::set<std::string> AcceptedDifferences() {
  std::set<std::string> accepted;
  for (const Accepted& row : kAccepted) {
    std::istringstream fields(row.fields);
    for (std::string field; fields >> field;) {
      std::istringstream aspects(row.aspects);
      for (std::string aspect; aspects >> aspect;) {
        accepted.insert(std::string(row.plugin) + " " + field + " " + aspect);
      }
    }
  }
  return accepted;
}

TEST_CASE("the plugins' messages differ from Kong's schemas where it is written down and nowhere else") {
  std::set<std::string> found;
  for (const PluginEntry& entry : PluginCatalogue()) {
    if (entry.support == PluginSupport::kSupported) found.merge(Differences(entry));
  }
  CHECK(found == AcceptedDifferences());
}

TEST_CASE("every accepted difference has its reason") {
  for (const Accepted& row : kAccepted) CHECK(std::string_view(row.reason).size() > 10);
}

TEST_CASE("plugins take a consumer where Kong's do") {
  for (const PluginEntry& entry : PluginCatalogue()) {
    if (entry.support != PluginSupport::kSupported) continue;
    INFO(entry.name);
    CHECK(LoadFacts(entry.name)["consumer"] == !entry.no_consumer);
  }
}

TEST_CASE("whatever is not offered says so in a sentence") {
  for (const PluginEntry& entry : PluginCatalogue()) {
    if (entry.config == nullptr) continue;
    for (int i = 0; i < entry.config->field_count(); ++i) {
      const auto& options = entry.config->field(i)->options().GetExtension(schema::v1::field);
      INFO(entry.name << " " << entry.config->field(i)->name());
      CHECK((options.unsupported().empty() || options.unsupported().ends_with('.')));
      for (const auto& restriction : options.restrictions()) CHECK(restriction.instead().ends_with('.'));
    }
  }
}

}  // namespace
}  // namespace sluice::config
