#include "control-plane/provision/docker.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <map>
#include <optional>
#include <utility>

#include "common/base/text.h"
#include "common/observe/log.h"
#include "control-plane/provision/engine.h"
#include "control-plane/provision/fingerprint.h"
#include "control-plane/provision/tar.h"

namespace sluice::provision {
namespace {

using google::protobuf::Struct;
using google::protobuf::Value;

constexpr char kFleetLabel[] = "sluice.fleet";
constexpr char kNodeLabel[] = "sluice.node";
constexpr char kCellLabel[] = "sluice.cell";
constexpr char kPrintLabel[] = "sluice.print";
constexpr char kTokenFile[] = "join-token";
constexpr double kSecond = 1e9;  // of what the engine counts in nanoseconds

void Set(Struct& object, const std::string& name, const std::string& text) {
  (*object.mutable_fields())[name].set_string_value(text);
}
void SetNumber(Struct& object, const std::string& name, double number) {
  (*object.mutable_fields())[name].set_number_value(number);
}
Struct& Child(Struct& object, const std::string& name) {
  return *(*object.mutable_fields())[name].mutable_struct_value();
}
void SetList(Struct& object, const std::string& name, const std::vector<std::string>& texts) {
  auto& list = *(*object.mutable_fields())[name].mutable_list_value();
  for (const std::string& text : texts) list.add_values()->set_string_value(text);
}

// The same for the same description.
std::string Bytes(const Struct& description) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream out(&bytes);
    google::protobuf::io::CodedOutputStream coded(&out);
    coded.SetSerializationDeterministic(true);
    description.SerializeToCodedStream(&coded);
  }
  return bytes;
}

State StateOf(const std::string& state) {
  if (state == "running" || state == "restarting" || state == "paused") return State::kRunning;
  return state == "removing" ? State::kStopping : State::kExited;
}

class DockerDriver final : public Driver {
 public:
  DockerDriver(DockerOptions options, const Clock& clock)
      : options_(std::move(options)), clock_(clock), engine_(options_.socket) {}

  absl::StatusOr<std::vector<Instance>> List() override {
    auto containers = engine_.List(Cat(kFleetLabel, "=", options_.fleet));
    if (!containers.ok()) return containers.status();
    const auto image = engine_.ImageId(options_.image);
    if (!image.ok() && !absl::IsNotFound(image.status())) return image.status();
    ids_.clear();
    std::vector<Instance> instances;
    for (const Container& container : *containers) {
      const std::string name = container.Label(kNodeLabel);
      const std::optional<int> slot = SlotOf(options_.prefix, name);
      if (!slot || *slot > kMaxNodes) continue;
      ids_[name] = container.id;
      Instance instance{name, *slot, StateOf(container.state)};
      instance.ready = container.status.find("(healthy)") != std::string::npos;
      instance.outdated = image.ok() && container.Label(kPrintLabel) != Print(name, *slot, *image);
      if (stopping_.contains(name)) Stopping(instance);
      instances.push_back(std::move(instance));
    }
    return instances;
  }

  absl::Status Start(const Launch& launch) override {
    auto image = engine_.ImageId(options_.image);
    if (absl::IsNotFound(image.status())) {
      return absl::NotFoundError(Cat("the engine has no image ", options_.image, ": docker pull it, or build it as "
                                     "deploy/compose/Dockerfile says"));
    }
    if (!image.ok()) return image.status();
    if (absl::Status gone = Forget(launch.name); !gone.ok()) return gone;
    auto token = launch.token();  // the disk goes with a container, and the identity with the disk
    if (!token.ok()) return token.status();
    Struct container = Describe(launch.name, launch.slot);
    Struct& labels = Child(container, "Labels");
    Set(labels, kFleetLabel, options_.fleet);
    Set(labels, kNodeLabel, launch.name);
    Set(labels, kCellLabel, launch.cell);
    Set(labels, kPrintLabel, Print(launch.name, launch.slot, *image));
    auto id = engine_.Create(ContainerName(launch.name), container);
    if (!id.ok()) return id.status();
    ids_[launch.name] = *id;
    const std::string tar = TarOf({kTokenFile, *token, 0400, kContainerUser});
    absl::Status done = engine_.Put(*id, kContainerState, tar);
    if (done.ok()) done = engine_.Start(*id);
    if (!done.ok()) engine_.Remove(*id).IgnoreError();  // else it is found as exited, and begun anew
    return done;
  }

  absl::Status Stop(const std::string& name) override {
    const auto id = ids_.find(name);
    if (id == ids_.end()) return absl::OkStatus();
    absl::Status told = engine_.Signal(id->second, "SIGTERM");
    if (told.ok()) stopping_.try_emplace(name, clock_.Now() + kMaxStop);
    return told;
  }

  absl::Status Forget(const std::string& name) override {
    const auto id = ids_.find(name);
    if (id == ids_.end()) return absl::OkStatus();
    absl::Status gone = engine_.Remove(id->second);
    if (!gone.ok()) return gone;
    ids_.erase(id);
    stopping_.erase(name);
    return absl::OkStatus();
  }

 private:
  std::string ContainerName(const std::string& node) const { return Cat(options_.fleet, "-", node); }

  void Stopping(Instance& instance) {
    if (instance.state != State::kRunning) return;
    instance.state = State::kStopping;
    if (clock_.Now() < stopping_[instance.name]) return;
    log::Error("a node did not end in time and is killed", {{"node", instance.name}});
    engine_.Signal(ids_[instance.name], "SIGKILL").IgnoreError();  // the next List tries again
  }

  // Of everything that makes a container what it is.
  std::string Print(const std::string& name, int slot, const std::string& image_id) const {
    return FingerprintOf(Cat(image_id, "\n", Bytes(Describe(name, slot))));
  }

  Struct Describe(const std::string& name, int slot) const {
    std::vector<std::string> command = {"sluice-data-plane",
                                        Cat("--name=", name),
                                        Cat("--control-plane=", options_.control_planes),
                                        Cat("--join-token-file=", kContainerState, "/", kTokenFile),
                                        Cat("--http=0.0.0.0:", kContainerHttp),
                                        Cat("--https=0.0.0.0:", kContainerHttps),
                                        Cat("--ops=0.0.0.0:", kContainerOps),
                                        Cat("--state=", kContainerState),
                                        "--access-log=-"};
    command.insert(command.end(), options_.arguments.begin(), options_.arguments.end());
    Struct container;
    Set(container, "Image", options_.image);
    SetList(container, "Cmd", command);
    SetList(container, "Env", options_.environment);
    Child(Child(container, "Volumes"), kContainerState);
    Set(container, "StopSignal", "SIGTERM");
    SetNumber(container, "StopTimeout", std::chrono::duration_cast<std::chrono::seconds>(kMaxStop).count());
    Struct& health = Child(container, "Healthcheck");
    SetList(health, "Test", {"CMD", "healthy", Cat(kContainerOps), "/readyz"});
    SetNumber(health, "Interval", 2 * kSecond);
    SetNumber(health, "Timeout", 4 * kSecond);
    SetNumber(health, "Retries", 2);
    Struct& host = Child(container, "HostConfig");
    Set(host, "NetworkMode", options_.network);
    Set(Child(host, "RestartPolicy"), "Name", "unless-stopped");
    (*host.mutable_fields())["ReadonlyRootfs"].set_bool_value(true);
    SetList(host, "CapDrop", {"ALL"});
    SetList(host, "SecurityOpt", {"no-new-privileges:true"});
    Set(Child(host, "Tmpfs"), "/tmp", "");
    SetList(host, "Binds", options_.binds);
    Publish(container, slot);
    return container;
  }

  void Publish(Struct& container, int slot) const {
    if (options_.publish.empty()) return;
    for (const auto& [inside, outside] : {std::pair(kContainerHttp, options_.ports.http),
                                          std::pair(kContainerHttps, options_.ports.https)}) {
      const std::string port = Cat(inside, "/tcp");
      Child(Child(container, "ExposedPorts"), port);
      Struct& bindings = Child(Child(container, "HostConfig"), "PortBindings");
      Struct& binding = *(*bindings.mutable_fields())[port].mutable_list_value()->add_values()->mutable_struct_value();
      Set(binding, "HostIp", options_.publish);
      Set(binding, "HostPort", Cat(PortPlan::Of(outside, slot)));
    }
  }

  const DockerOptions options_;
  const Clock& clock_;
  Engine engine_;
  std::map<std::string, std::string> ids_;         // of containers, by node; as of the last List
  std::map<std::string, MonotonicTime> stopping_;  // until when, by node
};

}  // namespace

std::unique_ptr<Driver> MakeDockerDriver(DockerOptions options, const Clock& clock) {
  return std::make_unique<DockerDriver>(std::move(options), clock);
}

}  // namespace sluice::provision
