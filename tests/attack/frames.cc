#include "tests/attack/frames.h"

namespace sluice::attack {

std::string Number32(uint32_t number) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(number >> shift));
  return bytes;
}

std::string Frame(FrameType type, uint8_t flags, uint32_t stream, std::string_view payload) {
  std::string frame = Number32(static_cast<uint32_t>(payload.size())).substr(1);
  frame.push_back(static_cast<char>(type));
  frame.push_back(static_cast<char>(flags));
  frame.append(Number32(stream)).append(payload);
  return frame;
}

std::string Preface() {
  std::string bytes = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  return bytes.append(Frame(kSettings, 0, 0, ""));
}

std::string RequestFields(std::string_view host) {
  std::string fields = "\x82\x86\x84\x01";  // :method GET, :scheme http, :path /, :authority follows as a literal
  fields.push_back(static_cast<char>(host.size()));
  return fields.append(host);
}

}  // namespace sluice::attack
