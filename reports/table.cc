#include <algorithm>
#include <map>
#include <set>

#include "harness/core/hash.h"
#include "harness/core/options.h"
#include "harness/core/text.h"
#include "harness/metrics/robustness.h"
#include "harness/metrics/statistics.h"
#include "reports/oracle.h"
#include "reports/report.h"
#include "reports/robustness_figures.h"
#include "reports/table_intervals.h"
#include "reports/table_layout.h"
#include "reports/table_notes.h"
#include "reports/table_text.h"
#include "reports/tag_selection.h"

namespace tagbench {
namespace {

constexpr size_t kMostConditionsNamed = 5;  // of a falsified tag in a note; the others are counted
constexpr size_t kMostTagsNamed = 20;       // falsified tags

void add_throughput(ResultTable::Line& line, const std::string& label, const std::string& precision,
                    const std::vector<ThroughputRow>& throughput) {
  // The whole system in the precision of the accuracies; the largest batch tells the rate, batch 1 the latency.
  const ThroughputRow* rate = nullptr;
  const ThroughputRow* latency = nullptr;
  for (const ThroughputRow& row : throughput) {
    if (row.model_label != label || row.part != "whole" || row.precision != precision) continue;
    if (row.clips_per_s && (rate == nullptr || row.batch > rate->batch)) rate = &row;
    if (row.p50_ms && row.batch == 1 && latency == nullptr) latency = &row;
  }
  for (const ThroughputRow* row : {rate, latency}) {
    if (row != nullptr && !row->valid) line.throughput_note = "invalid: " + row->invalid_reason;
  }
  if (!line.throughput_note.empty()) return;
  if (rate != nullptr) {
    line.clips_per_s = rate->clips_per_s;
    line.clips_per_s_spread = rate->clips_per_s_spread;
  }
  if (latency != nullptr) line.latency_p50_ms = latency->p50_ms;
}

// What guessing reaches: 1/2; the share of positives, averaged over the tags that have any; one in as many classes.
double chance_level(const RowGroup& group, const TagSelection& selection, const std::string& metric) {
  if (metric == "roc_auc") return 0.5;
  std::vector<double> shares;
  for (const Row* row : group.rows) {
    if (!row->metrics) continue;
    if (metric == "accuracy") return 1.0 / static_cast<double>(std::max<size_t>(1, row->tags.size()));
    std::vector<double> of_tags;
    for (size_t t = 0; t < row->tags.size(); ++t) {
      const TagMetrics& tag = row->metrics->per_tag[t];
      if (tag.average_precision.value && selection.holds(row->tags[t]))
        of_tags.push_back(static_cast<double>(tag.n_positive) / static_cast<double>(tag.n_known));
    }
    if (!of_tags.empty()) shares.push_back(arithmetic_mean(of_tags));
  }
  return shares.empty() ? 0.0 : arithmetic_mean(shares);
}

void add_robustness_figures(ResultTable& table, const RowGroup& group, const TableLayout& layout,
                            const TagSelection& selection, const std::vector<LineReplicates>& replicates,
                            const std::string& reference) {
  const auto clean = clean_place(layout);
  if (!clean || table.conditions.size() < 2) return;
  size_t reference_line = 0;
  bool has_reference = reference.empty();
  for (size_t l = 0; l < table.lines.size(); ++l) {
    if (table.lines[l].model_label != reference) continue;
    reference_line = l;
    has_reference = true;
  }
  if (!has_reference)
    table.notes.push_back("The reference " + reference + " is not in this table; " + table.lines.front().model_label +
                          " takes its place.");
  table.chance = chance_level(group, selection, table.metric);
  std::vector<RobustnessInput> inputs;
  for (size_t l = 0; l < table.lines.size(); ++l) {
    RobustnessInput input;
    for (size_t c = 0; c < table.conditions.size(); ++c) {
      input.means.push_back(table.lines[l].values[c].mean);
      for (const auto& [repeat, values] : condition_values(layout.lines[l].by_condition[c], table.metric)) {
        OptionalValues& of_repeat = input.repeats[repeat.first][repeat.second];
        of_repeat.resize(table.conditions.size());
        of_repeat[c] = arithmetic_mean(values);
      }
    }
    if (!replicates.empty()) input.replicates = replicates[l];
    inputs.push_back(std::move(input));
  }
  add_robustness(table, inputs, *clean, reference_line);
}

ResultTable table_frame(const RowGroup& group, const TableLayout& layout, const std::string& metric) {
  const Row& any = *group.rows.front();
  ResultTable table;
  table.metric = metric;
  table.dataset = any.cell.dataset;
  table.task = any.cell.task;
  table.protocol = any.cell.protocol;
  table.protocol_sha256 = any.cell.protocol_sha256;
  table.precision = any.cell.precision;
  table.audio = any.cell.audio;
  table.tracks = any.tracks;
  table.conformance = any.cell.conformance;
  table.splits = layout.splits;
  table.seeds = layout.seeds;
  table.conditions = layout.condition_labels;
  table.condition_keys = layout.condition_keys;
  if (layout.splits.size() == 1) {
    table.split = layout.splits[0].first;
    table.split_sha256 = layout.splits[0].second;
  } else {
    table.split = layout.splits.front().first + " to " + layout.splits.back().first;
    std::string all;
    for (const auto& [name, sha256] : layout.splits) all += name + " " + sha256 + "\n";
    table.split_sha256 = sha256_hex(all);
  }
  return table;
}

ResultTable::Line table_line(const LineCells& cells, const TableLayout& layout, const ResultTable& table,
                             const std::vector<ThroughputRow>& throughput) {
  ResultTable::Line line;
  line.model_label = cells.label;
  for (const auto& condition : cells.by_condition) line.values.push_back(condition_value(condition, table.metric));
  line.mean_drop = mean_drop_value(cells, layout, table.metric);
  std::set<std::string> left_out;
  for (const Row* row : cells.all) {
    line.parameters = std::max(line.parameters, row->parameters);
    line.n_failed += row->status == "done" ? 0 : 1;
    for (const TrackFailure& failure : row->failures) left_out.insert(failure.id);
    line.keys.push_back(row->cell.key());
  }
  line.n_tracks_left_out = static_cast<int64_t>(left_out.size());
  add_throughput(line, cells.all.front()->model_label, table.precision, throughput);
  return line;
}

void note_throughput(const ResultTable& table, const std::vector<ThroughputRow>& throughput,
                     std::vector<std::string>& notes) {
  std::set<std::string> settings;
  for (const ThroughputRow& row : throughput) {
    if (row.part == "whole" && row.precision == table.precision) {
      settings.insert(row.device + ", " + counted(static_cast<size_t>(std::max(row.threads, 0)), "thread") + ", " +
                      row.precision);
    }
  }
  for (const auto& line : table.lines) {
    if (!line.throughput_note.empty())
      notes.push_back("Speed of " + line.model_label + " is not shown: the measurement is " + line.throughput_note);
  }
  if (settings.empty()) return;
  notes.push_back("Speed, front end included (" + join_text({settings.begin(), settings.end()}, "; ") +
                  "): clips/s with the largest batch measured, latency of batch 1 (median).");
  if (settings.size() > 1) notes.emplace_back("Speeds were measured under several settings: compare within one only.");
}

void check_reference(const std::vector<ResultTable>& tables, const std::string& reference) {
  if (reference.empty() || tables.empty()) return;
  std::vector<std::string> known;
  for (const ResultTable& table : tables) {
    for (const auto& line : table.lines) {
      if (line.model_label == reference) return;
      if (std::find(known.begin(), known.end(), line.model_label) == known.end()) known.push_back(line.model_label);
    }
  }
  throw_unknown_name("reference architecture", reference, known);
}

std::vector<ResultTable> tables_over(const RunStore& run, const std::vector<Row>& all_rows,
                                     const TagSelection& selection, const ReportOptions& options) {
  std::vector<Row> rows;
  for (const Row& row : all_rows) rows.push_back(selection.narrowed(row));
  const std::vector<ThroughputRow> throughput = run.throughput();
  const std::vector<std::string> run_notes = notes_of_run(run, all_rows);
  std::vector<ResultTable> tables;
  for (const RowGroup& group : group_rows(rows)) {
    const TableLayout layout = lay_out(run, group);
    std::vector<std::string> metrics;
    // Accuracy is about all classes at once.
    if (group.rows.front()->cell.task == "multiclass" && selection.all()) metrics.emplace_back("accuracy");
    metrics.emplace_back("roc_auc");
    metrics.emplace_back("average_precision");
    const GroupReplicates samples = resample_group(run, layout, metrics, selection, options);
    std::vector<OracleInput> systems;
    for (const LineCells& cells : layout.lines) systems.push_back({cells.label, cells.all});
    std::vector<std::string> oracle_notes;
    const auto oracle = oracle_lines(run, systems, metrics, selection, options, oracle_notes);
    for (size_t m = 0; m < metrics.size(); ++m) {
      ResultTable table = table_frame(group, layout, metrics[m]);
      table.oracle = oracle[m];
      for (const LineCells& cells : layout.lines) table.lines.push_back(table_line(cells, layout, table, throughput));
      add_intervals(layout, samples, m, table);
      add_robustness_figures(table, group, layout, selection,
                             samples.resamples > 0 ? samples.paired[m] : std::vector<LineReplicates>(),
                             options.reference);
      if (!group.differs.empty()) {
        table.notes.push_back("A table of its own, not to be merged with others of this data set and protocol: " +
                              join_text(group.differs, ", ") + ".");
      }
      note_intervals(layout, samples, table);
      note_omissions(group, layout, selection, table);
      note_throughput(table, throughput, table.notes);
      table.notes.insert(table.notes.end(), oracle_notes.begin(), oracle_notes.end());
      table.notes.insert(table.notes.end(), run_notes.begin(), run_notes.end());
      tables.push_back(std::move(table));
    }
  }
  check_reference(tables, options.reference);
  return tables;
}

std::string named_tags(const std::vector<FalsifiedTag>& tags) {
  std::vector<std::string> texts;
  for (const FalsifiedTag& tag : tags)
    texts.push_back(tag.tag + " (" + first_names(tag.conditions, kMostConditionsNamed) + ")");
  return first_names(texts, kMostTagsNamed);
}

}  // namespace

std::vector<ResultTable> build_tables(const RunStore& run, const ReportOptions& options) {
  const std::vector<Row> rows = run.rows();
  if (options.falsified_tags == FalsifiedTags::kKeep) return tables_over(run, rows, {}, options);
  const std::vector<FalsifiedTag> falsified = falsified_tags(
      run, rows, options.tag_kinds != nullptr ? *options.tag_kinds : std::map<std::string, std::string>());
  if (falsified.empty()) {
    std::vector<ResultTable> tables = tables_over(run, rows, {}, options);
    for (ResultTable& table : tables)
      table.notes.emplace_back("No tag is of a kind that a condition of the run may falsify: none is left out.");
    return tables;
  }
  const std::string count = counted(falsified.size(), "tag");
  std::vector<ResultTable> tables = tables_over(run, rows, TagSelection::without(falsified), options);
  for (ResultTable& table : tables) {
    table.tags_shown = "without " + count + " that conditions may falsify";
    table.notes.push_back(
        "Left out under every condition, because some may make their labels wrong: " + named_tags(falsified) + ".");
  }
  if (options.falsified_tags == FalsifiedTags::kOmit) return tables;
  for (ResultTable& table : tables_over(run, rows, TagSelection::only(falsified), options)) {
    table.tags_shown = "only " + count + " that conditions may falsify";
    table.notes.push_back(
        "These tags alone, whose labels the conditions in brackets may make wrong: " + named_tags(falsified) + ".");
    tables.push_back(std::move(table));
  }
  return tables;
}

}  // namespace tagbench
