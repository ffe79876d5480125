// sluice import: many new gateways, each from a file of its own.

#include <algorithm>
#include <filesystem>
#include <set>

#include "CLI/CLI.hpp"
#include "common/schema/text.h"
#include "control-plane/cli/commands.h"
#include "sluice/admin/v1/admin.pb.h"

namespace sluice::cli {

namespace {

namespace fs = std::filesystem;
using schema::Cat;

constexpr size_t kMaxBatch = 256;  // as many as a call may carry
constexpr size_t kMaxBatchBytes = 2 * 1024 * 1024;  // of documents; a call carries twice that
constexpr size_t kMaxFiles = 1'000'000;

struct ImportFlags {
  std::vector<std::string> paths;
  std::string plan;
  std::string message;
};

bool IsDocument(const fs::path& path) {
  static const std::set<std::string> kEndings = {".yaml", ".yml", ".json"};
  return kEndings.contains(path.extension().string());
}

// The files, and the documents of the folders among them.
absl::StatusOr<std::vector<std::string>> Files(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    std::error_code error;
    if (!fs::is_directory(path, error)) {
      files.push_back(path);
      continue;
    }
    std::vector<std::string> inside;
    for (fs::directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error)) {
      if (entry->is_regular_file() && IsDocument(entry->path())) inside.push_back(entry->path().string());
      if (inside.size() > kMaxFiles) return absl::InvalidArgumentError(Cat(path, ": more than ", kMaxFiles, " files"));
    }
    if (error) return absl::UnavailableError(Cat(path, ": ", error.message()));
    std::sort(inside.begin(), inside.end());
    files.insert(files.end(), inside.begin(), inside.end());
  }
  return files;
}

class Importer {
 public:
  Importer(Cli& cli, const ImportFlags& flags, size_t total) : cli_(cli), flags_(flags), total_(total) {
    request_.set_message(flags.message);
  }

  // kOk, or what keeps everything after this file from being imported as well.
  int Add(const std::string& path) {
    Source source;
    if (cli_.Read(path, source) != kOk) {
      ++failed_;
      return kOk;
    }
    if (sources_.size() == kMaxBatch || bytes_ > kMaxBatchBytes) {
      if (const int code = Send(); code != kOk) return code;
    }
    admin::v1::NewGateway& gateway = *request_.add_gateways();
    gateway.set_name(fs::path(path).stem().string());
    gateway.set_plan(flags_.plan);
    *gateway.mutable_document() = source.document.value;
    bytes_ += gateway.ByteSizeLong();
    sources_.push_back(std::move(source));
    return kOk;
  }

  int Send() {
    if (sources_.empty()) return kOk;
    admin::v1::ImportGatewaysResponse response;
    const absl::Status status = cli_.Call("Gateways/ImportGateways", request_, response);
    if (!status.ok()) return cli_.output.Fail(status);
    for (int i = 0; i < response.results_size() && i < static_cast<int>(sources_.size()); ++i) {
      const admin::v1::ImportResult& result = response.results(i);
      if (!result.has_error()) {
        ++made_;
        continue;
      }
      ++failed_;
      cli_.output.Note(Cat(Printable(sources_[i].path), ":"));
      cli_.output.Fail(FromRpc(result.error()), &sources_[i]);
    }
    request_.clear_gateways();
    sources_.clear();
    bytes_ = 0;
    if (made_ + failed_ >= shown_ + total_ / 10 || made_ + failed_ == total_) {
      shown_ = made_ + failed_;
      cli_.output.Note(Cat(made_, " of ", total_, " imported", failed_ == 0 ? "" : Cat(", ", failed_, " refused")));
    }
    return kOk;
  }

  int failed() const { return static_cast<int>(failed_); }

 private:
  Cli& cli_;
  const ImportFlags& flags_;
  const size_t total_;
  admin::v1::ImportGatewaysRequest request_;
  std::vector<Source> sources_;
  size_t bytes_ = 0, made_ = 0, failed_ = 0, shown_ = 0;
};

int Import(Cli& cli, const ImportFlags& flags) {
  const absl::StatusOr<std::vector<std::string>> files = Files(flags.paths);
  if (!files.ok()) return cli.output.Fail(std::string(files.status().message()), kError);
  if (files->empty()) return cli.output.Fail("no .yaml, .yml or .json file is there", kError);
  Importer importer(cli, flags, files->size());
  int code = kOk;
  for (size_t i = 0; i < files->size() && code == kOk; ++i) code = importer.Add((*files)[i]);
  if (code == kOk) code = importer.Send();
  return code == kOk && importer.failed() > 0 ? kError : code;
}

}  // namespace

void AddImportCommand(CLI::App& app, Cli& cli) {
  CLI::App& import =
      *app.add_subcommand("import", "Make many gateways, each named as its file, with its configuration");
  const auto flags = std::make_shared<ImportFlags>();
  import.add_option("path", flags->paths, "decK documents, or folders of them")->required();
  import.add_option("--plan", flags->plan, "Of all of them; \"serverless\" unless given");
  import.add_option("--message", flags->message, "Kept with the versions");
  import.footer("A gateway that exists already is refused and left alone, so an import may be repeated.");
  import.callback([&cli, flags] { cli.command = [&cli, flags] { return Import(cli, *flags); }; });
}

}  // namespace sluice::cli
