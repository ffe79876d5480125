#include "tests/conformance/generator.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace sluice::test {
namespace {

const std::vector<std::string> kRequestLines = {
    "GET / HTTP/1.1",           "POST /a?b HTTP/1.1", "OPTIONS * HTTP/1.1",
    "GET http://h/a HTTP/1.1",  "HEAD /%41 HTTP/1.0", "PUT //a;b/../c HTTP/1.1",
    "DELETE http://h HTTP/1.1", "get / HTTP/1.1",     "PATCH /a{b}|\"\\^` HTTP/1.1"};
const std::vector<std::string> kStatusLines = {
    "HTTP/1.1 200 OK", "HTTP/1.0 404 Not Found", "HTTP/1.1 204 No Content", "HTTP/1.1 304 Not Modified",
    "HTTP/1.1 500 ",   "HTTP/1.1 503",           "HTTP/1.1 100 Continue",   "HTTP/1.1 299 \x80 (\"x\")"};
const std::vector<std::string> kFields = {"Accept: */*",
                                          "X-A:b",
                                          "x_b:\t c \t",
                                          "Empty:",
                                          "Connection: close",
                                          "Connection: keep-alive, TE",
                                          "TE: trailers",
                                          "Connection: upgrade",
                                          "Upgrade: websocket",
                                          "Keep-Alive: timeout=5",
                                          "Trailer: X",
                                          "Expect: 100-continue",
                                          "Cookie: a=\"b\"; c",
                                          "X-Obs: \xe9\xff",
                                          "Proxy-Connection: keep-alive",
                                          "Content-Length: 0",
                                          "Date: x:y:z",
                                          "Transfer-Encoding:chunked",
                                          "Content-Length:7 ",
                                          "Host: i",
                                          "Content-Type: text/plain;a=\"\\\"\""};
const std::vector<std::string> kFramings = {"Content-Length: 5", "Content-Length: 0", "Transfer-Encoding: chunked",
                                            "Transfer-Encoding: Chunked ", "X: y"};
const std::vector<std::string> kBodies = {"hello",
                                          "",
                                          "5\r\nhello\r\n0\r\n\r\n",
                                          "1;a=b\r\nx\r\n00\r\n\r\n",
                                          "A\r\n0123456789\r\n0;x\r\nT: u\r\n\r\n",
                                          "0\r\n\r\n",
                                          "hello5\r\nhello\r\n0\r\n\r\n"};
const std::vector<std::string> kPieces = {"\r\n",
                                          "\r",
                                          "\n",
                                          " ",
                                          "\t",
                                          ":",
                                          ",",
                                          ";",
                                          "=",
                                          "\"",
                                          "\\",
                                          "0",
                                          "#",
                                          "?",
                                          "@",
                                          "%2f",
                                          "..",
                                          "chunked",
                                          "\xff",
                                          std::string(1, '\0'),
                                          "\x7f",
                                          "\x0b",
                                          "Content-Length: 3\r\n",
                                          "Transfer-Encoding: chunked\r\n",
                                          "Host: b\r\n",
                                          "Connection: upgrade\r\nUpgrade: websocket\r\n",
                                          "\r\n\r\n",
                                          "HTTP/1.1",
                                          "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"};

std::vector<std::string> ReadLiterals(const std::string& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> texts;
  for (const auto& path : paths) {
    std::ifstream in(path, std::ios::binary);
    texts.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  return texts;
}

}  // namespace

Generator::Generator(Direction direction)
    : direction_(direction),
      literals_(ReadLiterals(direction == Direction::kRequest ? "tests/fuzz/corpus/request"
                                                              : "tests/fuzz/corpus/response")) {}

std::string Generator::Compose() {
  const bool is_request = direction_ == Direction::kRequest;
  std::string text = OneOf(is_request ? kRequestLines : kStatusLines) + "\r\n";
  if (is_request && !OneIn(20)) text += "Host: h\r\n";
  for (uint32_t n = random_() % 4; n > 0; --n) text += OneOf(kFields) + "\r\n";
  if (!OneIn(3)) text += OneOf(kFramings) + "\r\n";
  return text + "\r\n" + OneOf(kBodies);
}

void Generator::Change(std::string& text) {
  if (text.empty()) return;
  const size_t at = random_() % text.size();
  const size_t line = std::min(text.find('\n', at), text.size() - 1) + 1;
  switch (random_() % 8) {
    case 0:
      text[at] = static_cast<char>(random_());
      break;
    case 1:
      text.erase(at, 1 + random_() % 4);
      break;
    case 2:
      text.insert(at, OneOf(kPieces));
      break;
    case 3:
      text.insert(line, OneOf(kFields) + "\r\n");
      break;
    case 4:
      text.insert(line, text.substr(at, line - at));
      break;
    case 5:
      text.erase(at, line - at);
      break;
    case 6:
      text.resize(at);
      break;
    default:
      std::swap(text[at], text[random_() % text.size()]);
  }
}

std::string Generator::Make(uint32_t seed) {
  random_.seed(seed);
  std::string text;
  for (uint32_t n = 1 + random_() % 3; n > 0; --n) text += OneIn(2) ? Compose() : OneOf(literals_);
  for (uint32_t n = random_() % 4; n > 0; --n) Change(text);
  return text;
}

}  // namespace sluice::test
