#include <cmath>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "common/config/plugin_rules.h"
#include "common/schema/text.h"
#include "data-plane/plugin/builtin.h"
#include "data-plane/plugin/exchange.h"
#include "data-plane/plugin/json.h"
#include "nlohmann/json.hpp"
#include "sluice/plugins/v1/response_transformer.pb.h"

namespace sluice::plugins {
namespace {

using Strings = google::protobuf::RepeatedPtrField<std::string>;

struct Text {
  std::string name;
  std::string value;
};
struct Member {
  std::string name;
  std::optional<Json> value;  // empty: not of the type asked for, nothing happens
};

std::vector<Text> Texts(const Strings& list) {
  std::vector<Text> out;
  for (const std::string& text : list) {
    auto [name, value] = config::SplitPair(text);
    out.push_back({std::string(name), std::string(value)});
  }
  return out;
}

std::optional<Json> Cast(const std::string& value, const std::string& type) {
  if (type == "boolean") return Json(value == "true");
  if (type != "number") return Json(value);
  Json number = Json::parse(value, nullptr, false);
  return number.is_number() ? std::optional<Json>(std::move(number)) : std::nullopt;
}

std::vector<Member> Members(const Strings& list, const Strings& types) {
  std::vector<Member> out;
  for (int i = 0; i < list.size(); ++i) {
    auto [name, value] = config::SplitPair(list[i]);
    out.push_back({std::string(name), Cast(std::string(value), i < types.size() ? types[i] : "string")});
  }
  return out;
}

bool IsJson(std::string_view content_type) {
  return schema::Lower(content_type).find("application/json") != std::string::npos;
}

class ResponseTransformer final : public Plugin {
 public:
  explicit ResponseTransformer(const v1::ResponseTransformer& config)
      : remove_headers_(config.remove().headers().begin(), config.remove().headers().end()),
        rename_headers_(Texts(config.rename().headers())),
        replace_headers_(Texts(config.replace().headers())),
        add_headers_(Texts(config.add().headers())),
        append_headers_(Texts(config.append().headers())),
        remove_json_(config.remove().json().begin(), config.remove().json().end()),
        rename_json_(Texts(config.rename().json())),
        replace_json_(Members(config.replace().json(), config.replace().json_types())),
        add_json_(Members(config.add().json(), config.add().json_types())),
        append_json_(Members(config.append().json(), config.append().json_types())) {}

  unsigned moments() const override { return HasJson() ? kOnResponse | kOnResponseBody : kOnResponse; }

  void OnResponse(Exchange& exchange, http::ResponseHead& head) const override {
    http::Fields& fields = head.fields;
    for (const std::string& entry : remove_headers_) RemoveField(fields, entry);
    for (const Text& pair : rename_headers_) RenameField(fields, pair);
    for (const Text& pair : replace_headers_) {
      if (fields.Has(pair.name)) fields.Set(pair.name, pair.value);
    }
    for (const Text& pair : add_headers_) {
      if (!fields.Has(pair.name)) fields.Add(pair.name, pair.value);
    }
    for (const Text& pair : append_headers_) fields.Add(pair.name, pair.value);
    const bool has_body = exchange.request.method != "HEAD" && head.status != 204 && head.status != 304;
    if (!HasJson() || !has_body || !IsJson(fields.Get("content-type"))) return;
    fields.Remove("content-length");
    exchange.BufferResponse();
  }

  void OnResponseBody(Exchange& exchange, BodyPiece& piece) const override {
    // Another plugin may have asked for the whole body; whether this one did shows in the type.
    if (!exchange.buffer_response || exchange.response == nullptr) return;
    if (!IsJson(exchange.response->fields.Get("content-type"))) return;
    Json body;
    if (!ParseJsonObject(piece.bytes, body)) return;
    for (const std::string& name : remove_json_) body.erase(name);
    for (const Text& pair : rename_json_) RenameMember(body, pair.name, pair.value);
    for (const Member& member : replace_json_) {
      if (member.value.has_value() && body.contains(member.name)) body[member.name] = *member.value;
    }
    for (const Member& member : add_json_) {
      if (member.value.has_value() && !body.contains(member.name)) body[member.name] = *member.value;
    }
    for (const Member& member : append_json_) {
      if (member.value.has_value()) AppendToMember(body, member.name, *member.value);
    }
    piece.Replace(DumpJson(body));
  }

 private:
  bool HasJson() const {
    return !remove_json_.empty() || !rename_json_.empty() || !replace_json_.empty() || !add_json_.empty() ||
           !append_json_.empty();
  }

  // "name", or "name:value" for the fields with that value only.
  static void RemoveField(http::Fields& fields, const std::string& entry) {
    auto [name, value] = config::SplitPair(entry);
    fields.RemoveIf([&, name = name, value = value](const http::Field& field) {
      return http::EqualsIgnoreCase(field.name, name) && (value.empty() || field.value == value);
    });
  }

  static void RenameField(http::Fields& fields, const Text& pair) {
    std::vector<std::string> values;
    for (const http::Field& field : fields) {
      if (http::EqualsIgnoreCase(field.name, pair.name)) values.emplace_back(field.value);
    }
    if (values.empty()) return;
    fields.Remove(pair.name);
    fields.Remove(pair.value);
    for (const std::string& value : values) fields.Add(pair.value, value);
  }

  const std::vector<std::string> remove_headers_;
  const std::vector<Text> rename_headers_;
  const std::vector<Text> replace_headers_;
  const std::vector<Text> add_headers_;
  const std::vector<Text> append_headers_;
  const std::vector<std::string> remove_json_;
  const std::vector<Text> rename_json_;
  const std::vector<Member> replace_json_;
  const std::vector<Member> add_json_;
  const std::vector<Member> append_json_;
};

}  // namespace

Made MakeResponseTransformer(const Message& config, const PluginEnv&) {
  return std::make_unique<ResponseTransformer>(As<v1::ResponseTransformer>(config));
}

}  // namespace sluice::plugins
