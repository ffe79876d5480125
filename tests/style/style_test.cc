// The house style as a test: sizes, include directions, words. See README.md, "Style".

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "catch2/catch.hpp"

namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxFileLines = 400;
constexpr size_t kMaxFunctionLines = 70;
constexpr size_t kMaxReadmeLines = 40;
constexpr size_t kMaxColumns = 120;

struct SourceFile {
  std::string path;  // from the repository's root
  std::vector<std::string> lines;
};

std::vector<std::string> Lines(const fs::path& path) {
  std::ifstream in(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::vector<SourceFile> Files(const std::set<std::string>& endings) {
  std::vector<SourceFile> files;
  for (const char* top : {"proto", "common", "control-plane", "data-plane", "deploy", "tests"}) {
    for (const auto& entry : fs::recursive_directory_iterator(top)) {
      if (entry.is_regular_file() && endings.contains(entry.path().extension().string())) {
        files.push_back({entry.path().string(), Lines(entry.path())});
      }
    }
  }
  return files;
}

const std::set<std::string> kCode = {".h", ".cc"};

// Who may include whom, by the longest folder that matches. A folder may always include itself and common/base.
const std::map<std::string, std::vector<std::string>> kMayInclude = {
    {"common/base", {}},
    {"common/observe", {}},
    {"common/schema", {"sluice/schema", "common/observe"}},
    {"common/egress", {}},
    {"common/quota", {"sluice/lease"}},
    {"common/x509", {}},
    {"common/rpc", {"common/observe", "common/x509", "grpc/", "google/rpc"}},
    {"common/config", {"common/schema", "common/egress", "common/observe", "sluice/"}},
    {"control-plane/store", {"common/observe", "sluice/config"}},
    {"control-plane/access", {"control-plane/store", "common/", "sluice/"}},
    {"control-plane/index", {"control-plane/store", "common/", "sluice/config"}},
    {"control-plane/fleet", {"control-plane/store", "common/", "sluice/"}},
    {"control-plane/lease", {"control-plane/store", "control-plane/fleet", "common/", "sluice/"}},
    {"control-plane/provision", {"control-plane/store", "control-plane/fleet", "common/"}},
    {"control-plane/sync", {"control-plane/index", "control-plane/store", "control-plane/fleet", "common/", "sluice/"}},
    {"control-plane/placement",
     {"control-plane/store", "control-plane/index", "control-plane/sync", "common/"}},
    {"control-plane/admin",
     {"control-plane/store", "control-plane/access", "control-plane/index", "control-plane/fleet", "control-plane/sync",
      "control-plane/placement", "common/", "sluice/", "google/rpc"}},
    {"control-plane/cli", {"common/", "sluice/", "google/rpc"}},
    {"control-plane", {"control-plane/", "common/", "sluice/"}},
    {"data-plane/io", {"common/observe"}},
    {"data-plane/http", {"data-plane/io", "common/observe"}},
    {"data-plane/balance", {}},
    {"data-plane/route",
     {"data-plane/balance", "data-plane/http", "data-plane/io", "data-plane/plugin/plugin.h", "common/", "sluice/"}},
    {"data-plane/limit", {"data-plane/route", "data-plane/http", "data-plane/plugin/plugin.h", "common/", "sluice/"}},
    {"data-plane/plugin", {"data-plane/route", "data-plane/http", "data-plane/io", "common/", "sluice/"}},
    {"data-plane/proxy",
     {"data-plane/route", "data-plane/balance", "data-plane/plugin", "data-plane/limit", "data-plane/http",
      "data-plane/io", "common/", "sluice/"}},
    {"data-plane/ops", {"data-plane/http", "data-plane/io", "data-plane/proxy", "data-plane/sync", "common/"}},
    {"data-plane/sync", {"data-plane/route", "data-plane/limit", "data-plane/plugin/plugin.h", "common/", "sluice/"}},
    {"data-plane", {"data-plane/", "common/"}},
    {"deploy/demo-upstream", {"data-plane/io", "data-plane/http", "common/"}},
};

std::string FolderRule(const std::string& path) {
  std::string folder = fs::path(path).parent_path().string();
  while (!folder.empty() && !kMayInclude.contains(folder)) folder = fs::path(folder).parent_path().string();
  return folder;
}

bool OurHeader(const std::string& include) {
  return include.starts_with("common/") || include.starts_with("control-plane/") ||
         include.starts_with("data-plane/") || include.starts_with("sluice/") || include.starts_with("google/rpc") ||
         include.starts_with("tests/") || include.starts_with("deploy/");
}

// Definitions at namespace level: from a line at column 0 that opens a brace to the "}" at column 0.
std::vector<std::pair<size_t, size_t>> Functions(const SourceFile& file) {
  std::vector<std::pair<size_t, size_t>> found;
  size_t start = 0;
  bool open = false;
  for (size_t i = 0; i < file.lines.size(); ++i) {
    const std::string& line = file.lines[i];
    if (line.empty() || std::isspace(static_cast<unsigned char>(line[0])) || line[0] == '/' || line[0] == '#') continue;
    if (line == "}" && open) {
      found.push_back({start + 1, i - start + 1});
      open = false;
    } else if (line[0] != '}') {
      const bool other = line.starts_with("namespace") || line.starts_with("extern \"C\"") ||
                         line.starts_with("class ") || line.starts_with("struct ") || line.starts_with("enum ") ||
                         line.starts_with("TEST_CASE");
      open = !other;
      start = i;
    }
  }
  return found;
}

bool HasWord(const std::string& line, const std::string& word) {
  const auto letter = [&](size_t i) { return i < line.size() && std::isalnum(static_cast<unsigned char>(line[i])); };
  for (size_t at = line.find(word); at != std::string::npos; at = line.find(word, at + 1)) {
    if (!(at > 0 && letter(at - 1)) && !letter(at + word.size())) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("no source file is longer than 400 lines or wider than 120 columns") {
  for (const SourceFile& file : Files({".h", ".cc", ".proto", ".sh"})) {
    INFO(file.path);
    CHECK(file.lines.size() <= kMaxFileLines);
    for (size_t i = 0; i < file.lines.size(); ++i) {
      if (file.path.ends_with(".proto") || file.lines[i].find("R\"") != std::string::npos) continue;
      INFO("line " << i + 1);
      const auto continuation = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; };
      const size_t bytes = file.lines[i].size();
      const size_t columns = bytes - std::count_if(file.lines[i].begin(), file.lines[i].end(), continuation);
      if (columns > kMaxColumns) FAIL_CHECK(file.lines[i]);
    }
  }
}

TEST_CASE("no function is longer than 70 lines") {
  for (const SourceFile& file : Files(kCode)) {
    for (const auto& [line, length] : Functions(file)) {
      if (length > kMaxFunctionLines) FAIL_CHECK(file.path << ":" << line << " has " << length << " lines");
    }
  }
}

TEST_CASE("folders include only what the map allows") {
  for (const SourceFile& file : Files(kCode)) {
    if (file.path.starts_with("tests/")) continue;
    const std::string folder = FolderRule(file.path);
    INFO(file.path << " (rule of " << folder << ")");
    REQUIRE_FALSE(folder.empty());
    for (const std::string& line : file.lines) {
      if (!line.starts_with("#include \"")) continue;
      const std::string include = line.substr(10, line.find('"', 10) - 10);
      if (!OurHeader(include) || include.starts_with(folder + "/") || include.starts_with("common/base/")) continue;
      const auto& allowed = kMayInclude.at(folder);
      const bool fine =
          std::any_of(allowed.begin(), allowed.end(), [&](const std::string& a) { return include.starts_with(a); });
      if (!fine) FAIL_CHECK(file.path << " may not include " << include);
    }
  }
}

TEST_CASE("headers begin with pragma once and a paragraph that says what they are") {
  for (const SourceFile& file : Files({".h"})) {
    INFO(file.path);
    REQUIRE(file.lines.size() > 2);
    CHECK(file.lines[0] == "#pragma once");
    CHECK(file.lines[2].starts_with("//"));
  }
}

TEST_CASE("nothing is left to be done later in silence") {
  for (const SourceFile& file : Files({".h", ".cc", ".proto", ".sh", ".sql", ".yaml"})) {
    if (file.path == "tests/style/style_test.cc") continue;
    for (size_t i = 0; i < file.lines.size(); ++i) {
      for (const char* word : {"TODO", "FIXME", "XXX", "HACK"}) {
        if (HasWord(file.lines[i], word)) FAIL_CHECK(file.path << ":" << i + 1 << ": " << file.lines[i]);
      }
    }
  }
}

TEST_CASE("every folder of the two planes and of common has a short README") {
  for (const char* top : {"common", "control-plane", "data-plane"}) {
    for (const auto& entry : fs::recursive_directory_iterator(top)) {
      if (!entry.is_directory() || entry.path().filename() == "migrations") continue;
      const fs::path own = entry.path() / "README.md";
      const fs::path readme = fs::exists(own) ? own : entry.path().parent_path() / "README.md";
      INFO(entry.path().string());
      REQUIRE(fs::exists(readme));
      CHECK(Lines(readme).size() <= kMaxReadmeLines);
    }
  }
}
