// sluice completion bash | zsh | fish: the words come from the commands themselves.

#include <map>

#include "CLI/CLI.hpp"
#include "common/schema/text.h"
#include "control-plane/cli/commands.h"

namespace sluice::cli {

namespace {

using schema::Cat;

using Words = std::map<std::string, std::string>;  // "gateway create" -> "--plan --wait ..."

void Collect(const CLI::App& app, const std::string& path, Words& words) {
  std::string& line = words[path];
  for (const CLI::App* command : app.get_subcommands(nullptr)) {
    line += Cat(line.empty() ? "" : " ", command->get_name());
  }
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) line += Cat(line.empty() ? "" : " ", "--", name);
  }
  for (const CLI::App* command : app.get_subcommands(nullptr)) {
    Collect(*command, path.empty() ? command->get_name() : Cat(path, " ", command->get_name()), words);
  }
}

// Bash, and zsh through its bashcompinit.
std::string Bash(const Words& words) {
  std::string out =
      "_sluice() {\n"
      "  local path=\"\" word i\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    word=\"${COMP_WORDS[i]}\"\n"
      "    case \"$word\" in -*) continue ;; esac\n"
      "    case \"${path:+$path }$word\" in\n      ";
  bool first = true;
  for (const auto& [path, line] : words) {
    if (path.empty()) continue;
    out += Cat(first ? "" : "|", "\"", path, "\"");
    first = false;
  }
  out += ") path=\"${path:+$path }$word\" ;;\n    esac\n  done\n  local words=\"\"\n  case \"$path\" in\n";
  for (const auto& [path, line] : words) {
    const std::string globals = path.empty() ? "" : Cat(" ", "--server --token-file --ca --output --quiet");
    out += Cat("    \"", path, "\") words=\"", line, globals, "\" ;;\n");
  }
  out +=
      "  esac\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n"
      "}\n"
      "complete -o default -F _sluice sluice\n";
  return out;
}

std::string Fish(const Words& words) {
  std::string out =
      "function __sluice_path\n"
      "  string join ' ' (commandline -opc)[2..] | string replace -ra -- ' ?-[^ ]+' ''\n"
      "end\n"
      "complete -c sluice -e\n";
  for (const auto& [path, line] : words) {
    out += Cat("complete -c sluice -n 'test (__sluice_path | string collect -a) = \"", path, "\"' -a '", line, "'\n");
  }
  return out;
}

int Print(Cli& cli, const CLI::App& app, const std::string& shell) {
  Words words;
  Collect(app, "", words);
  if (shell == "fish") {
    cli.output.Data(Fish(words));
  } else {
    cli.output.Data(Cat(shell == "zsh" ? "autoload -U +X bashcompinit && bashcompinit\n" : "", Bash(words)));
  }
  return kOk;
}

}  // namespace

void AddCompletionCommand(CLI::App& app, Cli& cli) {
  const auto shell = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("completion", "Completions for a shell: eval \"$(sluice completion bash)\"");
  command->add_option("SHELL", *shell, "bash, zsh or fish")->required()->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->callback([&app, &cli, shell] { cli.command = [&app, &cli, shell] { return Print(cli, app, *shell); }; });
}

}  // namespace sluice::cli
