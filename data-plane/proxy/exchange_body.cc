// Request bodies that a plugin wants whole: read, accounted for, kept.

#include "data-plane/proxy/exchange.h"
#include "data-plane/proxy/reply.h"
#include "data-plane/proxy/worker.h"

namespace sluice::proxy {

bool ProxyExchange::Buffer(size_t bytes) {
  const uint64_t max = gateway->plan().max_buffered_bytes();
  if (!buffered_.held()) {
    std::shared_ptr<GatewayState> state(gateway, &gateway->state());
    buffered_.Take(std::move(state), &GatewayState::buffered_bytes, 0, 0);
  }
  if (!buffered_.Grow(static_cast<int64_t>(bytes), max)) return false;
  buffered_bytes_ += bytes;
  return true;
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
    if (!Buffer(got.data.size())) {
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
  if (body.size() > buffered_bytes_ && !Buffer(body.size() - buffered_bytes_)) over_buffered_ = true;
  body_ = std::move(body);
}

}  // namespace sluice::proxy
