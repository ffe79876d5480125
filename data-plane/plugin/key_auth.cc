#include <optional>
#include <vector>

#include "common/schema/text.h"
#include "data-plane/plugin/arguments.h"
#include "data-plane/plugin/body_fields.h"
#include "data-plane/plugin/builtin.h"
#include "data-plane/plugin/exchange.h"
#include "sluice/plugins/v1/key_auth.pb.h"

namespace sluice::plugins {
namespace {

// The body, read once where a key may be in it.
struct KeyBody {
  bool read = false;
  std::unique_ptr<BodyFields> fields;  // null: none, or of no form that holds keys
};

// Why a request is not authenticated; nothing where it is.
struct Outcome {
  Verdict failure;
  bool is_final = false;  // the body could not be read: nobody goes on, not even anonymously
};

struct Found {
  std::string key;
  bool duplicate = false;
};

class KeyAuth final : public Plugin {
 public:
  explicit KeyAuth(const v1::KeyAuth& config)
      : config_(config),
        names_(config.key_names().begin(), config.key_names().end()),
        challenge_(config.realm().empty() ? "Key" : schema::Cat("Key realm=\"", Escape(config.realm()), "\"")) {}

  unsigned moments() const override { return kOnRequest; }

  io::Task<Verdict> OnRequest(Exchange& exchange) const override {
    exchange.secret_names = &names_;
    if (!config_.run_on_preflight() && exchange.request.method == "OPTIONS") return Verdict();
    // With `anonymous`, one authentication of several is enough.
    if (!config_.anonymous().empty() && !exchange.credential_id.empty()) return Verdict();
    return io::Then(Authenticate(exchange),
                    [this, &exchange](Outcome outcome) { return Settle(exchange, std::move(outcome)); });
  }

 private:
  Verdict Settle(Exchange& exchange, Outcome outcome) const {
    if (!outcome.failure.has_value() || outcome.is_final || config_.anonymous().empty()) {
      return std::move(outcome.failure);
    }
    const Consumer* anonymous = exchange.gateway->FindConsumer(config_.anonymous());
    if (anonymous == nullptr) {
      return Reply::Message(
          500, schema::Cat("anonymous consumer ", config_.anonymous(), " is configured but doesn't exist"));
    }
    exchange.consumer = anonymous;
    SetConsumerFields(exchange);
    exchange.upstream.fields.Set("X-Anonymous-Consumer", "true");
    return std::nullopt;
  }

  static std::string Escape(std::string_view text) {
    std::string out;
    for (char c : text) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    return out;
  }

  Outcome Unauthorized(std::string message) const {
    Reply reply = Reply::Message(401, std::move(message));
    reply.fields.Add("WWW-Authenticate", challenge_);
    return {.failure = std::move(reply)};
  }

  io::Task<Outcome> Authenticate(Exchange& exchange) const {
    std::optional<Arguments> query = Arguments::Parse(exchange.request.query);
    if (!query.has_value()) co_return Outcome{.failure = Reply::Message(400, "Bad request"), .is_final = true};
    KeyBody body;
    Found found;
    for (const std::string& name : names_) {
      const bool elsewhere = FindInHead(exchange, *query, name, found);
      if (!elsewhere && config_.key_in_body()) {
        if (!body.read) {
          Outcome outcome = co_await ReadBody(exchange, body);
          if (outcome.failure.has_value()) co_return outcome;
        }
        if (body.fields) Take(body.fields->Values(name), found);
      }
      if (found.duplicate) co_return Unauthorized("Duplicate API key found");
      if (found.key.empty()) continue;
      if (config_.hide_credentials()) Hide(exchange, name, body);
      break;
    }
    if (found.key.empty()) co_return Unauthorized("No API key found in request");
    co_return Identify(exchange, found.key);
  }

  Outcome Identify(Exchange& exchange, std::string_view key) const {
    const KeyCredential* credential = exchange.gateway->FindKey(key);
    const bool expired = credential != nullptr && credential->expires_at != 0 &&
                         credential->expires_at <= UnixSeconds(exchange.worker().clock().WallNow());
    if (credential == nullptr || expired) return Unauthorized("Unauthorized");
    exchange.consumer = credential->consumer;
    exchange.credential_id = credential->id;
    SetConsumerFields(exchange);
    exchange.upstream.fields.SetView("X-Credential-Identifier", credential->id);
    exchange.upstream.fields.Remove("X-Anonymous-Consumer");
    return {};
  }

  static void SetConsumerFields(Exchange& exchange) {
    http::Fields& fields = exchange.upstream.fields;
    auto set = [&](std::string_view name, const std::string& value) {
      if (value.empty() || !http::IsFieldValue(value)) {
        fields.Remove(name);
      } else {
        fields.SetView(name, value);  // the configuration's own bytes
      }
    };
    set("X-Consumer-ID", exchange.consumer->id);
    set("X-Consumer-Custom-ID", exchange.consumer->custom_id);
    set("X-Consumer-Username", exchange.consumer->username);
    fields.Remove("X-Credential-Identifier");
  }

  static void Take(const std::vector<std::string>& values, Found& found) {
    if (values.size() > 1) found.duplicate = true;
    if (values.size() == 1) found.key = values[0];
  }

  // True where the name is present, so that the body need not be looked at.
  bool FindInHead(const Exchange& exchange, const Arguments& query, const std::string& name, Found& found) const {
    if (config_.key_in_header()) {
      const size_t count = exchange.request.fields.Count(name);
      if (count > 1) found.duplicate = true;
      if (count == 1) found.key = exchange.request.fields.Get(name);
      if (count > 0) return true;
    }
    if (config_.key_in_query()) {
      const size_t count = query.Count(name);
      if (count > 1) found.duplicate = true;
      if (count == 1) found.key = query.Find(name)->value;
      if (count > 0) return true;
    }
    return false;
  }

  io::Task<Outcome> ReadBody(Exchange& exchange, KeyBody& body) const {
    body.read = true;
    std::string_view content_type = exchange.request.fields.Get("content-type");
    if (exchange.request.framing.kind == http::Framing::Kind::kNone) co_return Outcome{};
    if (BodyFormOf(content_type) == BodyForm::kOther) co_return Outcome{};
    Exchange::Body read = co_await exchange.ReadRequestBody(kMaxBodyFieldsBytes);
    if (read.bytes == nullptr) co_return Outcome{.failure = std::move(read.failure), .is_final = true};
    body.fields = ParseBodyFields(content_type, *read.bytes);
    if (!body.fields) {
      co_return Outcome{.failure = Reply::Message(400, "Cannot process request body"), .is_final = false};
    }
    co_return Outcome{};
  }

  void Hide(Exchange& exchange, const std::string& name, KeyBody& body) const {
    exchange.upstream.fields.Remove(name);
    std::optional<Arguments> query = Arguments::Parse(exchange.upstream.query);
    if (query.has_value() && query->Remove(name)) {
      exchange.upstream.query = query->ToString();
      exchange.upstream.has_query = !exchange.upstream.query.empty();
    }
    if (body.fields && body.fields->Remove(name)) exchange.SetRequestBody(body.fields->Serialize());
  }

  const v1::KeyAuth config_;
  const std::vector<std::string> names_;
  const std::string challenge_;
};

}  // namespace

Made MakeKeyAuth(const Message& config, const PluginEnv&) { return std::make_unique<KeyAuth>(As<v1::KeyAuth>(config)); }

}  // namespace sluice::plugins
