#include "common/rpc/request_counter.h"

#include <grpcpp/server_builder.h>
#include <grpcpp/support/interceptor.h>
#include <grpcpp/support/server_interceptor.h>

#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace sluice::rpc {
namespace {

using grpc::experimental::InterceptionHookPoints;

class Interceptor final : public grpc::experimental::Interceptor {
 public:
  Interceptor(RequestCounter& counter, const char* method) : counter_(counter), method_(method) {}

  void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_STATUS)) {
      counter_.Count(method_, methods->GetSendStatus().error_code());
    }
    methods->Proceed();
  }

 private:
  RequestCounter& counter_;
  const std::string method_;
};

class Factory final : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit Factory(RequestCounter& counter) : counter_(counter) {}
  grpc::experimental::Interceptor* CreateServerInterceptor(grpc::experimental::ServerRpcInfo* info) override {
    // Null for what no service has.
    return info->method() == nullptr ? nullptr : new Interceptor(counter_, info->method());
  }

 private:
  RequestCounter& counter_;
};

}  // namespace

void RequestCounter::AddTo(grpc::ServerBuilder& builder) {
  std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> factories;
  factories.push_back(std::make_unique<Factory>(*this));
  builder.experimental().SetInterceptorCreators(std::move(factories));
}

void RequestCounter::Count(const std::string& method, int code) {
  std::string name = absl::StatusCodeToString(static_cast<absl::StatusCode>(code));
  std::lock_guard lock(mutex_);
  ++counts_[{method, std::move(name)}];
}

RequestCounter::Counts RequestCounter::counts() const {
  std::lock_guard lock(mutex_);
  return counts_;
}

}  // namespace sluice::rpc
