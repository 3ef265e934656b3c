#include <algorithm>

#include "harness/core/text.h"
#include "reports/formats.h"
#include "reports/oracle.h"
#include "reports/table_text.h"

namespace tagbench {
namespace {

std::string marked(const TableValue& value) {
  const std::string text = value_text(value, " ± ");
  return value.best ? "**" + text + "**" : text;
}

std::string table_markdown(const ResultTable& table) {
  const bool with_intervals = table.resamples > 0;
  std::vector<std::string> head = {"architecture"};
  for (const std::string& condition : condition_heads(table.conditions)) {
    head.push_back(escape_markdown(condition));
    if (condition == "clean" && with_intervals) head.emplace_back("95 % interval");
  }
  for (const char* column : {"mean drop", "parameters", "clips/s", "latency ms"}) head.emplace_back(column);
  std::vector<std::vector<std::string>> rows = {head};
  for (const ResultTable::Line& line : table.lines) {
    std::vector<std::string> cells = {escape_markdown(line.model_label)};
    for (size_t c = 0; c < table.conditions.size(); ++c) {
      cells.push_back(marked(line.values[c]));
      if (table.conditions[c] == "clean" && with_intervals) cells.push_back(interval_text(line.values[c]));
    }
    cells.push_back(marked(line.mean_drop));
    cells.push_back(line.parameters > 0 ? grouped_digits(line.parameters) : "-");
    const bool invalid = !line.throughput_note.empty();
    cells.push_back(line.clips_per_s ? rate_text(*line.clips_per_s) : invalid ? "invalid" : "-");
    cells.push_back(line.latency_p50_ms ? rate_text(*line.latency_p50_ms) : invalid ? "invalid" : "-");
    rows.push_back(cells);
  }
  std::string text = "## " + escape_markdown(table_title(table)) + "\n\n" + aligned_markdown(rows, 1) + "\n";
  for (const std::string& note : table.notes) text += "- " + escape_markdown(note) + "\n";
  return text;
}

constexpr size_t kMostPairs = 15;  // shown; json and html have them all

// Brackets and signs of numbers are meant as they stand.
bool is_number(const std::string& cell) {
  return cell.find_first_not_of("0123456789.,+-<[] ±") == std::string::npos;
}

std::string text_table_markdown(const TextTable& table, size_t n_left) {
  if (table.rows.empty()) return "";
  std::vector<std::vector<std::string>> rows = table.rows;
  for (size_t r = 1; r < rows.size(); ++r) {
    for (std::string& cell : rows[r]) {
      if (!is_number(cell)) cell = escape_markdown(cell);
    }
  }
  std::string text = "\n### " + escape_markdown(table.title) + "\n\n" + aligned_markdown(rows, n_left) + "\n";
  for (const std::string& note : table.notes) text += "- " + escape_markdown(note) + "\n";
  return text;
}

// Of the clean condition (or what was compared instead) and of the mean drop.
std::string comparisons_markdown(const ResultTable& table) {
  if (table.comparisons.empty()) return "";
  const std::string& first = table.comparisons.front().condition;
  std::string text = text_table_markdown(comparisons_text(table, first, kMostPairs), 2);
  if (first != "mean drop") text += text_table_markdown(comparisons_text(table, "mean drop", kMostPairs), 2);
  return text;
}

}  // namespace

std::string write_markdown(const RunStore& /*run*/, const std::vector<ResultTable>& tables) {
  if (tables.empty()) return "No finished cells yet.\n";
  std::vector<std::string> parts;
  // Notes that the table before has too are the same facts: one copy is enough.
  std::vector<std::string> said;
  for (ResultTable table : tables) {
    const std::vector<std::string> notes = table.notes;
    table.notes.erase(std::remove_if(table.notes.begin(), table.notes.end(),
                                     [&](const std::string& note) {
                                       return std::find(said.begin(), said.end(), note) != said.end();
                                     }),
                      table.notes.end());
    if (table.notes.size() < notes.size())
      table.notes.insert(table.notes.begin(), "Notes of the table above hold here too.");
    said = notes;
    parts.push_back(table_markdown(table) + text_table_markdown(oracle_text(table), kOracleWords) +
                    text_table_markdown(robustness_text(table), 1) + comparisons_markdown(table));
  }
  return join_text(parts, "\n");
}

}  // namespace tagbench
