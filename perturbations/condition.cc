#include "perturbations/condition.h"

#include <algorithm>
#include <cmath>

#include "harness/core/config.h"
#include "harness/core/errors.h"
#include "harness/core/text.h"
#include "perturbations/measure.h"
#include "perturbations/registry.h"

namespace tagbench {
namespace {

constexpr std::string_view kChain = "chain:";
constexpr std::string_view kLadder = "ladder:";

// The texts between the brackets of "chain:[...]". A comma separates links as well as options, so a part that is an
// option (its '=' comes before any ':') belongs to the link before it.
std::vector<std::string> chain_links(const std::string& text) {
  const std::string inner = trim(text.substr(kChain.size()));
  if (inner.size() < 2 || inner.front() != '[' || inner.back() != ']') {
    throw UsageError("'" + text + "': a chain is written chain:[first, second], found '" + inner + "'");
  }
  std::vector<std::string> links;
  for (const std::string& raw : split_text(std::string_view(inner).substr(1, inner.size() - 2), ',')) {
    const std::string part = trim(raw);
    const size_t equals = part.find('=');
    const bool is_option = equals != std::string::npos && part.find(':') > equals;
    if (is_option && !links.empty()) {
      links.back() += "," + part;
    } else {
      links.push_back(part);
    }
  }
  for (const std::string& link : links) {
    if (link.empty()) throw UsageError("'" + text + "': a perturbation was expected between two commas, found nothing");
    if (link == "clean" || starts_with(link, kChain)) {
      throw UsageError("'" + text + "': '" + link + "' cannot stand in a chain");
    }
  }
  return links;
}

struct ResolvedSpec {
  std::string label;
  const PerturbationEntry* entry;
  std::vector<std::pair<std::string, std::string>> options;
};

// A set is a list of conditions, so it cannot stand where one perturbation is meant.
const PerturbationEntry& find_single(const std::string& name, const std::string& text) {
  if (const PerturbationSet* set = find_perturbation_set(name)) {
    throw UsageError("'" + text + "': one perturbation was expected, '" + name + "' is a set of " +
                     std::to_string(set->conditions.size()) +
                     " conditions (name the set alone, or take from it what is meant: " + set->conditions.front() +
                     ", ...; tagbench list perturbations " + name + " tells all)");
  }
  return find_perturbation(name);
}

// "name", "name:option=value", or "name@3" for the third step of the ladder, which further options may adjust.
ResolvedSpec resolve(const std::string& text) {
  const Spec spec = parse_spec(text);
  ResolvedSpec resolved{spec_text(spec), nullptr, spec.options};
  const size_t at = spec.name.find('@');
  resolved.entry = &find_single(spec.name.substr(0, at), text);
  if (at == std::string::npos) return resolved;
  const PerturbationFacts& facts = resolved.entry->facts;
  const auto step = parse_integer(spec.name.substr(at + 1));
  const auto steps = static_cast<int64_t>(facts.ladder.size());
  if (steps == 0) throw UsageError("'" + text + "': " + facts.name + " has no ladder of severities");
  if (!step || *step < 1 || *step > steps) {
    throw UsageError("'" + text + "': a severity from 1 to " + std::to_string(steps) +
                     " was expected after '@', found '" + spec.name.substr(at + 1) + "'");
  }
  const Spec rung = parse_spec(facts.name + ":" + facts.ladder[static_cast<size_t>(*step - 1)]);
  for (const auto& option : rung.options) {
    const auto same = [&](const auto& given) { return given.first == option.first; };
    if (std::any_of(spec.options.begin(), spec.options.end(), same)) {
      throw UsageError("'" + text + "': the severity sets " + option.first + " already");
    }
    resolved.options.push_back(option);
  }
  return resolved;
}

void require_finite(const Waveform& waveform, const std::string& who, const std::string& track_id) {
  for (size_t i = 0; i < waveform.samples.size(); ++i) {
    if (!std::isfinite(waveform.samples[i])) {
      throw DataError(who + ": finite samples were expected, found " +
                      format_real(static_cast<double>(waveform.samples[i])) + " at sample " + std::to_string(i) +
                      " of track '" + track_id + "'");
    }
  }
}

}  // namespace

Condition Condition::parse(const std::string& text) {
  Condition condition;
  const std::string trimmed = trim(text);
  condition.label_ = trimmed;
  condition.key_ = trimmed;
  if (trimmed == "clean") return condition;
  const bool is_chain = starts_with(trimmed, kChain);
  const std::vector<std::string> texts = is_chain ? chain_links(trimmed) : std::vector<std::string>{trimmed};
  std::vector<std::string> labels;
  std::vector<std::string> keys;
  for (const std::string& link_text : texts) {
    const ResolvedSpec resolved = resolve(link_text);
    const PerturbationFacts& facts = resolved.entry->facts;
    const Options options(facts.name, facts.parameters, resolved.options);
    Link link;
    link.name = facts.name;
    link.perturbation = resolved.entry->make(options);
    if (facts.from_score && ++condition.n_from_score_ <= condition.links_.size()) {
      throw UsageError("'" + trimmed + "': " + facts.name +
                       " changes the score, so it must stand before what processes the sound");
    }
    std::map<std::string, std::string> values = options.canonical();
    for (const auto& [name, content] : link.perturbation->content_of_options()) values[name] = content;
    std::vector<std::string> settings;
    for (const auto& [name, value] : values) settings.push_back(name + "=" + value);
    link.key = facts.name + "/" + std::to_string(facts.version) + ":" + join_text(settings, ",");
    labels.push_back(resolved.label);
    keys.push_back(link.key);
    condition.links_.push_back(std::move(link));
  }
  condition.label_ = is_chain ? std::string(kChain) + "[" + join_text(labels, ",") + "]" : labels.front();
  // A chain of one link is that link.
  condition.key_ = keys.size() > 1 ? std::string(kChain) + "[" + join_text(keys, ",") + "]" : keys.front();
  return condition;
}

bool Condition::random() const {
  return std::any_of(links_.begin(), links_.end(), [](const Link& link) { return link.perturbation->facts().random; });
}

std::vector<std::string> Condition::may_falsify() const {
  std::vector<std::string> kinds;
  for (const Link& link : links_) {
    for (const std::string& kind : link.perturbation->facts().may_falsify) {
      if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) kinds.push_back(kind);
    }
  }
  return kinds;
}

Perturbed Condition::apply(const Waveform& input, uint64_t seed, const std::string& track_id, const Play& play) const {
  require_finite(input, label_, track_id);
  Perturbed result;
  if (needs_score()) {
    if (!play) {
      throw UsageError(label_ +
                       ": a track with a score was expected, which only the data set synth has; use pitch_shift or "
                       "time_stretch, which process sound");
    }
    ScoreChange change;
    for (size_t i = 0; i < n_from_score_; ++i) {
      const ScoreChange part = links_[i].perturbation->score_change();
      change.semitones += part.semitones;
      change.rate *= part.rate;
    }
    result.waveform = play(change);
    require_finite(result.waveform, label_, track_id);
  } else {
    result.waveform = input;
  }
  if (is_clean()) return result;
  for (size_t i = 0; i < links_.size(); ++i) {
    const Link& link = links_[i];
    Rng rng(seed, {"perturbation", key_, std::to_string(i), track_id});
    Perturbed step = link.perturbation->apply(result.waveform, rng);
    require_finite(step.waveform, link.name + " made samples that no float can hold", track_id);
    result.waveform = std::move(step.waveform);
    for (const auto& [name, value] : step.reached)
      result.reached[links_.size() > 1 ? link.name + "." + name : name] = value;
  }
  result.reached["duration_s"] = result.waveform.duration_s();
  const auto power = [](const Waveform& waveform) {
    return energy(waveform.samples) / static_cast<double>(waveform.size());
  };
  record(result.reached, "loudness_change_db", ratio_db(power(result.waveform), power(input)));
  return result;
}

namespace {

// Every text that follows from `text` by choosing one of the values listed with '|', the last list varying fastest. A
// value ends at a comma, a colon or a bracket.
std::vector<std::string> alternatives(const std::string& text) {
  const size_t bar = text.find('|');
  if (bar == std::string::npos) return {text};
  const size_t before = text.find_last_of("=@,:[", bar);
  const size_t begin = before == std::string::npos ? 0 : before + 1;
  const size_t end = std::min(text.find_first_of(",:]", bar), text.size());
  std::vector<std::string> expanded;
  for (const std::string& value : split_text(std::string_view(text).substr(begin, end - begin), '|')) {
    for (const std::string& rest : alternatives(text.substr(0, begin) + trim(value) + text.substr(end)))
      expanded.push_back(rest);
  }
  return expanded;
}

// Of "drc", or "pitch_shift:engine=rubberband_r3".
std::vector<std::string> ladder_texts(const std::string& text) {
  Spec spec = parse_spec(text);
  const PerturbationFacts& facts = find_single(spec.name, std::string(kLadder) + text).facts;
  std::vector<std::string> texts;
  for (size_t step = 1; step <= facts.ladder.size(); ++step) {
    spec.name = facts.name + "@" + std::to_string(step);
    for (const std::string& expanded : alternatives(spec_text(spec))) texts.push_back(expanded);
  }
  return texts;
}

bool is_set_file(const std::string& text) {
  return ends_with(text, ".yaml") || ends_with(text, ".yml");
}

std::vector<std::string> texts_of(const std::string& text) {
  if (text == "none") return {};
  if (starts_with(text, kLadder)) return ladder_texts(trim(text.substr(kLadder.size())));
  if (const PerturbationSet* set = find_perturbation_set(text)) return set->conditions;
  return alternatives(text);
}

// A bare word may be meant as a set, so the nearest is sought among the sets' names too.
[[noreturn]] void throw_unknown_word(const std::string& word) {
  std::vector<std::string> known;
  for (const PerturbationSet& set : perturbation_sets()) known.push_back(set.name);
  for (const PerturbationEntry& entry : perturbations()) known.push_back(entry.facts.name);
  throw_unknown_name("perturbation or set", word, known);
}

bool is_bare_unknown_word(const std::string& text) {
  if (text.empty() || text == "clean" || text.find_first_of(":@") != std::string::npos) return false;
  const auto& entries = perturbations();
  return std::none_of(entries.begin(), entries.end(),
                      [&](const PerturbationEntry& entry) { return entry.facts.name == text; });
}

}  // namespace

std::vector<ConditionText> condition_texts(const ConfigNode& node) {
  if (!node.defined()) return {};
  if (node.is_scalar()) return {{node.text(), node.where()}};
  std::vector<ConditionText> texts;
  for (const ConfigNode& item : node.items()) {
    if (item.is_scalar()) {
      texts.push_back({item.text(), item.where()});
      continue;
    }
    if (!item.is_map() || item.entries().size() != 1 || !item.has("chain"))
      item.fail("a perturbation was expected, as text or as {chain: [first, second]}");
    std::vector<std::string> links;
    for (const ConfigNode& link : item["chain"].items()) links.push_back(link.text());
    texts.push_back({std::string(kChain) + "[" + join_text(links, ", ") + "]", item.where()});
  }
  return texts;
}

namespace {

void add_conditions(const ConditionText& written, std::vector<Condition>& conditions) {
  const std::string word = trim(written.text);
  try {
    if (is_set_file(word)) {
      for (const ConditionText& inner : condition_texts(ConfigNode::load(word))) {
        if (is_set_file(trim(inner.text))) {
          throw UsageError(inner.where + ": a list of perturbations cannot name another file ('" + trim(inner.text) +
                           "')");
        }
        add_conditions(inner, conditions);
      }
      return;
    }
    for (const std::string& text : texts_of(word)) {
      if (is_bare_unknown_word(text)) throw_unknown_word(text);
      Condition condition = Condition::parse(text);
      const auto same = [&](const Condition& known) { return known.key() == condition.key(); };
      if (std::none_of(conditions.begin(), conditions.end(), same)) conditions.push_back(std::move(condition));
    }
  } catch (const UsageError& error) {
    if (written.where.empty()) throw;
    throw UsageError(written.where + ": " + error.what());
  } catch (const DataError& error) {
    if (written.where.empty()) throw;
    throw DataError(written.where + ": " + error.what());
  }
}

}  // namespace

std::vector<Condition> parse_conditions(const std::vector<ConditionText>& texts) {
  std::vector<Condition> conditions = {Condition::parse("clean")};
  for (const ConditionText& text : texts) add_conditions(text, conditions);
  return conditions;
}

std::vector<Condition> parse_conditions(const std::vector<std::string>& texts) {
  std::vector<ConditionText> written;
  for (const std::string& text : texts) written.push_back({text, ""});
  return parse_conditions(written);
}

}  // namespace tagbench
