#include <llhttp.h>

#include "tests/conformance/reading.h"

namespace sluice::test {
namespace {

struct State {
  Reading reading;
  Direction direction;
  std::string name;
  std::string value;
};

State& Of(llhttp_t* parser) {
  return *static_cast<State*>(parser->data);
}

int EndField(llhttp_t* parser) {
  State& state = Of(parser);
  if (state.reading.head) return 0;  // a trailer
  while (!state.value.empty() && (state.value.back() == ' ' || state.value.back() == '\t')) state.value.pop_back();
  state.reading.fields.emplace_back(std::exchange(state.name, ""), std::exchange(state.value, ""));
  return 0;
}

int EndHead(llhttp_t* parser) {
  Reading& reading = Of(parser).reading;
  reading.head = true;
  reading.status = parser->status_code;
  if (parser->type == HTTP_REQUEST) reading.method = llhttp_method_name(static_cast<llhttp_method_t>(parser->method));
  return Of(parser).direction == Direction::kResponseToHead ? 1 : 0;
}

int EndMessage(llhttp_t* parser) {
  Of(parser).reading.whole = true;
  return HPE_PAUSED;
}

template <std::string State::*member>
int TakeText(llhttp_t* parser, const char* at, size_t size) {
  if (!Of(parser).reading.head) (Of(parser).*member).append(at, size);
  return 0;
}

template <std::string Reading::*member>
int Take(llhttp_t* parser, const char* at, size_t size) {
  (Of(parser).reading.*member).append(at, size);
  return 0;
}

}  // namespace

Reading ReadAsLlhttp(std::string_view bytes, Direction direction) {
  State state{.direction = direction};
  llhttp_settings_t settings;
  llhttp_settings_init(&settings);
  settings.on_url = Take<&Reading::target>;
  settings.on_status = Take<&Reading::reason>;
  settings.on_header_field = TakeText<&State::name>;
  settings.on_header_value = TakeText<&State::value>;
  settings.on_header_value_complete = EndField;
  settings.on_headers_complete = EndHead;
  settings.on_body = Take<&Reading::body>;
  settings.on_message_complete = EndMessage;

  llhttp_t parser;
  llhttp_init(&parser, direction == Direction::kRequest ? HTTP_REQUEST : HTTP_RESPONSE, &settings);
  parser.data = &state;
  const llhttp_errno_t error = llhttp_execute(&parser, bytes.data(), bytes.size());
  Reading& reading = state.reading;
  if (reading.whole) {
    reading.size = static_cast<size_t>(llhttp_get_error_pos(&parser) - bytes.data());
  } else if (error != HPE_OK) {
    reading.refusal = llhttp_errno_name(error);
  } else if (llhttp_finish(&parser); reading.whole) {
    reading.size = bytes.size();
  }
  return reading;
}

}  // namespace sluice::test
