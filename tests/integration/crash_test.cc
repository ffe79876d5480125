// The control plane killed in the middle of writes: each was made or was not, never in part, and asking again makes it
// exactly once.

#include <future>
#include <random>

#include "catch2/catch.hpp"
#include "grpcpp/grpcpp.h"
#include "sluice/admin/v1/admin.grpc.pb.h"
#include "tests/integration/platform.h"

namespace sluice::test {
namespace {

using namespace admin::v1;

constexpr unsigned kSeed = 20'260'731;
constexpr int kWrites = 200;
constexpr int kWritesAKill = 7;  // so that every kind of write is met
constexpr auto kCallTimeout = std::chrono::seconds(10);

// Everything that a write counts up, in one look.
struct State {
  int64_t revision, shop_version, gateways, made, kept;
  bool operator==(const State&) const = default;
};

// What an answered write did.
struct Done {
  grpc::Status status;
  std::string id;  // of a gateway
  int64_t version = 0;
};

class Writes {
 public:
  Writes() : platform_(0) {
    Connect();
    Make(0, "create-shop", "shop");
  }

  // Of what kind write `i` is: new gateways, their deletion, rollbacks, and entities.
  Done Make(int i) {
    const std::string request_id = "w" + std::to_string(i);
    switch (i % 10) {
      case 3: return Make(i, request_id, "g" + std::to_string(i));
      case 4: return Drop(request_id, "g" + std::to_string(i - 1));
      case 8: return RollBack(request_id, 1 + i / 2);
      default: return Put(request_id, "c" + std::to_string(i));
    }
  }
  // What write `i` adds where it is made.
  static State After(State state, int i) {
    const int kind = i % 10;
    state.revision += 1;
    state.made += 1;
    state.kept += 1;
    state.gateways += kind == 3 ? 1 : kind == 4 ? -1 : 0;
    state.shop_version += kind == 3 || kind == 4 ? 0 : 1;
    return state;
  }

  State Look() {
    const std::string line = platform_.database().Query(
        "select revision || ' ' || coalesce((select version from gateways where name = 'shop'), 0) || ' ' ||"
        " (select count(*) from gateways) || ' ' ||"
        " (select count(*) from audit where outcome = 'OK' and request_id like 'w%') || ' ' ||"
        " (select count(*) from kept_requests where request_id like 'w%') from config_clock");
    State state{};
    std::istringstream(line) >> state.revision >> state.shop_version >> state.gateways >> state.made >> state.kept;
    return state;
  }

  // In the middle of write `i`, if the delay happens to meet it; what the caller heard of it.
  Done KilledDuring(int i, std::chrono::microseconds delay) {
    std::future<Done> write = std::async(std::launch::async, [&] { return Make(i); });
    std::this_thread::sleep_for(delay);
    platform_.control_plane().Kill();
    const Done done = write.get();
    // A commit that PostgreSQL has begun by then is still finished, or not.
    REQUIRE(Eventually([&] {
      return platform_.database().Query("select count(*) from pg_stat_activity where backend_type = 'client backend'"
                                        " and pid <> pg_backend_pid()") == "0\n";
    }));
    platform_.StartControlPlane();
    Connect();
    return done;
  }

  std::string Query(const std::string& sql) { return platform_.database().Query(sql); }

 private:
  void Connect() {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // without the back-off of the one before
    channel_ = grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(platform_.admin_port()),
                                         grpc::InsecureChannelCredentials(), arguments);
    token_ = "Bearer " + platform_.token();
  }
  void Prepare(grpc::ClientContext& context) const {
    context.set_deadline(std::chrono::system_clock::now() + kCallTimeout);
    context.AddMetadata("authorization", token_);
  }
  Done Make(int, const std::string& request_id, const std::string& name) {
    grpc::ClientContext context;
    Prepare(context);
    CreateGatewayRequest request;
    request.set_name(name);
    request.set_request_id(request_id);
    Gateway gateway;
    const grpc::Status status = Gateways::NewStub(channel_)->CreateGateway(&context, request, &gateway);
    return {status, gateway.id(), gateway.version()};
  }
  Done Drop(const std::string& request_id, const std::string& name) {
    grpc::ClientContext context;
    Prepare(context);
    DeleteGatewayRequest request;
    request.set_gateway(name);
    request.set_request_id(request_id);
    DeleteGatewayResponse response;
    return {Gateways::NewStub(channel_)->DeleteGateway(&context, request, &response), "", 0};
  }
  Done Put(const std::string& request_id, const std::string& name) {
    grpc::ClientContext context;
    Prepare(context);
    PutEntityRequest request;
    request.set_gateway("shop");
    request.mutable_entity()->mutable_consumer()->set_username(name);
    request.set_request_id(request_id);
    PutEntityResponse response;
    const grpc::Status status = Configs::NewStub(channel_)->PutEntity(&context, request, &response);
    return {status, response.entity().consumer().id(), response.version()};
  }
  Done RollBack(const std::string& request_id, int64_t version) {
    grpc::ClientContext context;
    Prepare(context);
    RollbackRequest request;
    request.set_gateway("shop");
    request.set_version(version);
    request.set_request_id(request_id);
    ApplyConfigResponse response;
    const grpc::Status status = Configs::NewStub(channel_)->Rollback(&context, request, &response);
    return {status, "", response.version()};
  }

  Platform platform_;
  std::shared_ptr<grpc::Channel> channel_;
  std::string token_;
};

// How long a write takes here, so that a kill meets any part of one.
class Pace {
 public:
  void Took(std::chrono::microseconds time) { typical_ = (3 * typical_ + time) / 4; }
  std::chrono::microseconds Delay(std::mt19937& random) const {
    return std::chrono::microseconds(std::uniform_int_distribution<int64_t>(0, 2 * typical_.count())(random));
  }

 private:
  std::chrono::microseconds typical_{5000};
};

TEST_CASE("a control plane that is killed during writes leaves each made or not, and repeating makes it once") {
  std::mt19937 random(kSeed);
  Pace pace;
  Writes writes;
  int kills = 0, made = 0, unheard = 0;
  State before = writes.Look();
  for (int i = 0; i < kWrites; ++i) {
    INFO("seed " << kSeed << ", write " << i);
    const State after = Writes::After(before, i);
    Done heard;
    if (i % kWritesAKill == kWritesAKill / 2) {
      heard = writes.KilledDuring(i, pace.Delay(random));
      const State now = writes.Look();
      INFO("heard " << heard.status.error_code() << " " << heard.status.error_message());
      REQUIRE((now == before || now == after));
      if (heard.status.ok()) REQUIRE(now == after);
      ++kills;
      made += now == after;
      unheard += now == after && !heard.status.ok();
    }
    const auto started = std::chrono::steady_clock::now();
    const Done done = writes.Make(i);
    pace.Took(std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - started));
    const Done again = writes.Make(i);
    INFO(done.status.error_message() << again.status.error_message());
    REQUIRE(done.status.ok());
    REQUIRE(again.status.ok());
    CHECK(again.version == done.version);
    CHECK(again.id == done.id);
    CHECK((heard.version == 0 || heard.version == done.version));
    CHECK((heard.id.empty() || heard.id == done.id));
    REQUIRE(writes.Look() == after);
    before = after;
  }
  WARN(kills << " kills: " << kills - made << " writes not made, " << made << " made, of which " << unheard
             << " unheard");
  CHECK(made > 0);
  CHECK(made < kills);
  CHECK(writes.Query("select max(v.version) - min(v.version) + 1 - count(*) from versions v join gateways g on g.id ="
                     " v.gateway_id where g.name = 'shop'") == "0\n");
  CHECK(writes.Query("select count(*) from gateway_config c, gateways g where g.id = c.gateway_id and"
                     " (g.revision <> c.revision or c.removed)") == "0\n");
}

}  // namespace
}  // namespace sluice::test
