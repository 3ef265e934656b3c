#include "harness/core/csv.h"

#include <csv.h>

#include <algorithm>
#include <exception>
#include <fstream>
#include <sstream>

#include "harness/core/errors.h"
#include "harness/core/text.h"

namespace tagbench {
namespace {

struct Reader {
  const std::string& source;
  const std::function<void(const CsvRow&)>& consume;
  CsvRow row;
  int64_t line = 1;
  std::exception_ptr error;  // an exception must not cross libcsv's C frames
};

void on_field(void* data, size_t size, void* user) {
  auto& reader = *static_cast<Reader*>(user);
  reader.row.fields.emplace_back(static_cast<const char*>(data), size);
}

void on_row(int /*terminator*/, void* user) {
  auto& reader = *static_cast<Reader*>(user);
  reader.row.line = reader.line;
  const bool blank = reader.row.fields.size() == 1 && reader.row.fields[0].empty();
  if (!reader.error && !blank) {
    try {
      reader.consume(reader.row);
    } catch (...) {
      reader.error = std::current_exception();
    }
  }
  reader.row.fields.clear();
}

void read_stream(std::istream& file, const std::string& source, const CsvFormat& format,
                 const std::function<void(const CsvRow&)>& consume) {
  csv_parser parser;
  if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0)
    throw std::logic_error("csv: the parser could not be set up");
  csv_set_delim(&parser, static_cast<unsigned char>(format.delimiter));
  // By default libcsv trims blanks around fields; file names may begin or end with one.
  csv_set_space_func(&parser, [](unsigned char) { return 0; });
  Reader reader{source, consume, {}, 1, nullptr};
  std::string line;
  bool first = true;
  const auto syntax_error = [&]() -> std::string {
    return source + ", line " + std::to_string(reader.line) + ": malformed CSV (" + csv_strerror(csv_error(&parser)) +
           ")";
  };
  std::string failure;
  while (failure.empty() && std::getline(file, line)) {
    if (!file.eof()) line += '\n';
    std::string_view text = line;
    if (first && starts_with(text, "\xEF\xBB\xBF")) text.remove_prefix(3);
    if (first && (starts_with(text, "\xFF\xFE") || starts_with(text, "\xFE\xFF"))) {
      failure = source + ", line 1: UTF-16 text; save the file as UTF-8";
      break;
    }
    first = false;
    if (!is_valid_utf8(text) || text.find('\0') != std::string_view::npos) {
      failure = source + ", line " + std::to_string(reader.line) +
                ": text must be UTF-8 without zero bytes; convert the file (for example: iconv -f latin1 -t utf-8)";
      break;
    }
    if (csv_parse(&parser, text.data(), text.size(), on_field, on_row, &reader) != text.size())
      failure = syntax_error();
    if (reader.error) break;
    // A last line without its end is handed out after the loop, still as that line.
    if (!file.eof()) ++reader.line;
  }
  if (failure.empty() && !reader.error && csv_fini(&parser, on_field, on_row, &reader) != 0) failure = syntax_error();
  csv_free(&parser);
  if (reader.error) std::rethrow_exception(reader.error);
  if (!failure.empty()) throw DataError(failure);
  if (file.bad()) throw DataError("cannot read " + source);
}

}  // namespace

void read_csv(const std::filesystem::path& path, const CsvFormat& format,
              const std::function<void(const CsvRow&)>& consume) {
  std::ifstream file(path, std::ios::binary);
  if (!file || std::filesystem::is_directory(path)) throw DataError("cannot open " + path.string() + " for reading");
  read_stream(file, path.string(), format, consume);
}

void parse_csv(std::string_view text, const std::string& source, const CsvFormat& format,
               const std::function<void(const CsvRow&)>& consume) {
  std::istringstream stream{std::string(text)};
  read_stream(stream, source, format, consume);
}

void CsvTable::add(const CsvRow& row) {
  if (header_.empty()) {
    header_ = row.fields;
    for (std::string& name : header_) name = trim(name);
    return;
  }
  if (row.fields.size() != header_.size()) {
    throw DataError(where(row) + ": " + std::to_string(header_.size()) + " fields expected as in the header, found " +
                    std::to_string(row.fields.size()));
  }
  rows_.push_back(row);
}

CsvTable CsvTable::read(const std::filesystem::path& path, const CsvFormat& format) {
  CsvTable table;
  table.source_ = path.string();
  read_csv(path, format, [&](const CsvRow& row) { table.add(row); });
  if (table.header_.empty()) throw DataError(path.string() + ": a header row was expected, the file is empty");
  return table;
}

CsvTable CsvTable::parse(std::string_view text, const std::string& source, const CsvFormat& format) {
  CsvTable table;
  table.source_ = source;
  parse_csv(text, source, format, [&](const CsvRow& row) { table.add(row); });
  if (table.header_.empty()) throw DataError(source + ": a header row was expected, the text is empty");
  return table;
}

bool CsvTable::has_column(std::string_view name) const {
  return std::find(header_.begin(), header_.end(), name) != header_.end();
}

size_t CsvTable::column(std::string_view name) const {
  const auto found = std::find(header_.begin(), header_.end(), name);
  if (found == header_.end()) {
    throw DataError(source_ + ": column '" + std::string(name) + "' is missing; " + suggestion(name, header_));
  }
  return static_cast<size_t>(found - header_.begin());
}

std::string CsvTable::where(const CsvRow& row) const {
  return source_ + ", line " + std::to_string(row.line);
}

std::string csv_line(const std::vector<std::string>& fields, char delimiter) {
  std::string line;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) line += delimiter;
    const std::string& field = fields[i];
    if (field.find_first_of(std::string("\"\r\n") + delimiter) == std::string::npos) {
      line += field;
      continue;
    }
    line += '"';
    for (const char c : field) {
      if (c == '"') line += '"';
      line += c;
    }
    line += '"';
  }
  return line;
}

}  // namespace tagbench
