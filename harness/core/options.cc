#include "harness/core/options.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "harness/core/errors.h"
#include "harness/core/text.h"

namespace tagbench {

OptionSpec real_option(std::string name, std::string default_value, std::string unit, double minimum, double maximum,
                       std::string help) {
  return {std::move(name),
          OptionKind::kReal,
          std::move(default_value),
          std::move(unit),
          std::move(help),
          minimum,
          maximum,
          {},
          false};
}

OptionSpec integer_option(std::string name, std::string default_value, std::string unit, double minimum, double maximum,
                          std::string help) {
  return {std::move(name),
          OptionKind::kInteger,
          std::move(default_value),
          std::move(unit),
          std::move(help),
          minimum,
          maximum,
          {},
          false};
}

OptionSpec choice_option(std::string name, std::string default_value, std::vector<std::string> choices,
                         std::string help) {
  OptionSpec spec;
  spec.name = std::move(name);
  spec.kind = OptionKind::kText;
  spec.default_value = std::move(default_value);
  spec.choices = std::move(choices);
  spec.help = std::move(help);
  return spec;
}

OptionSpec text_option(std::string name, std::string default_value, std::string help) {
  return choice_option(std::move(name), std::move(default_value), {}, std::move(help));
}

OptionSpec flag_option(std::string name, bool default_value, std::string help) {
  OptionSpec spec = choice_option(std::move(name), default_value ? "true" : "false", {}, std::move(help));
  spec.kind = OptionKind::kFlag;
  return spec;
}

Spec parse_spec(std::string_view text) {
  Spec spec;
  const size_t colon = text.find(':');
  spec.name = trim(text.substr(0, colon));
  if (spec.name.empty())
    throw UsageError("'" + std::string(text) + "': a name was expected, as in name:option=value,option=value");
  if (colon == std::string_view::npos) return spec;
  for (const std::string& part : split_text(text.substr(colon + 1), ',')) {
    const size_t equals = part.find('=');
    if (equals == std::string::npos) {
      throw UsageError("'" + std::string(text) + "': option=value was expected, found '" + trim(part) + "'");
    }
    const std::string key = trim(std::string_view(part).substr(0, equals));
    const auto same = [&](const auto& option) { return option.first == key; };
    if (std::any_of(spec.options.begin(), spec.options.end(), same)) {
      throw UsageError("'" + std::string(text) + "': option '" + key + "' is given twice");
    }
    spec.options.emplace_back(key, trim(std::string_view(part).substr(equals + 1)));
  }
  return spec;
}

std::string spec_text(const Spec& spec) {
  std::vector<std::string> parts;
  for (const auto& [key, value] : spec.options) parts.push_back(key + "=" + value);
  return parts.empty() ? spec.name : spec.name + ":" + join_text(parts, ",");
}

namespace {

std::string range_text(const OptionSpec& spec) {
  const std::string unit = spec.unit.empty() ? "" : " " + spec.unit;
  return "from " + format_real(spec.minimum) + " to " + format_real(spec.maximum) + unit;
}

std::string checked_number(const std::string& owner, const OptionSpec& spec, const std::string& text) {
  const auto complain = [&](const std::string& expected) {
    throw UsageError(owner + ": " + spec.name + " must be " + expected + ", got '" + text + "'");
  };
  const bool whole = spec.kind == OptionKind::kInteger;
  const auto value = parse_real_expression(text);
  if (!value || !std::isfinite(*value)) complain(whole ? "a whole number" : "a finite number");
  if (whole && std::floor(*value) != *value) complain("a whole number");
  // Beyond 2^53 a double skips whole numbers, and another one than was written would be meant.
  constexpr double kLargestWhole = 9007199254740992.0;
  if (whole && std::fabs(*value) > kLargestWhole) complain("a whole number of at most 2^53");
  if (*value < spec.minimum || *value > spec.maximum) complain(range_text(spec));
  if (whole) return std::to_string(static_cast<int64_t>(*value));
  return format_real(*value == 0.0 ? 0.0 : *value);
}

std::string checked_value(const std::string& owner, const OptionSpec& spec, const std::string& text) {
  switch (spec.kind) {
    case OptionKind::kInteger:
    case OptionKind::kReal:
      return checked_number(owner, spec, text);
    case OptionKind::kFlag: {
      const std::string lower = to_lower(text);
      if (lower == "true" || lower == "yes" || lower == "on" || lower == "1") return "true";
      if (lower == "false" || lower == "no" || lower == "off" || lower == "0") return "false";
      throw UsageError(owner + ": " + spec.name + " must be true or false, got '" + text + "'");
    }
    case OptionKind::kText:
      if (!spec.choices.empty() && std::find(spec.choices.begin(), spec.choices.end(), text) == spec.choices.end()) {
        throw UsageError(owner + ": unknown " + spec.name + " '" + text + "'; " + suggestion(text, spec.choices));
      }
      return text;
  }
  throw std::logic_error("unhandled option kind");
}

}  // namespace

Options::Options(std::string owner, const std::vector<OptionSpec>& specs,
                 const std::vector<std::pair<std::string, std::string>>& given)
    : owner_(std::move(owner)) {
  std::vector<std::string> known;
  for (const OptionSpec& spec : specs) known.push_back(spec.name);
  for (const auto& [key, text] : given) {
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      throw UsageError(owner_ + ": unknown option '" + key + "'; " +
                       (known.empty() ? "it takes none" : suggestion(key, known)));
    }
  }
  for (const OptionSpec& spec : specs) {
    const auto found =
        std::find_if(given.begin(), given.end(), [&](const auto& option) { return option.first == spec.name; });
    if (found == given.end()) {
      if (spec.required) throw UsageError(owner_ + ": option '" + spec.name + "' is required (" + spec.help + ")");
      values_[spec.name] = spec.default_value.empty() ? "" : checked_value(owner_, spec, spec.default_value);
      continue;
    }
    values_[spec.name] = checked_value(owner_, spec, found->second);
    const bool is_default = !spec.required && !spec.default_value.empty() &&
                            values_[spec.name] == checked_value(owner_, spec, spec.default_value);
    if (!is_default) changed_.emplace_back(spec.name, found->second);
  }
}

const std::string& Options::value(std::string_view name) const {
  const auto found = values_.find(std::string(name));
  if (found == values_.end()) throw std::logic_error(owner_ + " has no option " + std::string(name));
  return found->second;
}

double Options::real(std::string_view name) const {
  return parse_real(value(name)).value();
}
int64_t Options::integer(std::string_view name) const {
  return parse_integer(value(name)).value();
}
const std::string& Options::text(std::string_view name) const {
  return value(name);
}
bool Options::flag(std::string_view name) const {
  return value(name) == "true";
}

std::string Options::canonical_text() const {
  std::vector<std::string> parts;
  for (const auto& [key, text] : values_) parts.push_back(key + "=" + text);
  return join_text(parts, ",");
}

std::string Options::changed_text() const {
  std::vector<std::string> parts;
  for (const auto& [key, text] : changed_) parts.push_back(key + "=" + text);
  return join_text(parts, ",");
}

void throw_unknown_name(std::string_view kind, std::string_view name, const std::vector<std::string>& known) {
  throw UsageError("unknown " + std::string(kind) + " '" + std::string(name) + "'; " + suggestion(name, known));
}

}  // namespace tagbench
