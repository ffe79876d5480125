#include "data-plane/plugin/builtin.h"
#include "data-plane/plugin/exchange.h"
#include "sluice/plugins/v1/request_size_limiting.pb.h"

namespace sluice::plugins {
namespace {

uint64_t Bytes(const v1::RequestSizeLimiting& config) {
  const uint64_t size = config.allowed_payload_size();
  if (config.size_unit() == "bytes") return size;
  return config.size_unit() == "kilobytes" ? size << 10 : size << 20;
}

class RequestSizeLimiting final : public Plugin {
 public:
  explicit RequestSizeLimiting(const v1::RequestSizeLimiting& config)
      : max_bytes_(Bytes(config)), require_length_(config.require_content_length()) {}

  unsigned moments() const override { return kOnRequest | kOnRequestBody; }

  io::Task<Verdict> OnRequest(Exchange& exchange) const override {
    const http::Framing& framing = exchange.request.framing;
    if (framing.kind == http::Framing::Kind::kLength && framing.length > max_bytes_) return TooLarge(exchange);
    const bool has_length =
        framing.kind != http::Framing::Kind::kNone || exchange.request.fields.Has("content-length");
    if (require_length_ && !has_length) {
      return Reply::Message(411, "A valid Content-Length header is required");
    }
    // A plugin before this one may have read the body already.
    if (exchange.request_body_bytes > max_bytes_) return TooLarge(exchange);
    return Verdict();
  }

  Verdict OnRequestBody(Exchange& exchange, std::string_view) const override {
    if (exchange.request_body_bytes <= max_bytes_) return std::nullopt;
    return TooLarge(exchange);
  }

 private:
  static Reply TooLarge(const Exchange& exchange) {
    return Reply::Message(exchange.request.expect_continue ? 417 : 413, "Request size limit exceeded");
  }

  const uint64_t max_bytes_;
  const bool require_length_;
};

}  // namespace

Made MakeRequestSizeLimiting(const Message& config, const PluginEnv&) {
  return std::make_unique<RequestSizeLimiting>(As<v1::RequestSizeLimiting>(config));
}

}  // namespace sluice::plugins
