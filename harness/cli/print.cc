#include "harness/cli/print.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <stdexcept>

#include "harness/core/csv.h"
#include "harness/core/errors.h"
#include "harness/core/text.h"

namespace tagbench {
namespace {

std::string cell_text(const Json& value, const char* missing) {
  if (value.is_null()) return missing;
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return format_real(value.get<double>());
  if (value.is_array()) {
    std::vector<std::string> parts;
    for (const Json& item : value) parts.push_back(cell_text(item, missing));
    return join_text(parts, " ");
  }
  return value.dump();
}

// Characters, not bytes: UTF-8 continuation bytes take no column.
size_t width(const std::string& text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

}  // namespace

void Listing::add(std::vector<Json> values) {
  if (values.size() != columns_.size())
    throw std::logic_error("Listing: a row has another number of values than there are columns");
  rows_.push_back(std::move(values));
}

void Listing::print(const std::string& format) const {
  std::string text;
  if (format == "json") {
    Json all = Json::array();
    for (const auto& row : rows_) {
      Json item;
      for (size_t c = 0; c < columns_.size(); ++c) item[columns_[c]] = row[c];
      all.push_back(item);
    }
    text = all.dump(2) + "\n";
  } else if (format == "csv") {
    text = csv_line(columns_) + "\n";
    for (const auto& row : rows_) {
      std::vector<std::string> fields;
      for (const Json& value : row) fields.push_back(cell_text(value, ""));
      text += csv_line(fields) + "\n";
    }
  } else if (format == "table") {
    std::vector<size_t> widths;
    std::vector<bool> numeric;
    for (size_t c = 0; c < columns_.size(); ++c) {
      size_t widest = width(columns_[c]);
      bool all_numbers = !rows_.empty();
      for (const auto& row : rows_) {
        widest = std::max(widest, width(cell_text(row[c], "-")));
        all_numbers = all_numbers && (row[c].is_number() || row[c].is_null());
      }
      widths.push_back(widest);
      numeric.push_back(all_numbers);
    }
    const auto line = [&](const std::vector<std::string>& cells) {
      std::string out;
      for (size_t c = 0; c < cells.size(); ++c) {
        const std::string pad(widths[c] - width(cells[c]), ' ');
        out += (c > 0 ? "  " : "") + (numeric[c] ? pad + cells[c] : cells[c] + pad);
      }
      while (!out.empty() && out.back() == ' ') out.pop_back();
      return out + "\n";
    };
    text = line(columns_);
    for (const auto& row : rows_) {
      std::vector<std::string> cells;
      for (const Json& value : row) cells.push_back(cell_text(value, "-"));
      text += line(cells);
    }
  } else {
    throw UsageError("--format: unknown format '" + format + "'; " + suggestion(format, {"table", "csv", "json"}));
  }
  print_text(text);
}

void print_text(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    // A reader that closed the pipe (head) has what it wanted.
    if (errno == EPIPE) return;
    throw DataError(std::string("cannot write to standard output: ") + std::strerror(errno));
  }
}

}  // namespace tagbench
