#pragma once

// What a client is told when the gateway or a plugin answers itself: Kong's sentences in the form the client accepts.
// Pure.

#include <string>
#include <string_view>

#include "data-plane/plugin/plugin.h"

namespace sluice::proxy {

enum class ErrorFormat { kJson, kText, kHtml, kXml };

// By the q-values of Accept; JSON where it is absent or accepts nothing we have.
ErrorFormat ChooseFormat(std::string_view accept);

// The sentence of a status, where nothing more exact is known.
std::string_view StatusMessage(int status);

struct Rendered {
  std::string body;
  std::string content_type;  // "" : no body
};
// `request_id` is part of what the gateway itself says (Reply::message), not of a plugin's own body.
Rendered Render(const Reply& reply, std::string_view accept, std::string_view request_id);

}  // namespace sluice::proxy
