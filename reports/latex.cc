#include <algorithm>
#include <cstdint>

#include "harness/core/text.h"
#include "reports/formats.h"
#include "reports/oracle.h"
#include "reports/table_text.h"

namespace tagbench {
namespace {

// Works as a document of its own and as a file to \input: in a document \@nodocument is \relax.
constexpr const char* kHead =
    R"(% Compile this file as it is, or \input it into a document that loads booktabs and graphicx.
\makeatletter
\ifx\@nodocument\relax\else
  \documentclass{article}
  \usepackage[utf8]{inputenc}
  \usepackage{booktabs,graphicx}
  \usepackage[margin=15mm,landscape]{geometry}
  \begin{document}
  \def\tagbenchend{\end{document}}
\fi
\makeatother
)";
constexpr const char* kTail = R"(
\ifdefined\tagbenchend\expandafter\tagbenchend\fi
)";

// The code point at `place`, which is moved past it. The text is valid UTF-8 (JSON and CSV readers refuse other text).
uint32_t next_code_point(const std::string& text, size_t& place) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const uint32_t lead = byte(place);
  const size_t length = lead < 0x80U ? 1 : lead < 0xE0U ? 2 : lead < 0xF0U ? 3 : 4;
  uint32_t code = length == 1 ? lead : lead & (0xFFU >> (length + 1));
  for (size_t i = 1; i < length; ++i) code = (code << 6U) | (byte(place + i) & 0x3FU);
  place += length;
  return code;
}

// Letters of Latin-1 that pdfLaTeX knows in its default font encoding; it stops at most other characters.
bool is_latin_letter(uint32_t code) {
  const uint32_t lower = code | 0x20U;  // eth, thorn, and the signs of multiplication and division are not in it
  return code >= 0xC0U && code <= 0xFFU && lower != 0xF0U && lower != 0xFEU && lower != 0xF7U;
}

std::string code_point_name(uint32_t code) {
  std::string digits;
  for (int shift = 20; shift >= 0; shift -= 4) {
    const uint32_t digit = (code >> static_cast<uint32_t>(shift)) & 0xFU;
    if (digit == 0 && digits.empty() && shift >= 16) continue;
    digits += "0123456789ABCDEF"[digit];
  }
  return "\\texttt{U+" + digits + "}";
}

std::string escape_latex(const std::string& text) {
  std::string escaped;
  for (size_t i = 0; i < text.size();) {
    const size_t begin = i;
    const uint32_t code = next_code_point(text, i);
    if (code >= 0x80U) {
      if (code == 0xB1U) {
        escaped += "$\\pm$";
      } else {
        escaped += is_latin_letter(code) ? text.substr(begin, i - begin) : code_point_name(code);
      }
      continue;
    }
    const char c = static_cast<char>(code);
    switch (c) {
      case '\\':
        escaped += "\\textbackslash{}";
        break;
      case '~':
        escaped += "\\textasciitilde{}";
        break;
      case '^':
        escaped += "\\textasciicircum{}";
        break;
      case '<':
        escaped += "\\textless{}";
        break;
      case '>':
        escaped += "\\textgreater{}";
        break;
      case '|':
        escaped += "\\textbar{}";
        break;
      case '"':
        escaped += "{''}";
        break;
      case '&':
      case '%':
      case '$':
      case '#':
      case '_':
      case '{':
      case '}':
        escaped += std::string("\\") + c;
        break;
      // Brackets at the start of a row would be read as an option of \\.
      case '[':
      case ']':
        escaped += std::string("{") + c + "}";
        break;
      case '-':
        escaped += escaped.empty() || escaped.back() != '-' ? "-" : "{}-";
        break;
      default:
        escaped += code < 0x20U || code == 0x7FU ? ' ' : c;
    }
  }
  return escaped;
}

std::string number_text(const TableValue& value) {
  if (!value.mean) return "--";
  const std::string mean = format_fixed(*value.mean, 4);
  return value.best ? "\\textbf{" + mean + "}" : mean;
}

std::string spread_text(const TableValue& value) {
  if (!value.mean) return "";
  if (value.deviation) return "{\\scriptsize $\\pm$ " + format_fixed(*value.deviation, 4) + "}";
  if (!value.low) return "";
  return "{\\scriptsize {[}" + format_fixed(*value.low, 4) + ", " + format_fixed(*value.high, 4) + "{]}}";
}

std::string oracle_latex(const ResultTable& table) {
  const TextTable cells = oracle_text(table);
  if (cells.rows.empty()) return "";
  std::string text = "\n\\begin{table}[htbp]\n\\centering\n\\caption{" + escape_latex(cells.title) + "}\n";
  text += "\\resizebox{\\ifdim\\width>\\linewidth\\linewidth\\else\\width\\fi}{!}{%\n\\begin{tabular}{" +
          std::string(kOracleWords, 'l') + std::string(cells.rows.front().size() - kOracleWords, 'r') +
          "}\n\\toprule\n";
  for (size_t r = 0; r < cells.rows.size(); ++r) {
    for (size_t c = 0; c < cells.rows[r].size(); ++c) text += (c > 0 ? " & " : "") + escape_latex(cells.rows[r][c]);
    text += r == 0 ? " \\\\\n\\midrule\n" : " \\\\\n";
  }
  text += "\\bottomrule\n\\end{tabular}}\n\n\\medskip\n\\begin{minipage}{\\linewidth}\\footnotesize\n";
  for (const std::string& note : cells.notes) text += escape_latex(note) + "\\par\n";
  return text + "\\end{minipage}\n\\end{table}\n";
}

std::string table_latex(const ResultTable& table) {
  const size_t n_columns = table.conditions.size() + 4;
  std::string text = "\n\\begin{table}[htbp]\n\\centering\n\\caption{" + escape_latex(table_title(table)) + "}\n";
  // As wide as the page only where it would be wider.
  text += "\\resizebox{\\ifdim\\width>\\linewidth\\linewidth\\else\\width\\fi}{!}{%\n";
  text += "\\begin{tabular}{l" + std::string(n_columns, 'r') + "}\n\\toprule\narchitecture";
  for (const std::string& condition : condition_heads(table.conditions)) text += " & " + escape_latex(condition);
  text += " & mean drop & parameters & clips/s & latency ms \\\\\n\\midrule\n";
  for (const ResultTable::Line& line : table.lines) {
    std::string numbers = escape_latex(line.model_label);
    std::string spreads;
    bool any_spread = false;
    std::vector<TableValue> values = line.values;
    values.push_back(line.mean_drop);
    for (const TableValue& value : values) {
      numbers += " & " + number_text(value);
      const std::string spread = spread_text(value);
      any_spread = any_spread || !spread.empty();
      spreads += " & " + spread;
    }
    const std::string absent = line.throughput_note.empty() ? "--" : "invalid";
    numbers += " & " + (line.parameters > 0 ? grouped_digits(line.parameters) : "--");
    numbers += " & " + (line.clips_per_s ? rate_text(*line.clips_per_s) : absent);
    numbers += " & " + (line.latency_p50_ms ? rate_text(*line.latency_p50_ms) : absent);
    text += numbers + " \\\\\n";
    if (any_spread) text += spreads + " & & & \\\\\n";
  }
  text += "\\bottomrule\n\\end{tabular}}\n";
  if (!table.notes.empty()) {
    text += "\n\\medskip\n\\begin{minipage}{\\linewidth}\\footnotesize\n";
    for (const std::string& note : table.notes) text += escape_latex(note) + "\\par\n";
    text += "\\end{minipage}\n";
  }
  return text + "\\end{table}\n" + oracle_latex(table);
}

}  // namespace

std::string write_latex(const RunStore& /*run*/, const std::vector<ResultTable>& tables) {
  std::string text = kHead;
  if (tables.empty()) text += "No finished cells yet.\n";
  for (const ResultTable& table : tables) text += table_latex(table);
  return text + kTail;
}

}  // namespace tagbench
