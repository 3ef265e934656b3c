#pragma once

#include <string>
#include <vector>

#include "harness/core/json.h"

namespace tagbench {

// Rows of named columns, printed to stdout as aligned text, CSV or JSON (an array of objects).
class Listing {
 public:
  explicit Listing(std::vector<std::string> columns) : columns_(std::move(columns)) {}
  // One value per column; null prints as "-" in text and as nothing in CSV.
  void add(std::vector<Json> values);
  // "table", "csv" or "json". Errors: UsageError for another format.
  void print(const std::string& format) const;
  size_t size() const { return rows_.size(); }

 private:
  std::vector<std::string> columns_;
  std::vector<std::vector<Json>> rows_;
};

// Writes to stdout and checks that it arrived. Errors: DataError (a full disk behind a redirection).
void print_text(const std::string& text);

}  // namespace tagbench
