// The Plugins service: the catalogue and each plugin's schema. Answers without the database.

#include "common/config/plugin_catalogue.h"
#include "common/schema/schema.h"
#include "common/schema/text.h"
#include "control-plane/admin/errors.h"
#include "control-plane/admin/serve.h"
#include "control-plane/admin/service_list.h"
#include "sluice/admin/v1/admin.grpc.pb.h"
#include "sluice/schema/v1/schema.pb.h"

namespace sluice::admin {

namespace {

using schema::Cat;

constexpr std::string_view kService = "/sluice.admin.v1.Plugins/";

v1::PluginInfo::Support SupportOf(const config::PluginEntry& entry) {
  switch (entry.support) {
    case config::PluginSupport::kSupported: return v1::PluginInfo::SUPPORTED;
    case config::PluginSupport::kNotYet: return v1::PluginInfo::NOT_YET;
    case config::PluginSupport::kRestricted: return v1::PluginInfo::RESTRICTED;
  }
  return v1::PluginInfo::SUPPORT_UNSPECIFIED;
}

v1::PluginInfo ToInfo(const config::PluginEntry& entry) {
  v1::PluginInfo info;
  info.set_name(std::string(entry.name));
  info.set_support(SupportOf(entry));
  info.set_reason(std::string(entry.reason));
  info.set_instead(std::string(entry.instead));
  info.set_priority(entry.priority);
  if (entry.config == nullptr) return info;
  info.set_description(entry.config->options().GetExtension(sluice::schema::v1::message).plugin().description());
  return info;
}

class Plugins final : public v1::Plugins::Service {
 public:
  explicit Plugins(const AdminDeps& deps) : deps_(deps) {}

  grpc::Status ListPlugins(grpc::ServerContext* context, const v1::ListPluginsRequest* request,
                           v1::ListPluginsResponse* response) override {
    return Serve(deps_, *context, Cat(kService, "ListPlugins"), *request, [&](Call&) {
      for (const config::PluginEntry& entry : config::PluginCatalogue()) *response->add_plugins() = ToInfo(entry);
      return absl::OkStatus();
    });
  }
  grpc::Status GetPluginSchema(grpc::ServerContext* context, const v1::GetPluginSchemaRequest* request,
                               v1::GetPluginSchemaResponse* response) override {
    return Serve(deps_, *context, Cat(kService, "GetPluginSchema"), *request, [&](Call&) {
      const config::PluginEntry* entry = config::FindPlugin(request->name());
      if (entry == nullptr) return NotFound("plugin", request->name(), "`sluice plugins` lists those there are");
      *response->mutable_plugin() = ToInfo(*entry);
      if (entry->config != nullptr) *response->mutable_schema() = schema::Describe(*entry->config);
      return absl::OkStatus();
    });
  }

 private:
  const AdminDeps deps_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakePluginsService(const AdminDeps& deps) { return std::make_unique<Plugins>(deps); }

}  // namespace sluice::admin
