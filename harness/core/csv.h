#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tagbench {

struct CsvRow {
  std::vector<std::string> fields;
  int64_t line = 0;  // line of the file on which the row ends, from 1
};

struct CsvFormat {
  char delimiter = ',';
};

// Calls `consume` for each row, in order, holding one row at a time (libcsv). Accepts LF and CRLF, quoted fields, and a
// UTF-8 byte order mark, which is dropped. Blank lines are skipped. Fields are kept as they are, inner blanks included.
// Errors: DataError that names file and line: unreadable file, unbalanced quotes, text that is not UTF-8, a zero byte.
void read_csv(const std::filesystem::path& path, const CsvFormat& format,
              const std::function<void(const CsvRow&)>& consume);
// The same for text that is in memory; `source` takes the place of the file's name in messages.
void parse_csv(std::string_view text, const std::string& source, const CsvFormat& format,
               const std::function<void(const CsvRow&)>& consume);

// A CSV file with a header row, in memory.
class CsvTable {
 public:
  static CsvTable read(const std::filesystem::path& path, const CsvFormat& format = {});
  static CsvTable parse(std::string_view text, const std::string& source, const CsvFormat& format = {});

  const std::vector<std::string>& header() const { return header_; }
  const std::vector<CsvRow>& rows() const { return rows_; }
  bool has_column(std::string_view name) const;
  // Errors: DataError that names the file, the column wanted, the nearest and the known ones.
  size_t column(std::string_view name) const;
  // "labels.csv, line 7"
  std::string where(const CsvRow& row) const;

 private:
  void add(const CsvRow& row);
  std::string source_;
  std::vector<std::string> header_;
  std::vector<CsvRow> rows_;
};

// One line without its end; fields are quoted where they must be.
std::string csv_line(const std::vector<std::string>& fields, char delimiter = ',');

}  // namespace tagbench
