#pragma once

// The whole command with its answers prepared, and what it printed. Belongs to one test.

#include <filesystem>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "catch2/catch.hpp"
#include "common/base/random.h"
#include "control-plane/cli/run.h"

namespace sluice::test {

// Answers each method with a prepared message or status, and keeps the last request.
class FakeClient final : public cli::Client {
 public:
  absl::Status Call(const std::string& method, const google::protobuf::Message& request,
                    google::protobuf::Message& response, Duration) override {
    methods.push_back(method);
    last = request.ShortDebugString();
    if (!status.ok()) return status;
    if (answers.contains(method)) response.ParseFromString(answers[method]);
    return absl::OkStatus();
  }
  absl::Status Stream(const std::string& method, const google::protobuf::Message& request,
                      google::protobuf::Message& response, const std::function<bool()>& take) override {
    methods.push_back(method);
    last = request.ShortDebugString();
    for (const std::string& message : streamed) {
      if (response.ParseFromString(message) && !take()) return absl::OkStatus();
    }
    return status;
  }
  absl::Status status;
  std::map<std::string, std::string> answers;
  std::vector<std::string> streamed;
  std::vector<std::string> methods;
  std::string last;
};

class Forward final : public cli::Client {
 public:
  explicit Forward(FakeClient& client) : client_(client) {}
  absl::Status Call(const std::string& method, const google::protobuf::Message& request,
                    google::protobuf::Message& response, Duration timeout) override {
    return client_.Call(method, request, response, timeout);
  }
  absl::Status Stream(const std::string& method, const google::protobuf::Message& request,
                      google::protobuf::Message& response, const std::function<bool()>& take) override {
    return client_.Stream(method, request, response, take);
  }

 private:
  FakeClient& client_;
};

struct Shell {
  FakeClient client;
  std::map<std::string, std::string> variables = {{"SLUICE_TOKEN", "s3cret-token"}};
  std::string input;
  std::string out;
  std::string err;
  cli::Target target;
  std::filesystem::path home = std::filesystem::temp_directory_path() / ("sluice-cli-" + RandomHex(12));

  ~Shell() { std::filesystem::remove_all(home); }

  int Run(const std::vector<std::string>& arguments, bool colour = false, bool interactive = false) {
    std::istringstream in(input);
    std::ostringstream data;
    std::ostringstream messages;
    variables.emplace("HOME", home.string());
    const auto variable = [this](const std::string& name) {
      return variables.contains(name) ? std::optional<std::string>(variables[name]) : std::nullopt;
    };
    const auto connect = [this](const cli::Target& to) -> absl::StatusOr<std::unique_ptr<cli::Client>> {
      target = to;
      return std::make_unique<Forward>(client);
    };
    cli::Environment environment{in, data, messages, interactive, colour, variable, connect, colour};
    const int code = cli::Run(arguments, environment);
    out = data.str();
    err = messages.str();
    return code;
  }
};

}  // namespace sluice::test
