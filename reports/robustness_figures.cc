#include "reports/robustness_figures.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "harness/core/errors.h"
#include "harness/core/text.h"
#include "harness/metrics/robustness.h"
#include "perturbations/condition.h"
#include "perturbations/registry.h"

namespace tagbench {
namespace {

// Of the system's values under some conditions, and of the reference's under the same.
using ConditionFigure = std::function<MetricValue(const OptionalValues& system, const OptionalValues& reference)>;

OptionalValues picked(const std::vector<std::optional<double>>& values, const std::vector<size_t>& conditions) {
  OptionalValues result;
  for (const size_t c : conditions) result.push_back(values[c]);
  return result;
}

// [split][seed], the values under the figure's conditions.
using Repeats = std::map<std::string, std::map<int64_t, OptionalValues>>;

struct WholeRepeats {
  Repeats repeats;  // that have all of the conditions
  bool all = true;  // no other has any of them
};

WholeRepeats whole_repeats(const RobustnessInput& input, const std::vector<size_t>& conditions) {
  WholeRepeats whole;
  for (const auto& [split, seeds] : input.repeats) {
    for (const auto& [seed, values] : seeds) {
      const OptionalValues of_figure = picked(values, conditions);
      const auto n = std::count(of_figure.begin(), of_figure.end(), std::nullopt);
      if (n == 0) {
        whole.repeats[split][seed] = of_figure;
      } else if (n < static_cast<std::ptrdiff_t>(of_figure.size())) {
        whole.all = false;
      }
    }
  }
  return whole;
}

// Per condition: seeds averaged within splits, then splits. Of the seed alone if one is given.
OptionalValues averaged(const Repeats& repeats, const std::set<std::string>& splits, size_t n_conditions,
                        std::optional<int64_t> only_seed = std::nullopt) {
  std::vector<double> sums(n_conditions, 0.0);
  double n_splits = 0.0;
  for (const std::string& split : splits) {
    std::vector<double> of_split(n_conditions, 0.0);
    double n_seeds = 0.0;
    for (const auto& [seed, values] : repeats.at(split)) {
      if (only_seed && seed != *only_seed) continue;
      for (size_t c = 0; c < n_conditions; ++c) of_split[c] += *values[c];
      n_seeds += 1.0;
    }
    if (n_seeds == 0.0) continue;
    for (size_t c = 0; c < n_conditions; ++c) sums[c] += of_split[c] / n_seeds;
    n_splits += 1.0;
  }
  OptionalValues means;
  for (const double sum : sums) means.emplace_back(sum / n_splits);
  return means;
}

struct FigureMaker {
  const ResultTable& table;
  const std::vector<RobustnessInput>& inputs;
  size_t reference;

  TableValue make(size_t line, const std::vector<size_t>& conditions, bool with_reference,
                  const ConditionFigure& figure) const {
    const RobustnessInput& input = inputs[line];
    TableValue value;
    for (const size_t c : conditions) {
      if (!input.means[c]) {
        value.reason = "no value under " + table.conditions[c];
        return value;
      }
      if (with_reference && !inputs[reference].means[c]) {
        value.reason = "the reference has no value under " + table.conditions[c];
        return value;
      }
    }
    const WholeRepeats own = whole_repeats(input, conditions);
    const WholeRepeats of_reference = with_reference ? whole_repeats(inputs[reference], conditions) : own;
    std::set<std::string> splits;
    std::set<int64_t> seeds;
    for (const auto& [split, repeats] : own.repeats) {
      if (of_reference.repeats.count(split) == 0) continue;
      splits.insert(split);
      value.n += static_cast<int64_t>(repeats.size());
      for (const auto& [seed, values] : repeats) seeds.insert(seed);
    }
    if (splits.empty()) {
      value.reason = std::string("no fold and seed has a value under all of its conditions") +
                     (with_reference ? ", for this architecture and the reference" : "");
      return value;
    }
    const size_t n = conditions.size();
    const OptionalValues reference_values =
        with_reference ? averaged(of_reference.repeats, splits, n) : OptionalValues();
    const MetricValue found = figure(averaged(own.repeats, splits, n), reference_values);
    value.mean = found.value;
    value.reason = found.reason;
    if (!value.mean) return value;
    std::vector<double> of_seeds;
    for (const int64_t seed : seeds) {
      if (const auto of_seed = figure(averaged(own.repeats, splits, n, seed), reference_values).value)
        of_seeds.push_back(*of_seed);
    }
    value.deviation = summarize_sample(of_seeds).deviation;
    // Replicates are of all repeats of a condition.
    const bool whole = own.all && of_reference.all && splits.size() == own.repeats.size() &&
                       splits.size() == of_reference.repeats.size();
    if (whole) set_interval(value, line, conditions, with_reference, figure);
    return value;
  }

 private:
  void set_interval(TableValue& value, size_t line, const std::vector<size_t>& conditions, bool with_reference,
                    const ConditionFigure& figure) const {
    std::vector<const BySplit*> parts;
    for (const size_t l : {line, reference}) {
      if (inputs[l].replicates.by_condition.empty()) return;
      for (const size_t c : conditions) parts.push_back(&inputs[l].replicates.by_condition[c]);
      if (!with_reference) break;
    }
    const auto n = static_cast<std::ptrdiff_t>(conditions.size());
    const auto replicates = over_splits(parts, [&](const std::vector<double>& values) {
      return figure({values.begin(), values.begin() + n}, {values.begin() + n, values.end()}).value;
    });
    if (!replicates) return;
    const Estimate estimate = estimate_of(*replicates);
    // Resamples without a value are no random choice: in them the reference loses nothing.
    if (table.on_common_tracks && estimate.value.value) value.mean = estimate.value.value;
    if (!estimate.interval || (with_reference && estimate.n_undefined > 0)) return;
    value.low = estimate.interval->low;
    value.high = estimate.interval->high;
  }
};

// "mp3" of "mp3:kbps=64" and "mp3@3".
std::string perturbation_of(const std::string& condition) {
  if (starts_with(condition, "chain:")) return condition;
  return condition.substr(0, condition.find_first_of(":@"));
}

struct Ladder {
  std::string name;  // "mp3", or "mp3:engine=x" with further options
  std::vector<std::pair<double, size_t>> steps;
};

// Steps that the run names otherwise ("pitch_shift:semitones=1" before "pitch_shift@3", whose setting it is, so that
// the latter was dropped as a repeat).
void add_steps_called_otherwise(const ResultTable& table, Ladder& ladder) {
  const std::string name = perturbation_of(ladder.name);
  const auto found = std::find_if(perturbations().begin(), perturbations().end(),
                                  [&](const PerturbationEntry& entry) { return entry.facts.name == name; });
  if (found == perturbations().end()) return;  // of another version of the program
  for (size_t step = 1; step <= found->facts.ladder.size(); ++step) {
    const auto number = static_cast<double>(step);
    const bool present =
        std::any_of(ladder.steps.begin(), ladder.steps.end(), [&](const auto& entry) { return entry.first == number; });
    if (present) continue;
    const std::string label = name + "@" + std::to_string(step) + ladder.name.substr(name.size());
    try {
      const std::string key = Condition::parse(label).key();
      const auto place = std::find(table.condition_keys.begin(), table.condition_keys.end(), key);
      if (place != table.condition_keys.end())
        ladder.steps.emplace_back(number, static_cast<size_t>(place - table.condition_keys.begin()));
    } catch (const Error&) {
      return;  // needs a file that is no longer there, or is of another version
    }
  }
}

std::vector<Ladder> find_ladders(const ResultTable& table) {
  std::vector<Ladder> ladders;
  for (size_t c = 0; c < table.conditions.size(); ++c) {
    const std::string& label = table.conditions[c];
    const size_t at = label.find_first_of(":@");
    if (at == std::string::npos || label[at] != '@') continue;
    const size_t colon = std::min(label.find(':', at), label.size());
    const auto step = parse_integer(label.substr(at + 1, colon - at - 1));
    if (!step) continue;
    const std::string name = label.substr(0, at) + label.substr(colon);
    auto found =
        std::find_if(ladders.begin(), ladders.end(), [&](const Ladder& ladder) { return ladder.name == name; });
    if (found == ladders.end()) found = ladders.insert(found, Ladder{name, {}});
    found->steps.emplace_back(static_cast<double>(*step), c);
  }
  for (Ladder& ladder : ladders) add_steps_called_otherwise(table, ladder);
  ladders.erase(
      std::remove_if(ladders.begin(), ladders.end(), [](const Ladder& ladder) { return ladder.steps.size() < 2; }),
      ladders.end());
  for (Ladder& ladder : ladders) std::sort(ladder.steps.begin(), ladder.steps.end());
  return ladders;
}

void add_ranks(ResultTable& table, const std::vector<RobustnessInput>& inputs, size_t clean) {
  const auto column = [&](size_t c) {
    OptionalValues values;
    for (const RobustnessInput& input : inputs) values.push_back(input.means[c]);
    return values;
  };
  const OptionalValues of_clean = column(clean);
  for (size_t c = 0; c < table.conditions.size(); ++c) {
    const OptionalValues values = column(c);
    const OptionalValues ranked = ranks(values);
    const OptionalValues changes = rank_changes(of_clean, values);
    for (size_t l = 0; l < table.lines.size(); ++l) {
      table.lines[l].robustness.ranks.push_back(ranked[l]);
      table.lines[l].robustness.rank_changes.push_back(changes[l]);
    }
  }
}

}  // namespace

void add_robustness(ResultTable& table, const std::vector<RobustnessInput>& inputs, size_t clean, size_t reference) {
  table.reference = table.lines[reference].model_label;
  std::vector<size_t> clean_then_others = {clean};
  std::vector<std::pair<std::string, std::vector<size_t>>> perturbations;  // places in clean_then_others
  for (size_t c = 0; c < table.conditions.size(); ++c) {
    if (c == clean) continue;
    const std::string name = perturbation_of(table.conditions[c]);
    auto found = std::find_if(perturbations.begin(), perturbations.end(),
                              [&](const auto& perturbation) { return perturbation.first == name; });
    if (found == perturbations.end()) found = perturbations.insert(found, {name, {}});
    found->second.push_back(clean_then_others.size());
    clean_then_others.push_back(c);
  }
  const auto ladders_of = [&](const OptionalValues& system, const OptionalValues& of_reference) {
    std::vector<SeverityLadder> ladders;
    for (const auto& [name, places] : perturbations)
      ladders.push_back({picked(system, places), picked(of_reference, places)});
    return ladders;
  };
  // The figure, or why there is none, with the perturbation that is to blame.
  const auto named = [&](const std::vector<SeverityLadder>& all,
                         const std::function<MetricValue(const std::vector<SeverityLadder>&)>& figure) {
    MetricValue value = figure(all);
    for (size_t p = 0; p < all.size() && !value.value; ++p) {
      if (figure({all[p]}).value) continue;
      value.reason += " (" + perturbations[p].first + ")";
      break;
    }
    return value;
  };
  const auto without_first = [](const OptionalValues& values) {
    return OptionalValues(values.begin() + 1, values.end());
  };
  const std::vector<Ladder> ladders = find_ladders(table);
  for (const Ladder& ladder : ladders) table.ladders.push_back(ladder.name);

  const FigureMaker maker{table, inputs, reference};
  for (size_t l = 0; l < table.lines.size(); ++l) {
    RobustnessFigures& figures = table.lines[l].robustness;
    for (size_t c = 0; c < table.conditions.size(); ++c) {
      TableValue drop;
      drop.reason = "clean itself";
      if (c != clean) {
        drop = maker.make(l, {clean, c}, false, [](const OptionalValues& system, const OptionalValues&) {
          return MetricValue{drops(system[0], {system[1]})[0], {}};
        });
      }
      figures.drops.push_back(drop);
    }
    figures.perturbed_mean =
        maker.make(l, clean_then_others, false, [&](const OptionalValues& system, const OptionalValues&) {
          return mean_over_conditions(without_first(system));
        });
    figures.relative_robustness =
        maker.make(l, clean_then_others, false, [&](const OptionalValues& system, const OptionalValues&) {
          return relative_robustness(system[0], without_first(system), table.chance);
        });
    figures.corruption_error =
        maker.make(l, clean_then_others, true, [&](const OptionalValues& system, const OptionalValues& of_reference) {
          return named(ladders_of(system, of_reference), mean_corruption_error);
        });
    figures.relative_corruption_error =
        maker.make(l, clean_then_others, true, [&](const OptionalValues& system, const OptionalValues& of_reference) {
          return named(ladders_of(system, of_reference), [&](const std::vector<SeverityLadder>& ladders_of_lines) {
            return relative_mean_corruption_error(ladders_of_lines, system[0], of_reference[0]);
          });
        });
    for (const Ladder& ladder : ladders) {
      std::vector<size_t> conditions = {clean};
      std::vector<double> severities = {0.0};
      for (const auto& [step, place] : ladder.steps) {
        severities.push_back(step);
        conditions.push_back(place);
      }
      figures.severity_areas.push_back(
          maker.make(l, conditions, false, [&](const OptionalValues& system, const OptionalValues&) {
            return area_under_severity(severities, system);
          }));
    }
  }
  add_ranks(table, inputs, clean);
}

}  // namespace tagbench
