#include "results/text_table.h"

#include <algorithm>

#include "harness/core/json.h"

namespace tagbench {
namespace {

size_t display_width(const std::string& text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         static_cast<unsigned char>(c) >= 0x80U;
}

}  // namespace

std::string aligned_markdown(const std::vector<std::vector<std::string>>& rows, size_t left_aligned) {
  const size_t n_columns = rows.front().size();
  std::vector<size_t> widths(n_columns, 3);
  for (const auto& row : rows) {
    for (size_t i = 0; i < n_columns; ++i) widths[i] = std::max(widths[i], display_width(row[i]));
  }
  std::string text;
  for (size_t r = 0; r < rows.size(); ++r) {
    for (size_t i = 0; i < n_columns; ++i) {
      const std::string padding(widths[i] - display_width(rows[r][i]), ' ');
      text += "| " + (i < left_aligned ? rows[r][i] + padding : padding + rows[r][i]) + " ";
    }
    text += "|\n";
    if (r > 0) continue;
    for (size_t i = 0; i < n_columns; ++i) {
      text += i < left_aligned ? "|:" + std::string(widths[i] + 1, '-') : "|" + std::string(widths[i] + 1, '-') + ":";
    }
    text += "|\n";
  }
  return text;
}

std::string escape_markdown(const std::string& text) {
  std::string escaped;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool inside_word = i > 0 && i + 1 < text.size() && is_word(text[i - 1]) && is_word(text[i + 1]);
    if (c == '<') {
      escaped += "&lt;";
    } else if (c == '&') {
      escaped += "&amp;";
    } else if (static_cast<unsigned char>(c) < 0x20U || c == 0x7F) {
      escaped += ' ';
    } else {
      if (c == '|' || c == '*' || c == '`' || c == '\\' || c == '[' || c == ']' || (c == '_' && !inside_word))
        escaped += '\\';
      escaped += c;
    }
  }
  return escaped;
}

std::string valid_utf8(const std::string& text) {
  return Json::parse(Json(text).dump(-1, ' ', false, Json::error_handler_t::replace)).get<std::string>();
}

}  // namespace tagbench
