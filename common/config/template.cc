#include "common/config/template.h"

#include <utility>

#include "common/schema/text.h"

namespace sluice::config {

using schema::Cat;

class TemplateParser {
 public:
  explicit TemplateParser(std::string_view text) : text_(text) {}

  absl::StatusOr<Template> Parse() {
    while (error_.empty() && at_ < text_.size()) {
      size_t open = text_.find("$(", at_);
      AddLiteral(text_.substr(at_, open == std::string_view::npos ? open : open - at_));
      if (open == std::string_view::npos) break;
      at_ = open + 2;
      Expression();
    }
    if (!error_.empty()) return absl::InvalidArgumentError(error_);
    return std::move(out_);
  }

 private:
  using Table = Template::Table;

  void AddLiteral(std::string_view text) {
    if (!text.empty()) out_.pieces_.push_back({{Table::kLiteral, std::string(text)}});
  }

  void Expression() {
    std::vector<Template::Term> terms;
    do {
      terms.push_back(Term());
      if (!error_.empty()) return;
    } while (TakeWord("or"));
    if (!Take(')')) return Fail("expected ) or a further `or`");
    out_.pieces_.push_back(std::move(terms));
    out_.has_lookups_ = true;
  }

  Template::Term Term() {
    SkipBlanks();
    if (Peek() == '\'' || Peek() == '"') return {Table::kLiteral, Quoted()};
    std::string word = Word();
    Template::Term term{Table::kHeaders, {}};
    if (word == "query_params") {
      term.table = Table::kQueryParams;
    } else if (word == "uri_captures") {
      term.table = Table::kUriCaptures;
    } else if (word != "headers") {
      Fail("expected headers, query_params, uri_captures or a text in quotes");
      return term;
    }
    if (Take('.')) {
      term.name = Word();
    } else if (Take('[')) {
      SkipBlanks();
      term.name = Peek() == '\'' || Peek() == '"' ? Quoted() : Number();
      if (!Take(']')) Fail("expected ]");
    }
    if (term.name.empty()) Fail("expected a name");
    return term;
  }

  std::string Quoted() {
    const char quote = text_[at_++];
    size_t end = text_.find(quote, at_);
    if (end == std::string_view::npos) {
      Fail("the quotes are not closed");
      return {};
    }
    std::string inside(text_.substr(at_, end - at_));
    at_ = end + 1;
    return inside;
  }

  std::string Word() { return While([](char c) { return schema::IsAlnum(c) || c == '_'; }); }
  std::string Number() { return While(schema::IsDigit); }

  template <typename Predicate>
  std::string While(Predicate wanted) {
    size_t begin = at_;
    while (at_ < text_.size() && wanted(text_[at_])) ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }

  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void SkipBlanks() {
    while (Peek() == ' ' || Peek() == '\t') ++at_;
  }
  bool Take(char c) {
    SkipBlanks();
    if (Peek() != c) return false;
    ++at_;
    return true;
  }
  bool TakeWord(std::string_view word) {
    SkipBlanks();
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }
  void Fail(std::string_view why) {
    if (error_.empty()) error_ = Cat("at byte ", at_, " of the template: ", why);
  }

  std::string_view text_;
  size_t at_ = 0;
  std::string error_;
  Template out_;
};

absl::StatusOr<Template> Template::Parse(std::string_view text) { return TemplateParser(text).Parse(); }

bool Template::Render(const Lookup& lookup, std::string& out) const {
  out.clear();
  for (const std::vector<Term>& piece : pieces_) {
    for (const Term& term : piece) {
      if (term.table == Table::kLiteral) {
        out += term.name;
        break;
      }
      std::optional<std::string> found = lookup(term.table, term.name);
      if (!found.has_value()) continue;
      out += *found;
      break;
    }
    if (out.size() > kMaxRenderedBytes) return false;
  }
  return true;
}

}  // namespace sluice::config
