#include "control-plane/provision/engine.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <utility>

#include "common/base/text.h"
#include "control-plane/provision/driver.h"

namespace sluice::provision {
namespace {

using google::protobuf::Struct;
using google::protobuf::Value;

constexpr int kMajor = 1;
constexpr int kNewestMinor = 47;  // what is asked for has been the same from 1.24 on

std::string Escaped(std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const unsigned char c : text) {
    if (std::isalnum(c) || c == '-' || c == '_' || c == '.') {
      out += static_cast<char>(c);
    } else {
      Append(out, "%", std::string{kHex[c >> 4], kHex[c & 15]});
    }
  }
  return out;
}

absl::StatusOr<Value> Parse(const std::string& json) {
  Value value;
  if (google::protobuf::util::JsonStringToMessage(json, &value).ok()) return value;
  return absl::UnavailableError("the engine's answer is not JSON");
}

std::string TextOf(const Struct& object, const std::string& name) {
  const auto field = object.fields().find(name);
  return field == object.fields().end() ? "" : field->second.string_value();
}

// "1.41" is 41; -1 where it is no such version.
int MinorOf(const std::string& version) {
  int major = 0, minor = 0;
  return std::sscanf(version.c_str(), "%d.%d", &major, &minor) == 2 && major == kMajor ? minor : -1;
}

absl::StatusCode CodeOf(long status) {
  if (status == 404) return absl::StatusCode::kNotFound;
  if (status == 409) return absl::StatusCode::kAlreadyExists;
  return status >= 500 ? absl::StatusCode::kUnavailable : absl::StatusCode::kFailedPrecondition;
}

absl::Status Whatever(const absl::StatusOr<HttpAnswer>& answer, absl::StatusCode fine) {
  return answer.status().code() == fine ? absl::OkStatus() : answer.status();
}

}  // namespace

std::string Container::Label(const std::string& name) const { return TextOf(labels, name); }

absl::StatusOr<HttpAnswer> Engine::Call(const std::string& method, const std::string& path, const std::string& body,
                                        const std::string& content_type) {
  if (version_.empty()) {
    if (absl::Status found = FindVersion(); !found.ok()) return found;
  }
  HttpRequest request{method, Cat("http://docker/v", version_, path), body, "", kMaxCall};
  if (!body.empty()) request.content_type = content_type;
  auto answer = Send(request);
  if (!answer.ok()) version_.clear();  // the engine that comes back may be another one
  if (!answer.ok() || answer->status < 400) return answer;
  const auto told = Parse(answer->body);
  const std::string message = told.ok() ? TextOf(told->struct_value(), "message") : answer->body.substr(0, 200);
  return absl::Status(CodeOf(answer->status), Cat("the Docker engine answers ", answer->status, " to ", method, " ",
                                                  path.substr(0, path.find('?')), ": ", message));
}

absl::StatusOr<HttpAnswer> Engine::Send(const HttpRequest& request) {
  auto answer = http_.Send(request);
  if (!absl::IsUnavailable(answer.status())) return answer;
  return absl::UnavailableError(Cat(std::string(answer.status().message()),
                                    "; is a Docker engine running there, and may this process use its socket?"));
}

absl::Status Engine::FindVersion() {
  auto answer = Send({.url = "http://docker/version", .timeout = kMaxCall});
  if (!answer.ok()) return answer.status();
  const auto told = Parse(answer->body);
  const Struct about = told.ok() ? told->struct_value() : Struct();
  const int newest = MinorOf(TextOf(about, "ApiVersion"));
  if (newest < 0) return absl::UnavailableError(Cat("what listens on ", socket_, " is no Docker engine"));
  if (MinorOf(TextOf(about, "MinAPIVersion")) > kNewestMinor) {
    return absl::FailedPreconditionError(
        Cat("the Docker engine wants version ", TextOf(about, "MinAPIVersion"), " of its API or later; this program "
            "speaks up to ", kMajor, ".", kNewestMinor, ": use a newer one"));
  }
  version_ = Cat(kMajor, ".", std::min(newest, kNewestMinor));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Container>> Engine::List(std::string_view label) {
  const std::string filters = Cat("{\"label\":[\"", label, "\"]}");
  auto answer = Call("GET", Cat("/containers/json?all=1&filters=", Escaped(filters)));
  if (!answer.ok()) return answer.status();
  const auto listed = Parse(answer->body);
  if (!listed.ok()) return listed.status();
  std::vector<Container> containers;
  for (const Value& value : listed->list_value().values()) {
    const Struct& one = value.struct_value();
    Container container{TextOf(one, "Id"), TextOf(one, "State"), TextOf(one, "Status"), {}};
    if (const auto labels = one.fields().find("Labels"); labels != one.fields().end()) {
      container.labels = labels->second.struct_value();
    }
    containers.push_back(std::move(container));
  }
  return containers;
}

absl::StatusOr<std::string> Engine::ImageId(const std::string& image) {
  // A name's slashes and colon are part of the path.
  auto answer = Call("GET", Cat("/images/", image, "/json"));
  if (!answer.ok()) return answer.status();
  const auto told = Parse(answer->body);
  if (!told.ok()) return told.status();
  return TextOf(told->struct_value(), "Id");
}

absl::StatusOr<std::string> Engine::Create(const std::string& name, const Struct& container) {
  std::string body;
  if (!google::protobuf::util::MessageToJsonString(container, &body).ok()) {
    return absl::InvalidArgumentError("a container's description is not UTF-8");
  }
  auto answer = Call("POST", Cat("/containers/create?name=", Escaped(name)), body);
  if (!answer.ok()) return answer.status();
  const auto told = Parse(answer->body);
  if (!told.ok()) return told.status();
  return TextOf(told->struct_value(), "Id");
}

absl::Status Engine::Put(const std::string& id, const std::string& folder, const std::string& tar) {
  return Call("PUT", Cat("/containers/", id, "/archive?path=", Escaped(folder)), tar, "application/x-tar").status();
}

absl::Status Engine::Start(const std::string& id) { return Call("POST", Cat("/containers/", id, "/start")).status(); }

absl::Status Engine::Signal(const std::string& id, const std::string& signal) {
  return Whatever(Call("POST", Cat("/containers/", id, "/kill?signal=", signal)), absl::StatusCode::kAlreadyExists);
}

absl::Status Engine::Remove(const std::string& id) {
  return Whatever(Call("DELETE", Cat("/containers/", id, "?v=1&force=1")), absl::StatusCode::kNotFound);
}

}  // namespace sluice::provision
