#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>

#include "tests/conformance/reading.h"

namespace sluice::test {
namespace {

namespace beast = boost::beast::http;
using beast::field;
using beast::verb;
using Error = boost::beast::error_code;
using Text = boost::beast::string_view;

constexpr uint32_t kHeadLimit = 1 << 20;

// Hands out what it parses in the order it came, which Beast's own containers do not keep.
template <bool is_request>
class Parser final : public beast::basic_parser<is_request> {
 public:
  Reading reading;

 private:
  void on_request_impl(verb, Text method, Text target, int, Error&) override {
    reading.method = std::string(method);
    reading.target = std::string(target);
  }
  void on_response_impl(int status, Text reason, int, Error&) override {
    reading.status = status;
    reading.reason = std::string(reason);
  }
  void on_field_impl(field, Text name, Text value, Error&) override {
    if (!reading.head) reading.fields.emplace_back(std::string(name), std::string(value));
  }
  void on_header_impl(Error&) override { reading.head = true; }
  void on_body_init_impl(const boost::optional<uint64_t>&, Error&) override {}
  size_t on_body_impl(Text body, Error&) override {
    reading.body.append(body.data(), body.size());
    return body.size();
  }
  void on_chunk_header_impl(uint64_t, Text, Error&) override {}
  size_t on_chunk_body_impl(uint64_t, Text body, Error& error) override { return on_body_impl(body, error); }
  void on_finish_impl(Error&) override { reading.whole = true; }
};

template <bool is_request>
Reading Read(std::string_view bytes, bool skip_body) {
  Parser<is_request> parser;
  parser.eager(true);
  parser.skip(skip_body);
  parser.header_limit(kHeadLimit);
  parser.body_limit(boost::none);
  Reading& reading = parser.reading;
  Error error;
  while (reading.size < bytes.size() && !parser.is_done() && !error) {
    const std::string_view rest = bytes.substr(reading.size);
    const size_t taken = parser.put(boost::asio::buffer(rest.data(), rest.size()), error);
    if (error == beast::error::need_more) break;
    reading.size += taken;
  }
  if (error && error != beast::error::need_more) {
    reading.refusal = error.message();
  } else if (!parser.is_done() && parser.got_some()) {
    parser.put_eof(error);  // an error where the message is cut short, which `whole` says already
  }
  return reading;
}

}  // namespace

Reading ReadAsBeast(std::string_view bytes, Direction direction) {
  if (direction == Direction::kRequest) return Read<true>(bytes, false);
  return Read<false>(bytes, direction == Direction::kResponseToHead);
}

}  // namespace sluice::test
