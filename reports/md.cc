#include <algorithm>

#include "harness/core/text.h"
#include "reports/formats.h"
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
    parts.push_back(table_markdown(table));
  }
  return join_text(parts, "\n");
}

}  // namespace tagbench
