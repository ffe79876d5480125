#pragma once

// What both sides of TLS share: the rules every context begins with, and the handshake's loop. Private to this folder.

#include <string>

#include "data-plane/io/tls.h"
#include "data-plane/io/tls_stream.h"

namespace sluice::io {

TlsContext NewTlsContext(const SSL_METHOD* method);
// kNone when done, or why it failed.
Task<IoError> Handshake(TlsStream& stream, MonotonicTime deadline);
// For the gateway's own log.
std::string FailureOf(const TlsStream& stream, IoError error);
std::string SelectedAlpn(const TlsStream& stream);

}  // namespace sluice::io
