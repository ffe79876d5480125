// What the release before this one says and understands on the wire is still said and understood. previous.txt is that
// release's listing; `SLUICE_WRITE_PROTOCOL=FILE test-proto` writes this one's, for the release after it.

#include <google/protobuf/descriptor.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "catch2/catch.hpp"
#include "sluice/admin/v1/admin.pb.h"
#include "sluice/admin/v1/cells.pb.h"
#include "sluice/admin/v1/nodes.pb.h"
#include "sluice/join/v1/join.pb.h"
#include "sluice/lease/v1/lease.pb.h"
#include "sluice/sync/v1/replicas.pb.h"
#include "sluice/sync/v1/snapshot.pb.h"
#include "sluice/sync/v1/sync.pb.h"

namespace sluice {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::MethodDescriptor;

// One line a fact that the other side relies on.
class Listing {
 public:
  void Add(const FileDescriptor& file) {
    if (std::string(file.package()).rfind("sluice", 0) != 0 || !files_.insert(file.name()).second) return;
    for (int i = 0; i < file.dependency_count(); ++i) Add(*file.dependency(i));
    for (int i = 0; i < file.message_type_count(); ++i) Add(*file.message_type(i));
    for (int i = 0; i < file.enum_type_count(); ++i) Add(*file.enum_type(i));
    for (int i = 0; i < file.service_count(); ++i) {
      for (int j = 0; j < file.service(i)->method_count(); ++j) Add(*file.service(i)->method(j));
    }
  }
  const std::set<std::string>& lines() const { return lines_; }

 private:
  void Add(const Descriptor& message) {
    for (int i = 0; i < message.field_count(); ++i) Add(*message.field(i));
    for (int i = 0; i < message.nested_type_count(); ++i) Add(*message.nested_type(i));
    for (int i = 0; i < message.enum_type_count(); ++i) Add(*message.enum_type(i));
  }
  void Add(const FieldDescriptor& field) {
    std::string type = field.type_name();
    if (field.message_type() != nullptr) type = field.message_type()->full_name();
    if (field.enum_type() != nullptr) type = field.enum_type()->full_name();
    const std::string label = field.is_repeated() ? " repeated " : " ";
    lines_.insert(field.full_name() + " = " + std::to_string(field.number()) + label + type);
  }
  void Add(const EnumDescriptor& values) {
    for (int i = 0; i < values.value_count(); ++i) {
      lines_.insert(values.full_name() + " " + values.value(i)->name() + " = " +
                    std::to_string(values.value(i)->number()));
    }
  }
  void Add(const MethodDescriptor& method) {
    const auto stream = [](bool is_stream) { return is_stream ? "stream " : ""; };
    lines_.insert("rpc " + method.full_name() + "(" + stream(method.client_streaming()) +
                  method.input_type()->full_name() + ") " + stream(method.server_streaming()) +
                  method.output_type()->full_name());
  }

  std::set<std::string> files_;
  std::set<std::string> lines_;
};

Listing Now() {
  Listing now;
  for (const Descriptor* message :
       {admin::v1::Gateway::descriptor(), admin::v1::Cell::descriptor(), admin::v1::Node::descriptor(),
        join::v1::JoinRequest::descriptor(), lease::v1::Report::descriptor(), sync::v1::Resume::descriptor(),
        sync::v1::Snapshot::descriptor(), sync::v1::Rejections::descriptor()}) {
    now.Add(*message->file());
  }
  return now;
}

TEST_CASE("nothing that the previous release relies on has gone or means something else") {
  const Listing now = Now();
  std::ifstream file("tests/proto/previous.txt");
  REQUIRE(file.good());
  int facts = 0;
  for (std::string line; std::getline(file, line); ++facts) {
    INFO(line);
    CHECK(now.lines().count(line) == 1);
  }
  CHECK(facts > 500);
  if (const char* path = std::getenv("SLUICE_WRITE_PROTOCOL")) {
    std::ofstream out(path);
    for (const std::string& line : now.lines()) out << line << "\n";
  }
}

}  // namespace
}  // namespace sluice
