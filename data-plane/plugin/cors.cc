#include <memory>
#include <optional>
#include <vector>

#include "common/config/plugin_rules.h"
#include "common/schema/regex.h"
#include "common/schema/text.h"
#include "common/schema/url.h"
#include "data-plane/plugin/builtin.h"
#include "data-plane/plugin/exchange.h"
#include "sluice/plugins/v1/cors.pb.h"

namespace sluice::plugins {
namespace {

// Scheme, the longest host and a port are 269 bytes at most; what is longer is nobody's origin, and costs no pattern.
constexpr size_t kMaxOriginBytes = 512;

struct Origin {
  std::string whole;  // scheme://host[:port], the port where it is not the scheme's
  std::string host;
};

Origin Normalize(std::string_view text) {
  std::optional<schema::Url> url = schema::ParseUrl(text);
  if (!url.has_value()) return {std::string(text), std::string(text)};
  const bool usual = url->port == (url->scheme == "https" ? 443 : 80);
  const std::string authority = schema::JoinHostPort(url->host, url->port);
  const size_t port = authority.rfind(':');
  return {schema::Cat(url->scheme, "://", usual ? std::string_view(authority).substr(0, port) : authority), url->host};
}

// One entry of `origins`.
struct Allowed {
  bool any = false;
  std::string literal;                // normalised
  std::unique_ptr<re2::RE2> pattern;  // of the whole origin, or of its host where it names no scheme and no port
  bool of_host = false;

  bool Matches(const Origin& origin) const {
    if (any) return true;
    if (!pattern) return literal == origin.whole;
    return re2::RE2::FullMatch(of_host ? origin.host : origin.whole, *pattern);
  }
};

class Cors final : public Plugin {
 public:
  static Made Make(const v1::Cors& config) {
    auto plugin = std::unique_ptr<Cors>(new Cors(config));
    for (const std::string& entry : config.origins()) {
      Allowed allowed{.any = entry == "*", .literal = Normalize(entry).whole, .pattern = {}, .of_host = false};
      if (!allowed.any && !config::IsLiteralOrigin(entry)) {
        absl::StatusOr<std::unique_ptr<re2::RE2>> pattern = schema::CompileRegex(entry);
        if (!pattern.ok()) {
          return absl::InvalidArgumentError(schema::Cat("origins: ", std::string(pattern.status().message())));
        }
        allowed.pattern = *std::move(pattern);
        allowed.of_host = entry.find(':') == std::string::npos;
      }
      plugin->allowed_.push_back(std::move(allowed));
    }
    return plugin;
  }

  unsigned moments() const override { return kOnRequest | kOnResponse; }

  io::Task<Verdict> OnRequest(Exchange& exchange) const override {
    if (!IsPreflight(exchange) || config_.preflight_continue()) return Verdict();
    const http::Fields& request = exchange.request.fields;
    http::Fields fields;
    SetOrigin(request, fields);
    if (config_.headers_size() > 0) {
      fields.Set("Access-Control-Allow-Headers", headers_);
    } else if (const std::string_view* asked = request.Find("access-control-request-headers")) {
      fields.Set("Access-Control-Allow-Headers", *asked);
    }
    fields.Set("Access-Control-Allow-Methods", methods_);
    if (config_.has_max_age()) fields.Set("Access-Control-Max-Age", std::to_string(config_.max_age()));
    if (config_.private_network() && request.Get("access-control-request-private-network") == "true") {
      fields.Set("Access-Control-Allow-Private-Network", "true");
    }
    Reply reply{.status = 200};
    reply.fields = std::move(fields);
    return reply;
  }

  void OnResponse(Exchange& exchange, http::ResponseHead& head) const override {
    if (IsPreflight(exchange)) return;
    if (!config_.allow_origin_absent() && !exchange.request.fields.Has("origin")) return;
    SetOrigin(exchange.request.fields, head.fields);
    if (config_.exposed_headers_size() > 0) head.fields.SetView("Access-Control-Expose-Headers", exposed_);
  }

 private:
  explicit Cors(const v1::Cors& config)
      : config_(config),
        headers_(schema::JoinText(config.headers(), ",")),
        exposed_(schema::JoinText(config.exposed_headers(), ",")),
        methods_(schema::JoinText(config.methods(), ",")) {}

  static bool IsPreflight(const Exchange& exchange) {
    const http::Fields& fields = exchange.request.fields;
    return exchange.request.method == "OPTIONS" && fields.Has("origin") && fields.Has("access-control-request-method");
  }

  static void VaryByOrigin(http::Fields& fields) {
    for (const http::Field& field : fields) {
      if (http::EqualsIgnoreCase(field.name, "vary") && http::EqualsIgnoreCase(field.value, "origin")) return;
    }
    fields.AppendView("Vary", "Origin");
  }

  void SetOrigin(const http::Fields& request, http::Fields& out) const {
    const std::string_view* origin = request.Find("origin");
    if (origin != nullptr && origin->size() > kMaxOriginBytes) origin = nullptr;
    const bool everyone = AllowOrigin(origin, out);
    if (!config_.credentials()) return;
    if (everyone) {
      // Browsers take no credentials with "*", so the origin is named.
      if (origin == nullptr) return;
      VaryByOrigin(out);
      out.Set("Access-Control-Allow-Origin", *origin);
    }
    out.SetView("Access-Control-Allow-Credentials", "true");
  }

  // True where every origin is allowed alike.
  bool AllowOrigin(const std::string_view* origin, http::Fields& out) const {
    if (allowed_.empty() || (allowed_.size() == 1 && allowed_[0].any)) {
      out.SetView("Access-Control-Allow-Origin", "*");
      return true;
    }
    if (allowed_.size() == 1 && !allowed_[0].pattern) {
      VaryByOrigin(out);
      out.SetView("Access-Control-Allow-Origin", config_.origins(0));
      return false;
    }
    if (origin != nullptr) {
      const Origin normal = Normalize(*origin);
      for (const Allowed& allowed : allowed_) {
        if (!allowed.Matches(normal)) continue;
        VaryByOrigin(out);
        out.Set("Access-Control-Allow-Origin", normal.whole);
        return false;
      }
    }
    out.Remove("access-control-allow-origin");
    VaryByOrigin(out);
    return false;
  }

  const v1::Cors config_;
  const std::string headers_;
  const std::string exposed_;
  const std::string methods_;
  std::vector<Allowed> allowed_;
};

}  // namespace

Made MakeCors(const Message& config, const PluginEnv&) { return Cors::Make(As<v1::Cors>(config)); }

}  // namespace sluice::plugins
