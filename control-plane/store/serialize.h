#pragma once

// Bytes of messages. Stateless; callable from every thread.

#include <string>

#include "google/protobuf/message.h"

namespace sluice::store {

// Equal bytes for equal messages: maps in the order of their keys.
std::string SerializeStable(const google::protobuf::Message& message);

}  // namespace sluice::store
