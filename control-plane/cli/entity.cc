// sluice entity put | get | list | delete: one entity of any kind.

#include "CLI/CLI.hpp"
#include "common/config/entity.h"
#include "common/schema/schema.h"
#include "common/schema/text.h"
#include "control-plane/cli/commands.h"
#include "control-plane/cli/values.h"
#include "control-plane/cli/write_flags.h"
#include "control-plane/cli/yaml_writer.h"

namespace sluice::cli {

namespace {

using config::v1::Entity;
using schema::Cat;

struct EntityFlags {
  std::string gateway;
  std::string kind;
  std::string id;
  std::string file = "-";
  WriteFlags write;
};

void NoteVersion(Cli& cli, const EntityFlags& flags, int64_t version, const admin::v1::Rollout& rollout) {
  cli.output.Note(flags.write.dry_run
                      ? Cat("dry run: ", flags.gateway, " stays at version ", version)
                      : Cat(flags.gateway, " is at version ", version, LiveOn(flags.write, rollout)));
}

// An entity is a document: it is shown as YAML where no format was asked for.
void Show(Cli& cli, const Entity& entity) {
  if (!cli.output.Structured(entity)) cli.output.Data(WriteYaml(ToStruct(entity)));
}

// An empty entity of the kind.
Entity MakeEntity(const std::string& kind) {
  Entity entity;
  const google::protobuf::FieldDescriptor* field = Entity::descriptor()->FindFieldByName(kind);
  if (field != nullptr) entity.GetReflection()->MutableMessage(&entity, field);
  return entity;
}

int Put(Cli& cli, const EntityFlags& flags) {
  Source source;
  if (const int code = cli.Read(flags.file, source); code != kOk) return code;
  source.document.value.mutable_fields()->erase("kind");  // as `entity get` writes it
  admin::v1::PutEntityRequest request;
  *request.mutable_entity() = MakeEntity(flags.kind);
  schema::Violations violations;
  schema::Decode(source.document.value, "", *config::Unwrap(*request.mutable_entity()), violations);
  if (!violations.empty()) return cli.output.Fail(violations, source);
  request.set_gateway(flags.gateway);
  flags.write.Fill(request);
  source.prefix = Cat("entity.", flags.kind, ".");
  admin::v1::PutEntityResponse response;
  const absl::Status status = cli.Call("Configs/PutEntity", request, response, flags.write.CallTimeout());
  if (!status.ok()) return cli.output.Fail(status, &source);
  Show(cli, response.entity());
  NoteVersion(cli, flags, response.version(), response.rollout());
  return kOk;
}

int Get(Cli& cli, const EntityFlags& flags) {
  admin::v1::GetEntityRequest request;
  request.set_gateway(flags.gateway);
  request.set_kind(flags.kind);
  request.set_id(flags.id);
  admin::v1::GetEntityResponse response;
  if (const absl::Status status = cli.Call("Configs/GetEntity", request, response); !status.ok())
    return cli.output.Fail(status);
  Show(cli, response.entity());
  return kOk;
}

int List(Cli& cli, const EntityFlags& flags) {
  admin::v1::ListEntitiesRequest request;
  request.set_gateway(flags.gateway);
  request.set_kind(flags.kind);
  request.set_page_size(500);
  admin::v1::ListEntitiesResponse all;
  do {
    admin::v1::ListEntitiesResponse page;
    if (const absl::Status status = cli.Call("Configs/ListEntities", request, page); !status.ok())
      return cli.output.Fail(status);
    all.mutable_entities()->MergeFrom(page.entities());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  if (cli.output.Structured(all)) return kOk;
  std::vector<std::vector<std::string>> rows;
  for (const Entity& entity : all.entities()) {
    rows.push_back({std::string(config::KindOf(entity)), config::NameOf(entity), config::IdOf(entity)});
  }
  cli.output.Table({"KIND", "NAME", "ID"}, rows);
  return kOk;
}

int Delete(Cli& cli, const EntityFlags& flags) {
  admin::v1::DeleteEntityRequest request;
  request.set_gateway(flags.gateway);
  request.set_kind(flags.kind);
  request.set_id(flags.id);
  flags.write.Fill(request);
  admin::v1::DeleteEntityResponse response;
  const absl::Status status = cli.Call("Configs/DeleteEntity", request, response, flags.write.CallTimeout());
  if (!status.ok()) return cli.output.Fail(status);
  NoteVersion(cli, flags, response.version(), response.rollout());
  return kOk;
}

std::vector<std::string> Kinds() { return {config::EntityKinds().begin(), config::EntityKinds().end()}; }

CLI::App* AddVerb(CLI::App& group, const char* name, const char* what, EntityFlags& flags) {
  CLI::App* command = group.add_subcommand(name, what);
  command->add_option("-g,--gateway", flags.gateway, "Name or id")->required();
  return command;
}

}  // namespace

void AddEntityCommands(CLI::App& app, Cli& cli) {
  CLI::App* group = app.add_subcommand("entity", "Put, show, list and delete one entity of a gateway");
  const auto is_kind = CLI::IsMember(Kinds());

  const auto put = std::make_shared<EntityFlags>();
  CLI::App* command = AddVerb(*group, "put", "Create or replace an entity; it is found by its id or its name", *put);
  command->add_option("KIND", put->kind)->required()->check(is_kind);
  command->add_option("-f,--file", put->file, "YAML or JSON file; - reads standard input")->capture_default_str();
  put->write.AddMessageTo(*command);
  put->write.AddIfVersionTo(*command);
  put->write.AddTo(*command);
  command->callback([&cli, put] { cli.command = [&cli, put] { return Put(cli, *put); }; });

  const auto get = std::make_shared<EntityFlags>();
  command = AddVerb(*group, "get", "Show an entity, every default filled in", *get);
  command->add_option("KIND", get->kind)->required()->check(is_kind);
  command->add_option("ID", get->id, "Id or name")->required();
  command->callback([&cli, get] { cli.command = [&cli, get] { return Get(cli, *get); }; });

  const auto list = std::make_shared<EntityFlags>();
  command = AddVerb(*group, "list", "List entities, of one kind or of all", *list);
  command->add_option("KIND", list->kind)->check(is_kind);
  command->callback([&cli, list] { cli.command = [&cli, list] { return List(cli, *list); }; });

  const auto remove = std::make_shared<EntityFlags>();
  command = AddVerb(*group, "delete", "Delete an entity and what belongs to it", *remove);
  command->add_option("KIND", remove->kind)->required()->check(is_kind);
  command->add_option("ID", remove->id, "Id or name")->required();
  remove->write.AddMessageTo(*command);
  remove->write.AddIfVersionTo(*command);
  remove->write.AddTo(*command);
  command->callback([&cli, remove] { cli.command = [&cli, remove] { return Delete(cli, *remove); }; });
}

}  // namespace sluice::cli
