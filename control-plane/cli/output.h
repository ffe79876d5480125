#pragma once

// What the user sees: data on standard output in the format asked for, messages on standard error. Belongs to the main
// thread.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/schema/violation.h"
#include "control-plane/cli/environment.h"
#include "control-plane/cli/exit_code.h"
#include "control-plane/cli/yaml.h"
#include "google/protobuf/message.h"

namespace sluice::cli {

enum class Format { kTable, kJson, kYaml };

// The file that a request was made from.
struct Source {
  std::string path;  // "-" reads "stdin"
  Document document;
  std::string prefix;  // of violations' fields, not a part of the file: "entity.route."
};

class Output {
 public:
  explicit Output(Environment& environment) : environment_(environment) {}

  Format format = Format::kTable;
  bool quiet = false;

  // Columns wide enough for their longest cell; control characters of cells are shown as `?`.
  void Table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows);
  // The message as JSON or YAML; false where the format is a table.
  bool Structured(const google::protobuf::Message& message);
  void Data(const std::string& text) { environment_.out << text; }
  // "+ route a", in the colour of its mark: + - ~
  void Marked(char mark, const std::string& text);

  // A sentence on standard error, but for --quiet.
  void Note(const std::string& text);
  int Fail(const std::string& what, ExitCode code);
  // Every violation on its own line, with its place in the file. The exit code says what kind of error it was.
  int Fail(const absl::Status& status, const Source* source = nullptr);
  int Fail(const schema::Violations& violations, const Source& source);

 private:
  void Violation(const schema::Violation& violation, const Source* source);
  std::string Red(const std::string& text) const;

  Environment& environment_;
};

// Text without control characters, so that data from elsewhere cannot drive the terminal.
std::string Printable(const std::string& text);

}  // namespace sluice::cli
