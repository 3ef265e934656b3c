#include <algorithm>
#include <functional>
#include <stdexcept>

#include "harness/core/files.h"
#include "harness/core/text.h"
#include "reports/flatten.h"
#include "reports/formats.h"
#include "reports/oracle.h"
#include "reports/page_data.h"
#include "reports/table_text.h"
#include "results/embedded_text.h"

namespace tagbench {
namespace {

// JSON that stays inside its script element whatever it holds.
std::string script_json(const Json& json) {
  const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::string safe;
  safe.reserve(text.size());
  for (const char c : text) {
    if (c == '<') {
      safe += "\\u003c";
    } else {
      safe += c;
    }
  }
  return safe;
}

std::string page_file(std::string_view name) {
  for (const EmbeddedText& file : page_files()) {
    if (file.name == name) return std::string(file.text);
  }
  throw std::logic_error("the page's " + std::string(name) + " is not part of the program");
}

std::string value_cell(const TableValue& value, const std::string& condition) {
  std::string attributes = condition.empty() ? "" : " data-condition=\"" + escape_markup(condition) + "\"";
  if (!value.mean)
    return "<td class=\"none\"" + attributes + " title=\"" + escape_markup(value.reason) + "\">&ndash;</td>";
  attributes += " data-value=\"" + format_real(*value.mean) + "\"";
  if (value.best) attributes += " class=\"best\" title=\"better than every other architecture on the same tracks\"";
  std::string cell = "<td" + attributes + ">" + value_text(value, " &plusmn;&nbsp;");
  const std::string interval = interval_text(value);
  if (!interval.empty()) cell += "<span class=\"interval\">" + interval + "</span>";
  return cell + "</td>";
}

std::string number_cell(const std::string& shown, const std::optional<double>& value) {
  if (!value) return "<td class=\"none\">" + escape_markup(shown) + "</td>";
  return "<td data-value=\"" + format_real(*value) + "\">" + escape_markup(shown) + "</td>";
}

std::string table_html(const ResultTable& table) {
  std::string text = "<div class=\"one-table\"><div class=\"scroll\"><table>\n<caption>" +
                     escape_markup(table_title(table)) + "</caption>\n<thead><tr>";
  text += "<th scope=\"col\">architecture</th>";
  const std::vector<std::string> heads = condition_heads(table.conditions);
  for (size_t c = 0; c < heads.size(); ++c) {
    text += "<th scope=\"col\" data-condition=\"" + escape_markup(table.conditions[c]) + "\">" +
            escape_markup(heads[c]) + "</th>";
  }
  for (const char* head : {"mean drop", "parameters", "clips/s", "latency ms"})
    text += std::string("<th scope=\"col\">") + head + "</th>";
  text += "</tr></thead>\n<tbody>\n";
  for (size_t l = 0; l < table.lines.size(); ++l) {
    const ResultTable::Line& line = table.lines[l];
    text +=
        "<tr data-line=\"" + std::to_string(l) + "\"><th scope=\"row\">" + escape_markup(line.model_label) + "</th>";
    for (size_t c = 0; c < heads.size(); ++c) text += value_cell(line.values[c], table.conditions[c]);
    text += value_cell(line.mean_drop, "");
    const std::string absent = line.throughput_note.empty() ? "\xE2\x80\x93" : "invalid";
    const auto parameters =
        line.parameters > 0 ? std::optional<double>(static_cast<double>(line.parameters)) : std::nullopt;
    text += number_cell(parameters ? grouped_digits(line.parameters) : "\xE2\x80\x93", parameters);
    text += number_cell(line.clips_per_s ? rate_text(*line.clips_per_s) : absent, line.clips_per_s);
    text += number_cell(line.latency_p50_ms ? rate_text(*line.latency_p50_ms) : absent, line.latency_p50_ms);
    text += "</tr>\n";
  }
  text += "</tbody></table></div>\n<ul class=\"notes\">\n";
  for (const std::string& note : table.notes) text += "<li>" + escape_markup(note) + "</li>\n";
  return text + "</ul></div>\n";
}

std::string text_table_html(const TextTable& table) {
  if (table.rows.empty()) return "";
  std::string text =
      "<div class=\"scroll\"><table>\n<caption>" + escape_markup(table.title) + "</caption>\n<thead><tr>";
  for (const std::string& head : table.rows.front()) text += "<th scope=\"col\">" + escape_markup(head) + "</th>";
  text += "</tr></thead>\n<tbody>\n";
  for (size_t r = 1; r < table.rows.size(); ++r) {
    text += "<tr><th scope=\"row\">" + escape_markup(table.rows[r].front()) + "</th>";
    for (size_t i = 1; i < table.rows[r].size(); ++i) text += "<td>" + escape_markup(table.rows[r][i]) + "</td>";
    text += "</tr>\n";
  }
  text += "</tbody></table></div>\n<ul class=\"notes\">\n";
  for (const std::string& note : table.notes) text += "<li>" + escape_markup(note) + "</li>\n";
  return text + "</ul>\n";
}

// One element per result table; scripts show that of the chosen one.
std::string side_tables(const std::vector<ResultTable>& tables,
                        const std::function<std::string(const ResultTable&)>& make) {
  std::string text;
  for (size_t i = 0; i < tables.size(); ++i)
    text += "<div class=\"side-table\" data-table=\"" + std::to_string(i) + "\">" + make(tables[i]) + "</div>\n";
  return text;
}

constexpr size_t kMostPairsOfPage = 60;

std::string comparisons_html(const ResultTable& table) {
  if (table.comparisons.empty()) return "<p class=\"none\">No two architectures could be compared.</p>\n";
  const std::string& first = table.comparisons.front().condition;
  std::string text = text_table_html(comparisons_text(table, first, kMostPairsOfPage));
  if (first != "mean drop") text += text_table_html(comparisons_text(table, "mean drop", kMostPairsOfPage));
  return text;
}

std::string settings_html(const Settings& settings, const std::string& caption) {
  if (settings.empty()) return "";
  std::string text = "<details><summary>" + escape_markup(caption) +
                     "</summary><div class=\"scroll\"><table class=\"facts-table\"><tbody>\n";
  for (const auto& [name, value] : settings) {
    text += "<tr><th scope=\"row\">" + escape_markup(name) + "</th><td>" + escape_markup(value) + "</td></tr>\n";
  }
  return text + "</tbody></table></div></details>\n";
}

std::string split_facts(const std::vector<ResultTable>& tables) {
  std::string text =
      "<div class=\"scroll\"><table class=\"facts-table\"><thead><tr><th scope=\"col\">data set</th><th "
      "scope=\"col\">task</th><th scope=\"col\">split</th>"
      "<th scope=\"col\">SHA-256</th><th scope=\"col\">protocol</th><th scope=\"col\">protocol's SHA-256</th><th "
      "scope=\"col\">audio</th>"
      "<th scope=\"col\">precision</th></tr></thead><tbody>\n";
  std::vector<std::string> seen;
  for (const ResultTable& table : tables) {
    for (const auto& [name, sha256] : table.splits) {
      std::string row;
      for (const std::string& field : {table.dataset, table.task, name, sha256, table.protocol, table.protocol_sha256,
                                       table.audio, table.precision}) {
        row += "<td>" + escape_markup(field) + "</td>";
      }
      if (std::find(seen.begin(), seen.end(), row) != seen.end()) continue;
      seen.push_back(row);
      text += "<tr>" + row + "</tr>\n";
    }
  }
  return text + "</tbody></table></div>\n";
}

std::string controls(const std::vector<ResultTable>& tables) {
  std::string text =
      "<div class=\"bar script-only\" role=\"group\" aria-label=\"What is shown\">\n<label>table<select "
      "id=\"pick-table\">";
  for (size_t i = 0; i < tables.size(); ++i)
    text += "<option value=\"" + std::to_string(i) + "\">" + escape_markup(table_title(tables[i])) + "</option>";
  return text + R"(</select></label>
<label>architectures containing<input id="filter" type="search" placeholder="all" autocomplete="off"></label>
<details class="pick"><summary>conditions</summary><div><button type="button" id="all-conditions">all</button> <button type="button" id="no-conditions">none</button>
<div id="condition-list"></div></div></details>
<label class="check"><input id="with-intervals" type="checkbox">intervals</label>
<label>colours<select id="theme"><option value="auto">as the system</option><option value="light">light</option><option value="dark">dark</option></select></label>
<span id="shown-count" class="facts" role="status"></span>
</div>
)";
}

struct Section {
  const char* id;
  const char* title;
};
constexpr Section kSections[] = {{"tables", "Results"},
                                 {"differences", "Differences between architectures"},
                                 {"robustness", "Robustness"},
                                 {"severity", "Severity"},
                                 {"pareto", "Accuracy against throughput"},
                                 {"heat", "Tags"},
                                 {"tag", "One tag"},
                                 {"training", "Training"},
                                 {"facts", "Data, splits, environment"}};

}  // namespace

std::string write_html(const RunStore& run, const std::vector<ResultTable>& tables) {
  std::vector<std::string> notes;
  const Json data = page_data(run, tables, notes);
  const Json run_json = run.has_run_json() ? run.read_run_json() : Json::object();
  std::string name = std::filesystem::absolute(run.directory()).lexically_normal().filename().string();
  const auto given = run_json.find("name");
  if (given != run_json.end() && given->is_string() && !given->get<std::string>().empty())
    name = given->get<std::string>();

  Settings run_facts;
  flatten(run_json, "", run_facts);
  Settings environment;
  if (std::filesystem::exists(run.directory() / "env.json"))
    flatten(read_json(run.directory() / "env.json"), "", environment);

  std::string page = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  // Nothing may be fetched, whatever a name in the data holds.
  page +=
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
      "script-src 'unsafe-inline'; "
      "img-src data: blob:; base-uri 'none'; form-action 'none'\">\n";
  page +=
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<link rel=\"icon\" href=\"data:,\">\n";
  page += "<title>" + escape_markup(name) + " - tagbench</title>\n<style>\n" + page_file("page.css") +
          "</style>\n</head>\n<body>\n";
  page += "<a class=\"skip\" href=\"#tables\">To the results</a>\n<header><h1>" + escape_markup(name) + "</h1>\n";
  const auto text_of = [&](const char* field) {
    const auto found = run_json.find(field);
    return found != run_json.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  std::vector<std::string> facts;
  for (const char* field : {"dataset", "task", "status", "started", "ended"}) {
    if (!text_of(field).empty()) facts.push_back(std::string(field) + ": " + text_of(field));
  }
  page += "<p class=\"facts\">" + escape_markup(join_text(facts, ", ")) +
          "</p></header>\n<nav aria-label=\"Sections\"><ul>";
  for (const Section& section : kSections)
    page += std::string("<li><a href=\"#") + section.id + "\">" + section.title + "</a></li>";
  page += "</ul></nav>\n<main>\n";
  page +=
      "<noscript><p>The tables below are complete. Figures, sorting and filters need scripts, which this browser does "
      "not run.</p></noscript>\n";
  if (!tables.empty()) page += controls(tables);
  for (const Section& section : kSections) {
    page += std::string("<section id=\"") + section.id + "\">\n<h2>" + section.title + "</h2>\n";
    const std::string id = section.id;
    if (id == "tables") {
      if (tables.empty()) page += "<p>No finished cells yet.</p>\n";
      for (const ResultTable& table : tables) page += table_html(table);
      for (const ResultTable& table : tables) page += text_table_html(oracle_text(table));
      if (!notes.empty()) page += "<ul class=\"notes\">\n";
      for (const std::string& note : notes) page += "<li>" + escape_markup(note) + "</li>\n";
      if (!notes.empty()) page += "</ul>\n";
    } else if (id == "differences") {
      page += side_tables(tables, comparisons_html);
    } else if (id == "robustness") {
      page += side_tables(tables, [](const ResultTable& table) { return text_table_html(robustness_text(table)); });
    } else if (id == "facts") {
      page += split_facts(tables) + settings_html(environment, "Environment") + settings_html(run_facts, "Run");
      const std::filesystem::path config = run.directory() / "config.resolved.yaml";
      if (std::filesystem::exists(config)) {
        page += "<details><summary>Configuration</summary><pre>" +
                escape_markup(read_text_file(config, uint64_t{1} << 20U)) + "</pre></details>\n";
      }
    }
    page += "</section>\n";
  }
  page += "</main>\n<script type=\"application/json\" id=\"data\">" + script_json(data) + "</script>\n<script>\n" +
          page_file("page.js") + "</script>\n";
  return page + "</body>\n</html>\n";
}

}  // namespace tagbench
