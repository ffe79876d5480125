#include <openssl/evp.h>

#include <chrono>
#include <cmath>
#include <optional>
#include <vector>

#include "common/schema/url.h"
#include "common/schema/text.h"
#include "data-plane/plugin/arguments.h"
#include "data-plane/plugin/builtin.h"
#include "data-plane/plugin/exchange.h"
#include "data-plane/plugin/log_queue.h"
#include "data-plane/plugin/serializer.h"
#include "sluice/plugins/v1/http_log.pb.h"

namespace sluice::plugins {
namespace {

Duration Seconds(double seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

// "user:password", its escapes decoded but not its plus signs.
std::string BasicAuthorization(std::string_view userinfo) {
  std::string plain;
  for (char c : userinfo) plain += c == '+' ? std::string("%2B") : std::string(1, c);
  plain = DecodeArgument(plain);
  std::string encoded(4 * ((plain.size() + 2) / 3) + 1, '\0');
  const auto* bytes = reinterpret_cast<const unsigned char*>(plain.data());
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()), bytes, static_cast<int>(plain.size()));
  encoded.resize(length);
  return schema::Cat("Basic ", encoded);
}

class HttpLog final : public Plugin {
 public:
  HttpLog(std::string instance_id, LogSink sink)
      : instance_id_(std::move(instance_id)), sink_(std::make_shared<const LogSink>(std::move(sink))) {}

  unsigned moments() const override { return kOnDone; }

  void OnDone(const Exchange& exchange) const noexcept override {
    exchange.worker().log_queues().Push(instance_id_, sink_, exchange.gateway, SerializeExchange(exchange));
  }

 private:
  const std::string instance_id_;
  const std::shared_ptr<const LogSink> sink_;
};

LogSink SinkOf(const v1::HttpLog& config, const schema::Url& url) {
  LogSink sink;
  sink.call = {.tls = url.scheme == "https",
               .host = url.host,
               .port = url.port,
               .method = config.method(),
               .target = schema::Cat(url.path.empty() ? "/" : url.path, url.query.empty() ? "" : "?", url.query),
               .fields = {{"Content-Type", config.content_type()}, {"User-Agent", "sluice"}},
               .body = {},
               .timeout = std::chrono::milliseconds(config.timeout()),
               .verify = config.ssl_verify()};
  if (!url.userinfo.empty()) sink.call.fields.emplace_back("Authorization", BasicAuthorization(url.userinfo));
  for (const auto& [name, value] : config.headers()) sink.call.fields.emplace_back(name, value);
  const v1::Queue& queue = config.queue();
  sink.array = queue.max_batch_size() > 1;
  sink.max_batch_size = queue.max_batch_size();
  sink.max_entries = queue.max_entries();
  sink.max_bytes = queue.max_bytes();
  sink.max_coalescing_delay = Seconds(queue.max_coalescing_delay());
  sink.max_retry_time = Seconds(queue.max_retry_time());
  sink.initial_retry_delay = Seconds(queue.initial_retry_delay());
  sink.max_retry_delay = Seconds(queue.max_retry_delay());
  return sink;
}

}  // namespace

Made MakeHttpLog(const Message& config, const PluginEnv& env) {
  const auto& typed = As<v1::HttpLog>(config);
  std::optional<schema::Url> url = schema::ParseUrl(typed.http_endpoint());
  if (!url.has_value()) return absl::InvalidArgumentError("http_endpoint: is not an http or https URL");
  return std::make_unique<HttpLog>(env.instance_id, SinkOf(typed, *url));
}

}  // namespace sluice::plugins
