#include "common/config/rules.h"
#include "common/schema/text.h"

namespace sluice::config {

void CheckServices(Checkup& checkup) {
  for (int i = 0; i < checkup.config.services_size(); ++i) {
    const v1::Service& service = checkup.config.services(i);
    const std::string& protocol = service.protocol();
    if (service.has_url()) {
      checkup.violations.Add(checkup.Path("service", i, "url"),
                             "expected an absolute URL such as https://example.com/path");
    }
    const bool grpc = protocol == "grpc" || protocol == "grpcs";
    if (grpc && service.has_path()) {
      checkup.violations.Add(checkup.Path("service", i, "path"),
                             schema::Cat("value must be null when 'protocol' is '", protocol, "'"));
    }
    if (protocol == "http" || protocol == "grpc") {
      const std::string why = schema::Cat("value must be null when 'protocol' is '", protocol, "'");
      if (service.has_tls_verify()) checkup.violations.Add(checkup.Path("service", i, "tls_verify"), why);
      if (service.has_tls_verify_depth()) checkup.violations.Add(checkup.Path("service", i, "tls_verify_depth"), why);
      if (service.has_client_certificate())
        checkup.violations.Add(checkup.Path("service", i, "client_certificate"), why);
      if (service.ca_certificates_size() > 0)
        checkup.violations.Add(checkup.Path("service", i, "ca_certificates"), why);
    } else if (protocol != "https" && !grpc && service.has_protocol()) {
      checkup.violations.Add(checkup.Path("service", i, "protocol"),
                             schema::Cat("protocol '", schema::EscapeBytes(protocol.substr(0, 32)),
                                         "' is not supported yet; these are: http, https, grpc, grpcs"),
                             "NOT_YET_SUPPORTED");
    }
    if (service.has_port() && service.port() == 0) {
      checkup.violations.Add(checkup.Path("service", i, "port"), "port 0 cannot be connected to");
    }
  }
}

}  // namespace sluice::config
