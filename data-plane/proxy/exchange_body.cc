// Request bodies that a plugin wants whole: read, accounted for, kept.

#include "data-plane/proxy/exchange.h"
#include "data-plane/proxy/reply.h"
#include "data-plane/proxy/worker.h"

namespace sluice::proxy {

bool ProxyExchange::Buffer(size_t bytes) {
  if (!buffered_.begun()) buffered_.Begin(gateway);
  return buffered_.Hold(bytes);
}

io::Task<Exchange::Body> ProxyExchange::ReadRequestBody(size_t max) {
  Body result;
  if (body_.has_value()) {
    result.bytes = &*body_;
    co_return std::move(result);
  }
  std::string collected;
  bool end = request.framing.kind == http::Framing::Kind::kNone;
  if (request.framing.kind == http::Framing::Kind::kLength && request.framing.length > max) {
    result.failure = RefuseBody(*this, BodyError::kTooLarge);
    co_return std::move(result);
  }
  while (!end) {
    const BodyRead got = co_await downstream_.ReadBody();
    BodyError error = got.error;
    if (error == BodyError::kNone && collected.size() + got.data.size() > max) error = BodyError::kTooLarge;
    if (error != BodyError::kNone) {
      result.failure = RefuseBody(*this, error);
      co_return std::move(result);
    }
    if (!Buffer(collected.size() + got.data.size())) {
      result.failure = Reject(503, StatusMessage(503), "buffered-bytes");
      co_return std::move(result);
    }
    collected.append(got.data);
    end = got.end;
  }
  body_ = std::move(collected);
  result.bytes = &*body_;
  request_body_bytes = downstream_.body_received();
  co_return std::move(result);
}

void ProxyExchange::SetRequestBody(std::string body) {
  if (body.size() > buffered_.bytes() && !Buffer(body.size())) over_buffered_ = true;
  body_ = std::move(body);
}

}  // namespace sluice::proxy
