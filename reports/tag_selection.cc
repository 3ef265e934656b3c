#include "reports/tag_selection.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <set>

#include "harness/core/errors.h"
#include "harness/core/options.h"
#include "harness/core/text.h"

namespace tagbench {
namespace {

constexpr const char* kNoKind = "none";

bool contains(const std::vector<std::string>& values, const std::string& value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

// "mood/theme---C# minor" is {"c#", "minor"}.
std::vector<std::string> words_of(const std::string& tag) {
  const size_t prefix = tag.find("---");
  std::vector<std::string> words(1);
  for (const char c : to_lower(prefix == std::string::npos ? tag : tag.substr(prefix + 3))) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '#') {
      words.back() += c;
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

bool any_of_words(const std::vector<std::string>& words, const std::set<std::string>& known) {
  return std::any_of(words.begin(), words.end(), [&](const std::string& word) { return known.count(word) > 0; });
}

bool is_tempo(const std::vector<std::string>& words) {
  static const std::set<std::string> known = {"fast",    "faster",    "slow",     "slower", "tempo",  "bpm",
                                              "uptempo", "downtempo", "midtempo", "upbeat", "presto", "allegro",
                                              "vivace",  "andante",   "adagio",   "largo",  "lento",  "moderato"};
  return any_of_words(words, known) || std::any_of(words.begin(), words.end(), [](const std::string& word) {
           return word.size() > 3 && ends_with(word, "bpm") && parse_integer(word.substr(0, word.size() - 3));
         });
}

// A note with a mode ("f# minor", "e flat major", "bb dur"), or anything that calls itself a key.
bool is_key(const std::vector<std::string>& words) {
  static const std::set<std::string> modes = {"major", "minor", "maj", "min", "dur", "moll"};
  if (!words.empty() && words.front() == "key") return true;
  for (size_t i = 1; i < words.size(); ++i) {
    if (modes.count(words[i]) == 0) continue;
    const bool altered = i >= 2 && (words[i - 1] == "flat" || words[i - 1] == "sharp");
    const std::string& note = words[altered ? i - 2 : i - 1];
    const bool is_letter = !note.empty() && note[0] >= 'a' && note[0] <= 'h';
    if (is_letter && (note.size() == 1 || (note.size() == 2 && (note[1] == '#' || note[1] == 'b')))) return true;
  }
  return false;
}

bool is_loudness(const std::vector<std::string>& words) {
  static const std::set<std::string> known = {"quiet", "loud", "louder", "quieter", "loudness", "dynamics", "dynamic"};
  // "soft rock" and "silent film" are about something else.
  return any_of_words(words, known) || words == std::vector<std::string>{"soft"} ||
         words == std::vector<std::string>{"silence"};
}

bool is_recording(const std::vector<std::string>& words) {
  static const std::set<std::string> known = {"lofi",        "hifi", "noisy", "distorted", "distortion", "reverb",
                                              "reverberant", "echo", "hiss",  "crackle",   "muffled",    "overdriven"};
  static const std::set<std::string> alone = {"noise", "live", "clean", "static", "vinyl", "radio"};
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    if ((words[i] == "lo" || words[i] == "hi" || words[i] == "low" || words[i] == "high") && words[i + 1] == "fi")
      return true;
  }
  return any_of_words(words, known) || (words.size() == 1 && alone.count(words.front()) > 0);
}

// Conditions with the kinds that they may falsify, as the run declares them.
std::vector<std::pair<std::string, std::vector<std::string>>> declared_kinds(const RunStore& run) {
  std::vector<std::pair<std::string, std::vector<std::string>>> declared;
  const Json json = run.has_run_json() ? run.read_run_json() : Json::object();
  const auto found = json.find("may_falsify");
  if (found == json.end() || !found->is_object()) {
    throw DataError(run.directory().string() +
                    "/run.json: 'may_falsify' was expected, what each condition may falsify, found none; run the "
                    "experiment again with this version (finished cells stay), or report without --falsified-tags");
  }
  for (const auto& [condition, kinds] : found->items()) {
    std::vector<std::string> names;
    for (const Json& kind : kinds) {
      if (kind.is_string()) names.push_back(kind.get<std::string>());
    }
    if (!names.empty()) declared.emplace_back(condition, names);
  }
  return declared;
}

std::optional<double> mean_of_defined(const std::vector<const MetricValue*>& values) {
  double sum = 0.0;
  int n = 0;
  for (const MetricValue* value : values) {
    if (!value->value) continue;
    sum += *value->value;
    ++n;
  }
  return n > 0 ? std::optional<double>(sum / n) : std::nullopt;
}

}  // namespace

const std::vector<std::string>& tag_kinds() {
  static const std::vector<std::string> kinds = {"tempo", "key", "loudness", "recording"};
  return kinds;
}

std::vector<std::string> kinds_of_tag(const std::string& tag) {
  const std::vector<std::string> words = words_of(tag);
  std::vector<std::string> kinds;
  if (is_tempo(words)) kinds.emplace_back("tempo");
  if (is_key(words)) kinds.emplace_back("key");
  if (is_loudness(words)) kinds.emplace_back("loudness");
  if (is_recording(words)) kinds.emplace_back("recording");
  return kinds;
}

std::vector<FalsifiedTag> falsified_tags(const RunStore& run, const std::vector<Row>& rows,
                                         const std::map<std::string, std::string>& given) {
  std::vector<std::string> tags;
  std::unordered_set<std::string> seen;
  std::set<std::string> conditions;
  for (const Row& row : rows) {
    conditions.insert(row.cell.condition);
    for (const std::string& tag : row.tags) {
      if (seen.insert(tag).second) tags.push_back(tag);
    }
  }
  for (const auto& [tag, kind] : given) {
    if (!contains(tags, tag)) throw_unknown_name("tag", tag, tags);
    std::vector<std::string> known = tag_kinds();
    known.emplace_back(kNoKind);
    if (!contains(known, kind)) throw_unknown_name("kind of tag", kind, known);
  }
  const auto declared = declared_kinds(run);
  std::vector<FalsifiedTag> falsified;
  for (const std::string& tag : tags) {
    const auto own = given.find(tag);
    const std::vector<std::string> kinds =
        own == given.end() ? kinds_of_tag(tag) : std::vector<std::string>{own->second};
    FalsifiedTag entry{tag, {}};
    for (const auto& [condition, falsifies] : declared) {
      const bool hit = std::any_of(kinds.begin(), kinds.end(),
                                   [&, &all = falsifies](const std::string& kind) { return contains(all, kind); });
      if (hit && conditions.count(condition) > 0) entry.conditions.push_back(condition);
    }
    if (!entry.conditions.empty()) falsified.push_back(entry);
  }
  return falsified;
}

TagSelection::TagSelection(Kind kind, const std::vector<FalsifiedTag>& tags) : kind_(kind) {
  for (const FalsifiedTag& tag : tags) tags_.insert(tag.tag);
}

TagSelection TagSelection::without(const std::vector<FalsifiedTag>& tags) {
  return {Kind::kWithout, tags};
}

TagSelection TagSelection::only(const std::vector<FalsifiedTag>& tags) {
  return {Kind::kOnly, tags};
}

bool TagSelection::holds(const std::string& tag) const {
  return all() || (tags_.count(tag) > 0) == (kind_ == Kind::kOnly);
}

Row TagSelection::narrowed(const Row& row) const {
  if (all() || !row.metrics) return row;
  Row narrow = row;
  TaggingMetrics& metrics = *narrow.metrics;
  std::vector<const MetricValue*> roc_auc;
  std::vector<const MetricValue*> average_precision;
  for (size_t t = 0; t < row.tags.size(); ++t) {
    if (!holds(row.tags[t])) continue;
    roc_auc.push_back(&metrics.per_tag[t].roc_auc);
    average_precision.push_back(&metrics.per_tag[t].average_precision);
  }
  const auto mean = [](const std::vector<const MetricValue*>& values) {
    const auto value = mean_of_defined(values);
    return MetricValue{value, value ? "" : "undefined for all of the selected tags"};
  };
  metrics.macro = {mean(roc_auc), mean(average_precision)};
  const MetricValue absent{std::nullopt, "not computed for a selection of tags"};
  metrics.micro = metrics.weighted = {absent, absent};
  metrics.log_loss = metrics.accuracy = absent;
  metrics.undefined_tags.erase(std::remove_if(metrics.undefined_tags.begin(), metrics.undefined_tags.end(),
                                              [&](int64_t tag) { return !holds(row.tags[static_cast<size_t>(tag)]); }),
                               metrics.undefined_tags.end());
  return narrow;
}

Replicates TagSelection::narrowed(const TaggingReplicates& replicates, const std::string& metric,
                                  const std::vector<std::string>& tags) const {
  if (all()) return replicates_of(replicates, metric);
  Replicates mean = replicates_of(replicates, metric);
  const bool roc = metric == "roc_auc";
  if (!roc && metric != "average_precision")
    throw std::logic_error("a selection of tags has no replicates of " + metric);
  std::vector<const Replicates*> selected;
  for (size_t t = 0; t < tags.size(); ++t) {
    const auto& tag = replicates.per_tag[t];
    if (holds(tags[t])) selected.push_back(roc ? &tag.roc_auc : &tag.average_precision);
  }
  // Over the tags that are defined in the resample, as macro means always run.
  const auto average = [&](const auto& value_of) {
    double sum = 0.0;
    int n = 0;
    for (const Replicates* each : selected) {
      const std::optional<double>& value = value_of(*each);
      if (!value) continue;
      sum += *value;
      ++n;
    }
    return n > 0 ? std::optional<double>(sum / n) : std::nullopt;
  };
  mean.estimate.value = average([](const Replicates& each) -> const auto& { return each.estimate.value; });
  mean.estimate.reason = mean.estimate.value ? "" : "undefined for all of the selected tags";
  for (size_t r = 0; r < mean.values.size(); ++r)
    mean.values[r] = average([r](const Replicates& each) -> const auto& { return each.values[r]; });
  for (size_t p = 0; p < mean.jackknife.size(); ++p)
    mean.jackknife[p] = average([p](const Replicates& each) -> const auto& { return each.jackknife[p]; });
  return mean;
}

}  // namespace tagbench
