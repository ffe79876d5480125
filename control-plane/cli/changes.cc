#include "control-plane/cli/changes.h"

#include "common/schema/text.h"

namespace sluice::cli {

namespace {

using schema::Cat;

std::string Or(const std::string& text, const char* otherwise) { return text.empty() ? otherwise : text; }

char MarkOf(const admin::v1::Change& change) {
  switch (change.action()) {
    case admin::v1::Change::CREATE: return '+';
    case admin::v1::Change::DELETE: return '-';
    default: return '~';
  }
}

}  // namespace

void ShowChanges(Cli& cli, const google::protobuf::RepeatedPtrField<admin::v1::Change>& changes, uint32_t left_out) {
  for (const admin::v1::Change& change : changes) {
    cli.output.Marked(MarkOf(change), Cat(change.kind(), " ", change.name()));
    for (const admin::v1::FieldChange& field : change.fields()) {
      cli.output.Data(Cat("    ", Printable(field.field()), ": ", Printable(Or(field.before(), "absent")), " -> ",
                          Printable(Or(field.after(), "absent")), "\n"));
    }
  }
  if (left_out > 0) cli.output.Note(Cat(left_out, " more changes are too many for one answer"));
}

void ShowApplied(Cli& cli, const std::string& gateway, const WriteFlags& flags,
                 const admin::v1::ApplyConfigResponse& response) {
  if (!cli.output.Structured(response)) ShowChanges(cli, response.changes(), response.changes_left_out());
  const uint32_t changes = response.changes_size() + response.changes_left_out();
  const std::string live = LiveOn(flags, response.rollout());
  if (flags.dry_run) {
    cli.output.Note(Cat("dry run: ", changes, " changes to version ", response.version()));
  } else if (changes == 0) {
    cli.output.Note(Cat("nothing to change: ", gateway, " is at version ", response.version(), live));
  } else {
    cli.output.Note(Cat(gateway, " is at version ", response.version(), " (", changes, " changes)", live));
  }
}

}  // namespace sluice::cli
