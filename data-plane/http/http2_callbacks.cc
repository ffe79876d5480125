#include "data-plane/http/http2_callbacks.h"

#include "common/base/check.h"

namespace sluice::http {
namespace {

std::string_view View(const uint8_t* bytes, size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}
Http2Session& Self(void* self) {
  return *static_cast<Http2Session*>(self);
}

}  // namespace

int Http2Callbacks::OnBeginHeaders(nghttp2_session*, const nghttp2_frame* frame, void* self) {
  Self(self).OnHeadersBegin(*frame);
  return 0;
}

int Http2Callbacks::OnHeader(nghttp2_session*, const nghttp2_frame*, const uint8_t* name, size_t name_size,
                             const uint8_t* value, size_t value_size, uint8_t, void* self) {
  Self(self).builder_.Add(View(name, name_size), View(value, value_size));
  return 0;
}

int Http2Callbacks::OnFrameReceived(nghttp2_session*, const nghttp2_frame* frame, void* self) {
  Self(self).OnFrame(*frame);
  return 0;
}

int Http2Callbacks::OnFrameSent(nghttp2_session*, const nghttp2_frame* frame, void* self) {
  Self(self).OnFrameSent(*frame);
  return 0;
}

int Http2Callbacks::OnFrameNotSent(nghttp2_session*, const nghttp2_frame* frame, int, void* self) {
  const bool request = frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST;
  if (request) Self(self).OnRequestNotSent(frame->hd.stream_id);
  return 0;
}

int Http2Callbacks::OnFrameInvalid(nghttp2_session*, const nghttp2_frame* frame, int why, void* self) {
  Self(self).OnFrameRefused(*frame, why);
  return 0;
}

int Http2Callbacks::OnDataChunk(nghttp2_session*, uint8_t, int32_t id, const uint8_t* data, size_t size, void* self) {
  Self(self).OnData(id, View(data, size));
  return 0;
}

int Http2Callbacks::OnStreamClose(nghttp2_session*, int32_t id, uint32_t error, void* self) {
  Self(self).OnStreamClosed(id, error);
  return 0;
}

ssize_t Http2Callbacks::ReadSource(nghttp2_session*, int32_t, uint8_t*, size_t max, uint32_t* flags,
                                   nghttp2_data_source* source, void* self) {
  return Self(self).ReadSource(*static_cast<Http2Stream*>(source->ptr), max, *flags);
}

int Http2Callbacks::SendData(nghttp2_session*, nghttp2_frame*, const uint8_t* frame_head, size_t size,
                             nghttp2_data_source* source, void* self) {
  return Self(self).WriteData(*static_cast<Http2Stream*>(source->ptr), View(frame_head, 9), size);
}

Http2Callbacks::Table Http2Callbacks::Make() {
  nghttp2_session_callbacks* table = nullptr;
  SLUICE_CHECK(nghttp2_session_callbacks_new(&table) == 0);
  nghttp2_session_callbacks_set_on_begin_headers_callback(table, OnBeginHeaders);
  nghttp2_session_callbacks_set_on_header_callback(table, OnHeader);
  nghttp2_session_callbacks_set_on_frame_recv_callback(table, OnFrameReceived);
  nghttp2_session_callbacks_set_on_frame_send_callback(table, OnFrameSent);
  nghttp2_session_callbacks_set_on_frame_not_send_callback(table, OnFrameNotSent);
  nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(table, OnFrameInvalid);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(table, OnDataChunk);
  nghttp2_session_callbacks_set_on_stream_close_callback(table, OnStreamClose);
  nghttp2_session_callbacks_set_send_data_callback(table, SendData);
  return {table, &nghttp2_session_callbacks_del};
}

nghttp2_data_provider Http2Callbacks::Source(Http2Stream& stream) {
  nghttp2_data_provider provider{};
  provider.source.ptr = &stream;
  provider.read_callback = ReadSource;
  return provider;
}

}  // namespace sluice::http
