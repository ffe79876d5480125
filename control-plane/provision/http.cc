#include "control-plane/provision/http.h"

#include <curl/curl.h>

#include "common/base/text.h"

namespace sluice::provision {
namespace {

constexpr long kConnectMilliseconds = 2000;

struct Sink {
  std::string body;
  bool full = false;
};

size_t Take(char* bytes, size_t size, size_t count, void* to) {
  Sink& sink = *static_cast<Sink*>(to);
  if (sink.body.size() + size * count > kMaxAnswerBytes) {
    sink.full = true;
    return 0;
  }
  sink.body.append(bytes, size * count);
  return size * count;
}

}  // namespace

struct HttpClient::Handle {
  CURL* curl = curl_easy_init();
  ~Handle() { curl_easy_cleanup(curl); }
};

HttpClient::HttpClient(std::string socket) : socket_(std::move(socket)), handle_(std::make_unique<Handle>()) {}
HttpClient::~HttpClient() = default;

absl::StatusOr<HttpAnswer> HttpClient::Send(const HttpRequest& request) {
  CURL* curl = handle_->curl;
  if (curl == nullptr) return absl::UnavailableError("libcurl cannot be used");
  curl_easy_reset(curl);  // options alone: connections are kept
  Sink sink;
  char error[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, kConnectMilliseconds);
  const auto timeout = std::chrono::duration_cast<std::chrono::milliseconds>(request.timeout);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &Take);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &sink);
  if (!socket_.empty()) curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket_.c_str());
  curl_slist* fields = curl_slist_append(nullptr, "Expect:");
  if (!request.content_type.empty()) {
    fields = curl_slist_append(fields, Cat("Content-Type: ", request.content_type).c_str());
  }
  if (request.method != "GET") {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.data());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  }
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields);
  const CURLcode code = curl_easy_perform(curl);
  curl_slist_free_all(fields);
  const std::string where = socket_.empty() ? request.url : Cat(socket_, " (", request.method, " ", request.url, ")");
  if (sink.full) return absl::ResourceExhaustedError(Cat("the answer of ", where, " is longer than 4 MB"));
  if (code != CURLE_OK) {
    return absl::UnavailableError(
        Cat("no answer from ", where, ": ", error[0] != '\0' ? error : curl_easy_strerror(code)));
  }
  HttpAnswer answer;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
  answer.body = std::move(sink.body);
  return answer;
}

}  // namespace sluice::provision
