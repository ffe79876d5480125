#include "control-plane/cli/settings.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "common/schema/schema.h"
#include "common/schema/text.h"

namespace sluice::cli {

namespace {

using google::protobuf::Struct;
using schema::Cat;

constexpr size_t kMaxTokenFileBytes = 4096;

std::string Trimmed(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::string Get(const Struct& object, const char* key) {
  const auto found = object.fields().find(key);
  return found == object.fields().end() ? "" : found->second.string_value();
}

// gRPC ends the process, and shows the header, where one holds anything else.
absl::StatusOr<std::string> CheckToken(std::string token, const std::string& source) {
  const auto fine = [](unsigned char c) { return c > 0x20 && c < 0x7f; };
  if (token.empty()) return absl::UnauthenticatedError(Cat("the token is missing: ", source, " is empty"));
  if (std::all_of(token.begin(), token.end(), fine)) return token;
  return absl::UnauthenticatedError(
      Cat("the token is not one: ", source, " holds more than a single word of printable ASCII"));
}

std::string FromEnvironment(const Environment& environment, const char* name) {
  return environment.variable(name).value_or("");
}

std::string FirstOf(std::initializer_list<std::string> texts) {
  for (const std::string& text : texts) {
    if (!text.empty()) return text;
  }
  return "";
}

absl::StatusOr<std::string> FindToken(const Environment& environment, const Context& flags, const Context& context) {
  const bool flagged = !flags.token_file.empty();
  const std::string variable = FromEnvironment(environment, "SLUICE_TOKEN");
  if (!flagged && !variable.empty()) return CheckToken(Trimmed(variable), "SLUICE_TOKEN");
  const std::string file = flagged ? flags.token_file : context.token_file;
  if (file.empty()) {
    return absl::UnauthenticatedError(
        "no token: set SLUICE_TOKEN, or give --token-file FILE, or keep it with `sluice context set --token-file "
        "FILE`; the "
        "control plane wrote the first one to the file admin-token in its state folder");
  }
  absl::StatusOr<std::string> text = ReadInput(environment, file, kMaxTokenFileBytes);
  if (!text.ok()) return absl::UnauthenticatedError(Cat("the token's file: ", std::string(text.status().message())));
  return CheckToken(Trimmed(*text), file);
}

}  // namespace

absl::StatusOr<std::string> ReadInput(const Environment& environment, const std::string& path, size_t max_bytes) {
  std::ifstream file;
  if (path != "-") {
    file.open(path, std::ios::binary);
    if (!file) return absl::NotFoundError(Cat("cannot read ", path, ": ", std::strerror(errno)));
  }
  std::istream& in = path == "-" ? environment.in : file;
  std::string text(max_bytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(in.gcount()));
  if (in.bad()) return absl::NotFoundError(Cat("cannot read ", path, ": ", std::strerror(errno)));
  if (text.size() > max_bytes) return absl::InvalidArgumentError(Cat(path, " is larger than ", max_bytes, " bytes"));
  return text;
}

std::string ContextPath(const Environment& environment) {
  const std::string base =
      FirstOf({FromEnvironment(environment, "XDG_CONFIG_HOME"), FromEnvironment(environment, "HOME") + "/.config"});
  return base + "/sluice/context.json";
}

absl::StatusOr<Context> ReadContext(const Environment& environment) {
  const std::string path = ContextPath(environment);
  std::error_code error_code;
  const bool exists = std::filesystem::exists(path, error_code);
  if (error_code) return absl::FailedPreconditionError(Cat("cannot look for ", path, ": ", error_code.message()));
  if (!exists) return Context();
  const absl::StatusOr<std::string> text = ReadInput(environment, path, kMaxContextBytes);
  if (!text.ok()) return text.status();
  Struct object;
  std::string error;
  if (!schema::ParseJson(*text, object, error)) {
    return absl::InvalidArgumentError(Cat(path, ": ", error, "; put it right, or remove it"));
  }
  return Context{Get(object, "server"), Get(object, "token_file"), Get(object, "ca")};
}

absl::Status WriteContext(const Environment& environment, const Context& context) {
  const std::filesystem::path path = ContextPath(environment);
  Struct object;
  auto& fields = *object.mutable_fields();
  if (!context.server.empty()) fields["server"].set_string_value(context.server);
  if (!context.token_file.empty()) fields["token_file"].set_string_value(context.token_file);
  if (!context.ca.empty()) fields["ca"].set_string_value(context.ca);
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  const std::string fresh = path.string() + ".new";
  std::ofstream file(fresh, std::ios::trunc);
  file << schema::ToJson(object) << "\n";
  file.close();
  if (!file) return absl::PermissionDeniedError(Cat("cannot write ", fresh, ": ", std::strerror(errno)));
  std::filesystem::rename(fresh, path, error);
  if (error) return absl::PermissionDeniedError(Cat("cannot write ", path.string(), ": ", error.message()));
  return absl::OkStatus();
}

absl::StatusOr<Target> ResolveTarget(const Environment& environment, const Context& flags) {
  const absl::StatusOr<Context> context = ReadContext(environment);
  if (!context.ok()) return context.status();
  Target target;
  const std::string server = FromEnvironment(environment, "SLUICE_SERVER");
  target.server = FirstOf({flags.server, server, context->server, kDefaultServer});
  target.ca = FirstOf({flags.ca, FromEnvironment(environment, "SLUICE_CA"), context->ca});
  absl::StatusOr<std::string> token = FindToken(environment, flags, *context);
  if (!token.ok()) return token.status();
  target.token = *token;
  return target;
}

}  // namespace sluice::cli
