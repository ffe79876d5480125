#pragma once

// What a node may read, and where a gateway is served: the serverless gateways of a cell, or one self-managed gateway.
// A node reads a gateway iff their scopes are equal. Immutable values.

#include <optional>
#include <string>
#include <string_view>

namespace sluice::store {

inline constexpr char kDefaultCell[] = "default";

class Scope {
 public:
  static Scope OfCell(std::string_view name) { return Scope("cell/", name); }
  static Scope OfGateway(std::string_view id) { return Scope("gateway/", id); }
  // nullopt: not what text() gives.
  static std::optional<Scope> Parse(std::string_view text) {
    for (const std::string_view kind : {"cell/", "gateway/"}) {
      const bool named = text.starts_with(kind) && text.size() > kind.size();
      if (named && text.find('/', kind.size()) == text.npos) return Scope(kind, text.substr(kind.size()));
    }
    return std::nullopt;
  }

  const std::string& text() const { return text_; }  // "cell/default", "gateway/<id>"
  bool is_cell() const { return text_.starts_with("cell/"); }
  std::string name() const { return text_.substr(text_.find('/') + 1); }  // of the cell; the gateway's id
  bool operator==(const Scope& other) const = default;

 private:
  Scope(std::string_view kind, std::string_view name) : text_(std::string(kind) + std::string(name)) {}
  std::string text_;
};

}  // namespace sluice::store
