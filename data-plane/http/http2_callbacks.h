#pragma once

// Between nghttp2's callbacks and Http2Session. Private to this folder. Pure.

#include <memory>

#include "data-plane/http/http2_session.h"
#include "nghttp2/nghttp2.h"

namespace sluice::http {

struct Http2Callbacks {
  using Table = std::unique_ptr<nghttp2_session_callbacks, decltype(&nghttp2_session_callbacks_del)>;
  static Table Make();
  // The body of a stream, read without copying.
  static nghttp2_data_provider Source(Http2Stream& stream);

 private:
  static int OnBeginHeaders(nghttp2_session*, const nghttp2_frame* frame, void* self);
  static int OnHeader(nghttp2_session*, const nghttp2_frame*, const uint8_t* name, size_t name_size,
                      const uint8_t* value, size_t value_size, uint8_t, void* self);
  static int OnFrameReceived(nghttp2_session*, const nghttp2_frame* frame, void* self);
  static int OnFrameSent(nghttp2_session*, const nghttp2_frame* frame, void* self);
  static int OnFrameNotSent(nghttp2_session*, const nghttp2_frame* frame, int, void* self);
  static int OnFrameInvalid(nghttp2_session*, const nghttp2_frame* frame, int why, void* self);
  static int OnDataChunk(nghttp2_session*, uint8_t, int32_t id, const uint8_t* data, size_t size, void* self);
  static int OnStreamClose(nghttp2_session*, int32_t id, uint32_t error, void* self);
  static ssize_t ReadSource(nghttp2_session*, int32_t, uint8_t*, size_t max, uint32_t* flags,
                            nghttp2_data_source* source, void* self);
  static int SendData(nghttp2_session*, nghttp2_frame*, const uint8_t* frame_head, size_t size,
                      nghttp2_data_source* source, void* self);
};

}  // namespace sluice::http
