#include "control-plane/cli/yaml.h"

#include <sstream>
#include <utility>
#include <vector>

#include "common/schema/text.h"
#include "control-plane/cli/yaml_scalar.h"
#include "yaml-cpp/eventhandler.h"
#include "yaml-cpp/exceptions.h"
#include "yaml-cpp/parser.h"

namespace sluice::cli {

namespace {

using google::protobuf::Value;
using schema::Cat;
using YAML::Mark;

Position At(const Mark& mark) { return {mark.line + 1, mark.column + 1}; }

// yaml-cpp ends a parse by an exception alone; ReadYaml catches it.
[[noreturn]] void Fail(const Mark& mark, const std::string& message) { throw YAML::ParserException(mark, message); }

// Builds the value from the parser's events. One object a document.
class Builder final : public YAML::EventHandler {
 public:
  Builder(const Variable& variable, Document& document) : variable_(variable), document_(document) {}

  void OnDocumentStart(const Mark& mark) override {
    if (++documents_ > 1) Fail(mark, "one document a file; join what stands after `---`");
  }
  void OnDocumentEnd() override {}

  void OnNull(const Mark& mark, YAML::anchor_t anchor) override {
    if (WantsKey()) Fail(mark, "a key is missing");
    Value value;
    value.set_null_value(google::protobuf::NULL_VALUE);
    Place(mark);
    Finish(std::move(value), anchor, 1);
  }

  void OnAlias(const Mark& mark, YAML::anchor_t anchor) override {
    if (WantsKey()) Fail(mark, "a key must be plain text, not an alias");
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) Fail(mark, "an alias may not stand inside what it names");
    Count(mark, found->second.nodes);
    Place(mark);
    if (static_cast<int>(frames_.size()) + found->second.depth > kMaxYamlDepth) TooDeep(mark);
    Finish(found->second.value, 0, found->second.nodes, found->second.depth);
  }

  void OnScalar(const Mark& mark, const std::string& tag, YAML::anchor_t anchor, const std::string& text) override {
    if (WantsKey()) return Key(mark, text);
    Count(mark, 1);
    Place(mark);
    Value value;
    if (const std::string wrong = ReadScalar(text, StyleOf(mark, tag), variable_, value); !wrong.empty())
      Fail(mark, wrong);
    Finish(std::move(value), anchor, 1);
  }

  void OnSequenceStart(const Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(mark, tag, anchor).value.mutable_list_value();
  }
  void OnSequenceEnd() override { Close(); }

  void OnMapStart(const Mark& mark, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
    Frame& frame = Open(mark, tag, anchor);
    frame.value.mutable_struct_value();
    frame.is_map = true;
  }
  void OnMapEnd() override { Close(); }

  Value& root() { return root_; }

 private:
  struct Frame {
    Value value;
    bool is_map = false;
    bool has_key = false;
    std::string key;
    Mark key_mark;
    std::string path;
    YAML::anchor_t anchor = 0;
    int first_node = 0;  // nodes counted when it began
    int depth = 1;       // of what is in it
  };
  struct Anchored {
    Value value;
    int nodes = 0;
    int depth = 0;
  };

  bool WantsKey() const { return !frames_.empty() && frames_.back().is_map && !frames_.back().has_key; }

  [[noreturn]] void TooDeep(const Mark& mark) { Fail(mark, Cat("nested more than ", kMaxYamlDepth, " deep")); }

  void Count(const Mark& mark, int nodes) {
    nodes_ += nodes;
    if (nodes_ > kMaxYamlNodes)
      Fail(mark, Cat("more than ", kMaxYamlNodes, " values, aliases counted as what they stand for"));
  }

  static ScalarStyle StyleOf(const Mark& mark, const std::string& tag) {
    if (tag == "?" || tag.empty()) return ScalarStyle::kPlain;
    if (tag == "!") return ScalarStyle::kQuoted;
    if (tag == "tag:yaml.org,2002:str") return ScalarStyle::kTaggedString;
    Fail(mark, Cat("the tag ", tag, " is not supported; leave it out"));
  }

  void Key(const Mark& mark, const std::string& text) {
    if (!schema::IsUtf8(text)) Fail(mark, "this key is not UTF-8");
    Frame& frame = frames_.back();
    if (frame.value.struct_value().fields().contains(text)) Fail(mark, Cat("the key '", text, "' stands here twice"));
    frame.key = text;
    frame.key_mark = mark;
    frame.has_key = true;
  }

  // Where the value that begins now is.
  std::string Path() const {
    if (frames_.empty()) return "";
    const Frame& frame = frames_.back();
    if (!frame.is_map) return Cat(frame.path, "[", frame.value.list_value().values_size(), "]");
    return frame.path.empty() ? frame.key : Cat(frame.path, ".", frame.key);
  }

  void Place(const Mark& mark) {
    if (frames_.empty()) return;
    document_.positions.emplace(Path(), At(frames_.back().is_map ? frames_.back().key_mark : mark));
  }

  Frame& Open(const Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (WantsKey()) Fail(mark, "a key must be plain text");
    if (tag != "?" && tag != "!" && !tag.empty()) Fail(mark, Cat("the tag ", tag, " is not supported; leave it out"));
    if (frames_.size() == kMaxYamlDepth) TooDeep(mark);
    Place(mark);
    Frame frame;
    frame.path = Path();
    frame.anchor = anchor;
    frame.first_node = nodes_;
    Count(mark, 1);
    frames_.push_back(std::move(frame));
    return frames_.back();
  }

  void Close() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    if (frame.is_map) Merge(frame);
    Finish(std::move(frame.value), frame.anchor, nodes_ - frame.first_node, frame.depth);
  }

  // `<<: *base` fills in what is not there.
  static void Merge(Frame& frame) {
    auto& fields = *frame.value.mutable_struct_value()->mutable_fields();
    const auto found = fields.find("<<");
    if (found == fields.end()) return;
    if (!found->second.has_struct_value()) Fail(frame.key_mark, "`<<` takes one map");
    const google::protobuf::Struct base = found->second.struct_value();
    fields.erase("<<");
    for (const auto& [key, value] : base.fields()) fields.insert({key, value});
  }

  void Finish(Value value, YAML::anchor_t anchor, int nodes, int depth = 0) {
    if (anchor != 0) anchors_[anchor] = {value, nodes, depth};
    if (frames_.empty()) {
      root_ = std::move(value);
      return;
    }
    Frame& frame = frames_.back();
    frame.depth = std::max(frame.depth, depth + 1);
    if (frame.is_map) {
      (*frame.value.mutable_struct_value()->mutable_fields())[frame.key] = std::move(value);
      frame.has_key = false;
    } else {
      *frame.value.mutable_list_value()->add_values() = std::move(value);
    }
  }

  const Variable& variable_;
  Document& document_;
  Value root_;
  std::vector<Frame> frames_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  int nodes_ = 0;
  int documents_ = 0;
};

}  // namespace

std::optional<Position> Document::Find(std::string field) const {
  while (!field.empty()) {
    const auto found = positions.find(field);
    if (found != positions.end()) return found->second;
    const size_t cut = field.find_last_of(".[");
    field.resize(cut == std::string::npos ? 0 : cut);
  }
  return std::nullopt;
}

bool ReadYaml(const std::string& text, const Variable& variable, Document& out, YamlError& error) {
  if (text.size() > kMaxYamlBytes) {
    error = {{1, 1}, Cat("the file is larger than ", kMaxYamlBytes / (1024 * 1024), " MiB")};
    return false;
  }
  try {
    std::istringstream in(text);
    YAML::Parser parser(in);
    Builder builder(variable, out);
    while (parser.HandleNextDocument(builder)) {
    }
    if (!builder.root().has_struct_value()) {
      error = {{1, 1}, "a map of fields is expected, such as `_format_version: \"3.0\"`"};
      return false;
    }
    out.value = std::move(*builder.root().mutable_struct_value());
    return true;
  } catch (const YAML::Exception& wrong) {
    error = {At(wrong.mark), wrong.msg};
    return false;
  }
}

}  // namespace sluice::cli
