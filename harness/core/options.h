#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tagbench {

enum class OptionKind { kInteger, kReal, kText, kFlag };

// The one description of an option: from it come parsing, range checks, the help text, `tagbench list` and the echo in
// results. Used for the parameters of perturbations and datasets and the options of architectures.
struct OptionSpec {
  std::string name;
  OptionKind kind = OptionKind::kReal;
  std::string default_value;  // as a user would write it; empty with `required`
  std::string unit;           // "dB", "semitones", "" where there is none
  std::string help;
  double minimum = -std::numeric_limits<double>::infinity();
  double maximum = std::numeric_limits<double>::infinity();
  std::vector<std::string> choices;  // for kText: all values allowed; empty: any text
  bool required = false;
};

OptionSpec real_option(std::string name, std::string default_value, std::string unit, double minimum, double maximum,
                       std::string help);
OptionSpec integer_option(std::string name, std::string default_value, std::string unit, double minimum, double maximum,
                          std::string help);
OptionSpec choice_option(std::string name, std::string default_value, std::vector<std::string> choices,
                         std::string help);
OptionSpec text_option(std::string name, std::string default_value, std::string help);
OptionSpec flag_option(std::string name, bool default_value, std::string help);

// A name with options as users write it: "pitch_shift:semitones=1,engine=rubberband_r3".
struct Spec {
  std::string name;
  std::vector<std::pair<std::string, std::string>> options;  // in the order given
};

// Errors: UsageError for an empty name, a missing '=', or an option given twice.
Spec parse_spec(std::string_view text);
std::string spec_text(const Spec& spec);

// Values checked against their descriptions.
class Options {
 public:
  // `owner` begins every message ("pitch_shift"). Errors: UsageError for an unknown option (names the nearest and the
  // known ones), a missing required one, text that is no number, NaN or infinity, or a value out of range (states the
  // range).
  Options(std::string owner, const std::vector<OptionSpec>& specs,
          const std::vector<std::pair<std::string, std::string>>& given);

  double real(std::string_view name) const;
  int64_t integer(std::string_view name) const;
  const std::string& text(std::string_view name) const;
  bool flag(std::string_view name) const;

  // Every option with its value in one spelling (2^-0.5 becomes 0.7071067811865476): equal settings, equal text.
  const std::map<std::string, std::string>& canonical() const { return values_; }
  std::string canonical_text() const;
  // The options that differ from their defaults, as they were written: "semitones=1". Empty if none does.
  std::string changed_text() const;

 private:
  const std::string& value(std::string_view name) const;
  std::string owner_;
  std::map<std::string, std::string> values_;
  std::vector<std::pair<std::string, std::string>> changed_;
};

// Errors: always UsageError, "unknown perturbation 'x'; did you mean 'y'? known: ...".
[[noreturn]] void throw_unknown_name(std::string_view kind, std::string_view name,
                                     const std::vector<std::string>& known);

// The entry of a registry whose name (as name_of gives it) is `name`. Errors: UsageError for an unknown name.
template <typename Entries, typename NameOf>
auto& find_registered(Entries& entries, std::string_view name, std::string_view kind, NameOf name_of) {
  std::vector<std::string> known;
  for (auto& entry : entries) {
    if (name_of(entry) == name) return entry;
    known.push_back(name_of(entry));
  }
  throw_unknown_name(kind, name, known);
}

}  // namespace tagbench
