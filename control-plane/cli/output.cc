#include "control-plane/cli/output.h"

#include <algorithm>

#include "common/schema/text.h"
#include "control-plane/cli/values.h"
#include "control-plane/cli/yaml_writer.h"
#include "google/rpc/error_details.pb.h"

namespace sluice::cli {

namespace {

using schema::Cat;

template <typename Detail>
Detail PayloadOf(const absl::Status& status) {
  Detail detail;
  const auto payload = status.GetPayload("type.googleapis.com/" + Detail::descriptor()->full_name());
  if (payload) detail.ParseFromString(std::string(*payload));
  return detail;
}

ExitCode CodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kNotFound: return kNotFound;
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kPermissionDenied: return kAuthentication;
    case absl::StatusCode::kDeadlineExceeded:
      return PayloadOf<google::rpc::ErrorInfo>(status).reason() == "PENDING" ? kWaitTimedOut : kError;
    default: return kError;
  }
}

size_t Width(const std::string& text) {
  return std::count_if(text.begin(), text.end(), [](unsigned char c) { return (c & 0xc0) != 0x80; });
}

}  // namespace

std::string Printable(const std::string& text) {
  std::string out = text;
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = c == '\n' || c == '\t' ? ' ' : '?';
  }
  return out;
}

void Output::Table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const std::string& title : header) widths.push_back(Width(title));
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Width(Printable(row[i])));
  }
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string text;
    for (size_t i = 0; i < cells.size(); ++i) {
      const std::string cell = Printable(cells[i]);
      text += cell;
      if (i + 1 < cells.size()) text += std::string(widths[i] - Width(cell) + 2, ' ');
    }
    text.erase(text.find_last_not_of(' ') + 1);
    environment_.out << text << "\n";
  };
  line(header);
  for (const auto& row : rows) line(row);
}

bool Output::Structured(const google::protobuf::Message& message) {
  if (format == Format::kTable) return false;
  const google::protobuf::Struct value = ToStruct(message);
  environment_.out << (format == Format::kJson ? WriteJson(value) : WriteYaml(value));
  return true;
}

void Output::Marked(char mark, const std::string& text) {
  const std::string line = Cat(std::string(1, mark), " ", Printable(text));
  const char* colour = mark == '+' ? "\x1b[32m" : mark == '-' ? "\x1b[31m" : "\x1b[33m";
  environment_.out << (environment_.colour_data ? Cat(colour, line, "\x1b[0m") : line) << "\n";
}

void Output::Note(const std::string& text) {
  if (!quiet) environment_.err << Printable(text) << "\n";
}

std::string Output::Red(const std::string& text) const {
  return environment_.colour ? "\x1b[31m" + text + "\x1b[0m" : text;
}

int Output::Fail(const std::string& what, ExitCode code) {
  environment_.err << "sluice: " << Red("error: ") << Printable(what) << "\n";
  return code;
}

void Output::Violation(const schema::Violation& violation, const Source* source) {
  std::string line;
  std::string shown = violation.field;
  if (source != nullptr) {
    if (!source->prefix.empty() && shown.starts_with(source->prefix)) shown = shown.substr(source->prefix.size());
    line = Cat(source->path == "-" ? "stdin" : source->path, ":");
    const std::optional<Position> position = source->document.Find(shown);
    line += position ? Cat(position->line, ":", position->column, ": ") : "1:1: ";
  }
  if (!shown.empty()) line += Cat(shown, ": ");
  const bool named = !violation.reason.empty() && violation.reason != "INVALID";
  const std::string reason = named ? Cat(" [", violation.reason, "]") : "";
  environment_.err << Printable(line) << Red(Printable(violation.message)) << Printable(reason) << "\n";
}

int Output::Fail(const absl::Status& status, const Source* source) {
  const auto bad = PayloadOf<google::rpc::BadRequest>(status);
  if (bad.field_violations().empty()) return Fail(std::string(status.message()), CodeOf(status));
  for (const auto& one : bad.field_violations()) Violation({one.field(), one.description(), one.reason()}, source);
  const auto info = PayloadOf<google::rpc::ErrorInfo>(status);
  const auto total = info.metadata().find("violations");
  const int shown = bad.field_violations_size();
  const bool all = total == info.metadata().end() || total->second == std::to_string(shown);
  const std::string count = all ? std::to_string(shown) : Cat(total->second, ", the first ", shown, " above");
  return Fail(Cat("nothing was changed; mistakes: ", count), kError);
}

int Output::Fail(const schema::Violations& violations, const Source& source) {
  for (const schema::Violation& one : violations.list()) Violation(one, &source);
  return Fail(Cat("nothing was sent; mistakes: ", violations.total()), kError);
}

}  // namespace sluice::cli
