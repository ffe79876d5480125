#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "common/config/plugin_rules.h"
#include "common/config/template.h"
#include "data-plane/http/target.h"
#include "data-plane/plugin/arguments.h"
#include "data-plane/plugin/body_fields.h"
#include "data-plane/plugin/builtin.h"
#include "data-plane/plugin/exchange.h"
#include "sluice/plugins/v1/request_transformer.pb.h"

namespace sluice::plugins {
namespace {

using config::Template;
using Strings = google::protobuf::RepeatedPtrField<std::string>;

struct Pair {
  std::string name;
  Template value;
};
struct Renaming {
  std::string from;
  std::string to;
};

// The five steps for one part of the request, in this order.
struct Steps {
  std::vector<std::string> remove;
  std::vector<Renaming> rename;
  std::vector<Pair> replace;
  std::vector<Pair> add;
  std::vector<Pair> append;
  bool empty() const {
    return remove.empty() && rename.empty() && replace.empty() && add.empty() && append.empty();
  }
};

absl::Status ReadPairs(const Strings& list, std::vector<Pair>& out) {
  for (const std::string& text : list) {
    auto [name, value] = config::SplitPair(text);
    absl::StatusOr<Template> parsed = Template::Parse(value);
    if (!parsed.ok()) return parsed.status();
    out.push_back({std::string(name), *std::move(parsed)});
  }
  return absl::OkStatus();
}

void ReadNames(const Strings& remove, const Strings& rename, Steps& out) {
  for (const std::string& text : remove) out.remove.push_back(text);
  for (const std::string& text : rename) {
    auto [from, to] = config::SplitPair(text);
    out.rename.push_back({std::string(from), std::string(to)});
  }
}

// What may stand in a field: a request must not add fields by what it puts into a template.
std::string FieldText(std::string text) {
  std::erase_if(text, [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; });
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

bool IsHost(std::string_view name) { return http::EqualsIgnoreCase(name, "host"); }

// Renders templates with the request as it reached this plugin: what plugins before it added can be looked up, what a
// client claims about its identity cannot. Remembers whether a result grew too long.
class Renderer {
 public:
  explicit Renderer(const Exchange& exchange)
      : exchange_(exchange),
        fields_(exchange.upstream.fields.begin(), exchange.upstream.fields.end()),
        query_text_(exchange.upstream.query) {}
  std::string operator()(const Template& value) {
    std::string out;
    auto lookup = [this](Template::Table table, const std::string& name) { return Look(table, name); };
    if (!value.Render(lookup, out)) overflow_ = true;
    return out;
  }
  bool overflow() const { return overflow_; }

 private:
  std::optional<std::string> Look(Template::Table table, const std::string& name) {
    if (table == Template::Table::kHeaders) {
      if (IsHost(name)) return exchange_.host;
      auto is_named = [&](const http::Field& field) { return http::EqualsIgnoreCase(field.name, name); };
      auto found = std::ranges::find_if(fields_, is_named);
      return found == fields_.end() ? std::nullopt : std::optional<std::string>(found->value);
    }
    if (table == Template::Table::kQueryParams) {
      if (!query_.has_value()) query_ = Arguments::Parse(query_text_).value_or(Arguments());
      const Argument* argument = query_->Find(name);
      return argument == nullptr ? std::nullopt : std::optional<std::string>(argument->value);
    }
    for (const auto& [capture, value] : exchange_.match.captures) {
      if (capture == name) return value;
    }
    return std::nullopt;
  }

  const Exchange& exchange_;
  const std::vector<http::Field> fields_;  // views stay valid when fields are removed
  const std::string query_text_;
  std::optional<Arguments> query_;
  bool overflow_ = false;
};

void RenameField(http::Fields& fields, const Renaming& renaming) {
  std::vector<std::string> values;
  for (const http::Field& field : fields) {
    if (http::EqualsIgnoreCase(field.name, renaming.from)) values.emplace_back(field.value);
  }
  if (values.empty() || IsHost(renaming.from) || IsHost(renaming.to)) return;
  fields.Remove(renaming.from);
  fields.Remove(renaming.to);
  for (const std::string& value : values) fields.Add(renaming.to, value);
}

void TransformHeaders(const Steps& steps, Renderer& render, UpstreamRequest& upstream) {
  http::Fields& fields = upstream.fields;
  for (const std::string& name : steps.remove) fields.Remove(name);
  for (const Renaming& renaming : steps.rename) RenameField(fields, renaming);
  for (const Pair& pair : steps.replace) {
    if (IsHost(pair.name)) {
      std::string host;
      int port = -1;
      const std::string wanted = FieldText(render(pair.value));
      if (http::CanonicalHost(wanted, host, port)) upstream.host = wanted;
    } else if (fields.Has(pair.name)) {
      fields.Set(pair.name, FieldText(render(pair.value)));
    }
  }
  for (const Pair& pair : steps.add) {
    if (!IsHost(pair.name) && !fields.Has(pair.name)) fields.Add(pair.name, FieldText(render(pair.value)));
  }
  for (const Pair& pair : steps.append) {
    if (!IsHost(pair.name)) fields.Add(pair.name, FieldText(render(pair.value)));
  }
}

// For query strings and for every form of body.
template <typename Target>
bool Transform(const Steps& steps, Renderer& render, Target& target) {
  bool changed = false;
  for (const std::string& name : steps.remove) changed |= target.Remove(name);
  for (const Renaming& renaming : steps.rename) changed |= target.Rename(renaming.from, renaming.to);
  for (const Pair& pair : steps.replace) changed |= target.Replace(pair.name, render(pair.value));
  for (const Pair& pair : steps.add) changed |= target.Add(pair.name, render(pair.value));
  for (const Pair& pair : steps.append) changed |= target.Append(pair.name, render(pair.value));
  return changed;
}

Reply BadRequest(std::string message) { return Reply::Message(400, std::move(message)); }

class RequestTransformer final : public Plugin {
 public:
  static Made Make(const v1::RequestTransformer& config) {
    auto plugin = std::unique_ptr<RequestTransformer>(new RequestTransformer);
    plugin->method_ = config.http_method();
    ReadNames(config.remove().headers(), config.rename().headers(), plugin->headers_);
    ReadNames(config.remove().querystring(), config.rename().querystring(), plugin->query_);
    ReadNames(config.remove().body(), config.rename().body(), plugin->body_);
    absl::Status status;
    status.Update(ReadPairs(config.replace().headers(), plugin->headers_.replace));
    status.Update(ReadPairs(config.add().headers(), plugin->headers_.add));
    status.Update(ReadPairs(config.append().headers(), plugin->headers_.append));
    status.Update(ReadPairs(config.replace().querystring(), plugin->query_.replace));
    status.Update(ReadPairs(config.add().querystring(), plugin->query_.add));
    status.Update(ReadPairs(config.append().querystring(), plugin->query_.append));
    status.Update(ReadPairs(config.replace().body(), plugin->body_.replace));
    status.Update(ReadPairs(config.add().body(), plugin->body_.add));
    status.Update(ReadPairs(config.append().body(), plugin->body_.append));
    if (config.replace().has_uri()) {
      absl::StatusOr<Template> uri = Template::Parse(config.replace().uri());
      status.Update(uri.status());
      if (uri.ok()) plugin->uri_ = *std::move(uri);
    }
    if (!status.ok()) return status;
    return plugin;
  }

  unsigned moments() const override { return kOnRequest; }

  io::Task<Verdict> OnRequest(Exchange& exchange) const override {
    Renderer render(exchange);
    if (uri_.has_value() && !SetPath(exchange, render(*uri_))) co_return BadRequest("Invalid upstream path");
    const bool to_query = MovesBodyToQuery(exchange);
    if (!method_.empty()) exchange.upstream.method = method_;
    const std::string content_type(exchange.upstream.fields.Get("content-type"));
    TransformHeaders(headers_, render, exchange.upstream);
    if (to_query || ReadsBody(content_type)) {
      std::string body;
      if (exchange.request.framing.kind != http::Framing::Kind::kNone) {
        Exchange::Body read = co_await exchange.ReadRequestBody(kMaxBodyFieldsBytes);
        if (read.bytes == nullptr) co_return std::move(read.failure);
        body = *read.bytes;
      }
      if (!TransformBody(exchange, content_type, body, to_query, render)) co_return BadRequest("Bad request");
    }
    if (!query_.empty()) {
      std::optional<Arguments> query = Arguments::Parse(exchange.upstream.query);
      if (!query.has_value()) co_return BadRequest("Bad request");
      if (Transform(query_, render, *query)) SetQuery(exchange, *query);
    }
    if (render.overflow()) co_return BadRequest("Bad request");
    co_return std::nullopt;
  }

 private:
  RequestTransformer() = default;

  bool MovesBodyToQuery(const Exchange& exchange) const {
    if (method_ != "GET" && method_ != "HEAD" && method_ != "TRACE") return false;
    return exchange.request.framing.kind != http::Framing::Kind::kNone &&
           BodyFormOf(exchange.request.fields.Get("content-type")) == BodyForm::kUrlEncoded;
  }
  bool ReadsBody(std::string_view content_type) const {
    return !body_.empty() && BodyFormOf(content_type) != BodyForm::kOther;
  }

  // A body that is not of its form goes on as it is. False where the request cannot be served.
  bool TransformBody(Exchange& exchange, const std::string& content_type, const std::string& body, bool to_query,
                     Renderer& render) const {
    std::string now = body;
    std::unique_ptr<BodyFields> fields = ReadsBody(content_type) ? ParseBodyFields(content_type, body) : nullptr;
    if (fields && Transform(body_, render, *fields)) {
      now = fields->Serialize();
      if (!to_query) exchange.SetRequestBody(now);
    }
    if (!to_query) return true;
    std::optional<Arguments> joined =
        Arguments::Parse(exchange.upstream.query.empty() ? now : exchange.upstream.query + "&" + now);
    if (!joined.has_value()) return false;
    SetQuery(exchange, *joined);
    exchange.SetRequestBody("");
    return true;
  }

  static void SetQuery(Exchange& exchange, const Arguments& query) {
    exchange.upstream.query = query.ToString();
    exchange.upstream.has_query = !exchange.upstream.query.empty();
  }

  // What a lookup brings may not leave its place in the path: it cannot climb out, and "?" does not begin a query.
  static bool SetPath(Exchange& exchange, const std::string& rendered) {
    std::string escaped = rendered.starts_with('/') ? "" : "/";
    for (char c : rendered) {
      static constexpr std::string_view kPlain = "/-._~!$&'()*+,;=:@%";
      if (kPlain.find(c) != std::string_view::npos) {
        escaped += c;
      } else {
        escaped += EncodeArgument(std::string_view(&c, 1));
      }
    }
    std::string_view reason;
    std::string path;
    for (size_t at = 0; at != std::string::npos;) {  // alone, a segment has nothing that it could climb out of
      const size_t end = escaped.find('/', at + 1);
      if (!http::NormalizePath(escaped.substr(at, end - at), path, reason)) return false;
      at = end;
    }
    if (!http::NormalizePath(escaped, path, reason)) return false;
    exchange.upstream.path = std::move(path);
    return true;
  }

  std::string method_;
  std::optional<Template> uri_;
  Steps headers_;
  Steps query_;
  Steps body_;
};

}  // namespace

Made MakeRequestTransformer(const Message& config, const PluginEnv&) {
  return RequestTransformer::Make(As<v1::RequestTransformer>(config));
}

}  // namespace sluice::plugins
