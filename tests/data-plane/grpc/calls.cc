#include "tests/data-plane/grpc/calls.h"

#include "absl/strings/escaping.h"

namespace sluice::test {

Calls::Calls(CallOptions wanted) : options(std::move(wanted)), server(Serve()), node(MakeNodeOptions()) {}

Calls::~Calls() {
  StopServer();
}

void Calls::StopServer() {
  server->Shutdown(std::chrono::system_clock::now());
}

std::unique_ptr<grpc::Server> Calls::Serve() {
  grpc::EnableDefaultHealthCheckService(true);
  std::shared_ptr<grpc::ServerCredentials> credentials = grpc::InsecureServerCredentials();
  if (options.tls) {
    const io::CertificateFiles files = authority.Issue("service", {.dns = {options.certificate_for}});
    grpc::SslServerCredentialsOptions ssl;
    ssl.pem_key_cert_pairs = {{io::TextOf(files.key_path), io::TextOf(files.certificate_path)}};
    credentials = grpc::SslServerCredentials(ssl);
  }
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", credentials, &port);
  builder.RegisterService(&echo);
  return builder.BuildAndStart();
}

// Any pause is a long one: a stream must not be held to the minimum rate of bodies.
NodeOptions Calls::MakeNodeOptions() {
  NodeOptions made{.gateway = Gateway()};
  made.options.access_log = options.access_log;
  made.options.times.body_rate_window = std::chrono::milliseconds(1);
  if (options.tls) {
    made.options.https = io::Endpoint{"127.0.0.1", 0};
    made.options.certificates = {authority.Issue("node", {.dns = {"a.test", "b.test"}})};
  }
  return made;
}

std::string Calls::Gateway(const std::string& more) const {
  const std::string number = std::to_string(port);
  std::string text = R"(id: "11111111-1111-4111-8111-111111111111" hosts: "a.test" plan { egress_allow: "127.0.0.1:)";
  text.append(number).append("\" ").append(options.plan).append(" } ");
  if (options.tls) {
    text.append(R"(ca_certificates { id: "22222222-2222-4222-8222-222222222222" cert: ")");
    text.append(absl::CEscape(io::TextOf(authority.ca_path()))).append("\" } ");
    text.append(R"(routes { paths: "/" protocols: "grpcs" } services { name: "s" protocol: "grpcs" tls_verify: true
                   host: "service.localhost" ca_certificates: "22222222-2222-4222-8222-222222222222" )");
  } else {
    text.append(R"(routes { paths: "/" protocols: "grpc" } services { name: "s" protocol: "grpc" host: "127.0.0.1" )");
  }
  return text.append("retries: 0 port: ").append(number).append(" } ").append(more);
}

std::shared_ptr<grpc::Channel> Calls::Channel(const std::string& host) {
  grpc::ChannelArguments arguments;
  arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, host);
  const uint16_t to = options.tls ? node.group().https_port() : node.group().http_port();
  std::shared_ptr<grpc::ChannelCredentials> credentials = grpc::InsecureChannelCredentials();
  if (options.tls) {
    arguments.SetSslTargetNameOverride(host);
    credentials = grpc::SslCredentials({.pem_root_certs = io::TextOf(authority.ca_path())});
  }
  return grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(to), credentials, arguments);
}

grpc::Status Calls::Check(const std::string& host) {
  grpc::ClientContext context;
  grpc::health::v1::HealthCheckResponse response;
  return grpc::health::v1::Health::NewStub(Channel(host))->Check(&context, {}, &response);
}

std::string Say(Stream& stream, const std::string& text) {
  NodeMessage ask;
  ask.mutable_resume()->set_node(text);
  ControlMessage answer;
  if (!stream->Write(ask) || !stream->Read(&answer)) return "nothing";
  return answer.update().config();
}

}  // namespace sluice::test
