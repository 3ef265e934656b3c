#include "reports/table_text.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "harness/core/options.h"
#include "harness/core/text.h"

namespace tagbench {
namespace {

constexpr int kDecimals = 4;

}  // namespace

std::string table_title(const ResultTable& table) {
  return metric_title(table.metric) + ", " + table.dataset + ", " + (table.splits.size() > 1 ? "folds " : "split ") +
         table.split + ", protocol " + table.protocol +
         (table.tracks.empty() ? "" : ", test tracks of " + table.tracks) +
         (table.tags_shown.empty() ? "" : ", " + table.tags_shown);
}

namespace {

// "mp3:kbps=64,bits=1" and "gain@2" of "chain:[mp3:kbps=64,bits=1,gain@2]"; anything else is one link. A part that is
// an option belongs to the link before it.
std::vector<std::string> links_of(const std::string& condition) {
  constexpr std::string_view kChain = "chain:[";
  if (!starts_with(condition, kChain) || !ends_with(condition, "]")) return {condition};
  std::vector<std::string> links;
  const std::string_view inner = std::string_view(condition).substr(kChain.size());
  for (const std::string& part : split_text(inner.substr(0, inner.size() - 1), ',')) {
    const bool is_option = part.find('=') != std::string::npos && part.find(':') == std::string::npos;
    if (is_option && !links.empty()) {
      links.back() += "," + part;
    } else {
      links.push_back(part);
    }
  }
  return links;
}

}  // namespace

std::vector<std::string> condition_heads(const std::vector<std::string>& conditions) {
  std::vector<std::string> heads;
  std::set<std::string> seen;
  for (const std::string& condition : conditions) {
    std::string head;
    for (const std::string& link : links_of(condition)) {
      const size_t colon = link.find(':');
      head += (head.empty() ? "" : " + ") + link.substr(0, colon);
      if (colon == std::string::npos) continue;
      for (const std::string& option : split_text(link.substr(colon + 1), ',')) {
        const size_t equals = option.find('=');
        head += " " + (equals == std::string::npos ? option : option.substr(equals + 1));
      }
    }
    if (!seen.insert(head).second) return conditions;
    heads.push_back(head);
  }
  return heads;
}

std::string counted(size_t n, const std::string& noun) {
  return std::to_string(n) + " " + noun + (n == 1 ? "" : "s");
}

std::string first_names(const std::vector<std::string>& names, size_t most) {
  const size_t n = std::min(names.size(), most);
  std::string text = join_text({names.begin(), names.begin() + static_cast<std::ptrdiff_t>(n)}, ", ");
  if (names.size() > n) text += " and " + std::to_string(names.size() - n) + " more";
  return text;
}

std::string grouped_digits(int64_t value) {
  std::string digits = std::to_string(value);
  for (auto place = static_cast<std::ptrdiff_t>(digits.size()) - 3; place > (value < 0 ? 1 : 0); place -= 3) {
    digits.insert(static_cast<size_t>(place), ",");
  }
  return digits;
}

std::string rate_text(double value) {
  const double size = std::abs(value);
  return format_fixed(value, size >= 100.0 ? 0 : size >= 10.0 ? 1 : 2);
}

std::string value_text(const TableValue& value, const std::string& plus_minus) {
  if (!value.mean) return "-";
  const std::string mean = format_fixed(*value.mean, kDecimals);
  return value.deviation ? mean + plus_minus + format_fixed(*value.deviation, kDecimals) : mean;
}

std::string interval_text(const TableValue& value) {
  if (!value.low || !value.high) return "";
  return "[" + format_fixed(*value.low, kDecimals) + ", " + format_fixed(*value.high, kDecimals) + "]";
}

std::string p_text(const std::optional<double>& value) {
  if (!value) return "-";
  return *value < 0.001 ? "<0.001" : format_fixed(*value, 3);
}

namespace {

// "No relative mCE for fcn, short: the reference loses nothing (polarity)."
std::vector<std::string> absent_figures(const ResultTable& table) {
  std::map<std::pair<std::string, std::string>, std::vector<std::string>> lines;  // of a figure and a reason
  for (const ResultTable::Line& line : table.lines) {
    const auto add = [&](const std::string& figure, const TableValue& value) {
      if (!value.mean) lines[{figure, value.reason}].push_back(line.model_label);
    };
    add("mean drop", line.mean_drop);
    add("relative robustness", line.robustness.relative_robustness);
    add("mCE", line.robustness.corruption_error);
    add("relative mCE", line.robustness.relative_corruption_error);
    for (size_t i = 0; i < line.robustness.severity_areas.size(); ++i)
      add("area " + table.ladders[i], line.robustness.severity_areas[i]);
  }
  std::vector<std::string> notes;
  for (const auto& [figure, labels] : lines)
    notes.push_back("No " + figure.first + " for " + join_text(labels, ", ") + ": " + figure.second + ".");
  return notes;
}

}  // namespace

TextTable robustness_text(const ResultTable& table) {
  TextTable text;
  text.title = "Robustness, " + metric_title(table.metric);
  if (table.reference.empty()) return text;
  const bool with_intervals = std::any_of(table.lines.begin(), table.lines.end(), [](const ResultTable::Line& line) {
    return line.mean_drop.low || line.robustness.relative_robustness.low;
  });
  const std::vector<std::string> condition_names = condition_heads(table.conditions);
  const auto add = [&](std::vector<std::string>& row, const TableValue& value) {
    row.push_back(value_text(value, " ± "));
    if (with_intervals) row.push_back(interval_text(value));
  };
  std::vector<std::string> heads = {"architecture"};
  std::vector<std::string> figures = {"mean perturbed", "mean drop", "relative robustness", "mCE", "relative mCE"};
  for (const std::string& ladder : table.ladders) figures.push_back("area " + ladder);
  for (const std::string& figure : figures) {
    heads.push_back(figure);
    if (with_intervals) heads.emplace_back("95 % interval");
  }
  heads.insert(heads.end(), {"largest drop", "under", "rank clean", "ranks perturbed"});
  text.rows.push_back(heads);
  for (const ResultTable::Line& line : table.lines) {
    const RobustnessFigures& figure = line.robustness;
    std::vector<std::string> row = {line.model_label};
    add(row, figure.perturbed_mean);
    add(row, line.mean_drop);
    add(row, figure.relative_robustness);
    add(row, figure.corruption_error);
    add(row, figure.relative_corruption_error);
    for (const TableValue& area : figure.severity_areas) add(row, area);
    std::optional<size_t> largest;
    std::optional<size_t> clean;
    std::optional<double> lowest_rank, highest_rank;
    for (size_t c = 0; c < table.conditions.size(); ++c) {
      if (table.conditions[c] == "clean") {
        clean = c;
        continue;
      }
      const auto& drop = figure.drops[c].mean;
      if (drop && (!largest || *drop > *figure.drops[*largest].mean)) largest = c;
      const auto& rank = figure.ranks[c];
      if (!rank) continue;
      lowest_rank = std::max(lowest_rank.value_or(*rank), *rank);
      highest_rank = std::min(highest_rank.value_or(*rank), *rank);
    }
    const auto rank_text = [](const std::optional<double>& rank) { return rank ? format_real(*rank) : "-"; };
    row.push_back(largest ? value_text(figure.drops[*largest], " ± ") : "-");
    row.push_back(largest ? condition_names[*largest] : "-");
    row.push_back(clean ? rank_text(figure.ranks[*clean]) : "-");
    row.push_back(lowest_rank == highest_rank ? rank_text(lowest_rank)
                                              : rank_text(highest_rank) + " to " + rank_text(lowest_rank));
    text.rows.push_back(row);
  }
  text.notes = {
      "Mean drop: clean minus the mean over the perturbed conditions. Relative robustness: the share of what "
      "lies above chance (" +
      format_fixed(table.chance, kDecimals) + ") that is left, on average. mCE: the error (1 - value) over that of " +
      table.reference +
      ", per perturbation over its settings, averaged (Hendrycks and Dietterich 2019); relative mCE: the "
      "same of what is lost from clean. Area: mean height of the curve over steps of severity, clean "
      "being step 0. Ranks: 1 is the best."};
  for (const std::string& note : absent_figures(table)) text.notes.push_back(note);
  return text;
}

TextTable comparisons_text(const ResultTable& table, const std::string& condition, size_t most_rows) {
  TextTable text;
  text.title = "Differences in " + metric_title(table.metric) + ", " + condition;
  std::vector<const LineComparison*> items;
  for (const LineComparison& item : table.comparisons) {
    if (item.condition == condition) items.push_back(&item);
  }
  if (items.empty()) return text;
  std::stable_sort(items.begin(), items.end(), [](const LineComparison* a, const LineComparison* b) {
    const auto rank = [](const LineComparison* item) {
      return std::make_tuple(!item->difference.has_value(), !item->is_sure(),
                             -std::abs(item->difference.value_or(0.0)));
    };
    return rank(a) < rank(b);
  });
  std::map<std::pair<size_t, size_t>, std::pair<size_t, size_t>> tags;  // surely higher, surely lower in a
  for (const TagComparison& item : table.tag_comparisons) {
    auto& [higher, lower] = tags[{item.a, item.b}];
    if (item.is_sure()) ++(*item.difference > 0.0 ? higher : lower);
  }
  const bool with_tags = !tags.empty() && condition == "clean";
  const bool with_seeds =
      std::any_of(items.begin(), items.end(), [](const LineComparison* item) { return item->seed_error; });
  std::vector<std::string> heads = {"A", "B", "A - B", "95 % interval", "p", "p Holm"};
  if (with_seeds) heads.emplace_back("± seeds");
  if (with_tags) heads.insert(heads.end(), {"tags A higher", "tags B higher"});
  heads.emplace_back("verdict");
  text.rows.push_back(heads);
  const auto signed_number = [](const std::optional<double>& value) {
    return value ? (*value > 0 ? "+" : "") + format_fixed(*value, kDecimals) : std::string("-");
  };
  for (size_t i = 0; i < std::min(items.size(), most_rows); ++i) {
    const LineComparison& item = *items[i];
    std::vector<std::string> row = {
        table.lines[item.a].model_label,
        table.lines[item.b].model_label,
        signed_number(item.difference),
        item.low ? "[" + signed_number(item.low) + ", " + signed_number(item.high) + "]" : "-",
        p_text(item.p_value),
        p_text(item.p_adjusted)};
    if (with_seeds) row.push_back(item.seed_error ? format_fixed(*item.seed_error, kDecimals) : "-");
    if (with_tags) {
      const auto [higher, lower] = tags[{item.a, item.b}];
      row.push_back(std::to_string(higher));
      row.push_back(std::to_string(lower));
    }
    const bool higher_is_better = !smaller_is_better(table.metric) && condition != "mean drop";
    std::string verdict = item.difference ? "cannot be told apart" : item.reason;
    if (item.is_sure()) verdict = (*item.difference > 0.0) == higher_is_better ? "A better" : "B better";
    if (item.difference && !item.reason.empty()) verdict += " (" + item.reason + ")";
    row.push_back(verdict);
    text.rows.push_back(row);
  }
  if (items.size() > most_rows)
    text.notes.push_back(std::to_string(items.size() - most_rows) + " pairs more, of smaller or unsure differences.");
  text.notes.push_back(
      "Paired on the same tracks; p of no difference, after Holm over the " +
      std::to_string(table.lines.size() * (table.lines.size() - 1) / 2) + " pairs of this table under one condition" +
      (with_tags ? "; tags: ROC-AUC after DeLong, Benjamini-Hochberg over the tags of a pair, 5 %" : "") +
      (with_seeds
           ? "; ± seeds: standard error of the difference by the spread over seeds, which the interval leaves out"
           : "") +
      ".");
  return text;
}

}  // namespace tagbench
