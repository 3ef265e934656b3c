#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/core/json.h"

namespace tagbench {

// One quoted number with its citation. The files results/published/<source>.csv hold these fields as columns of the
// same names and are compiled into the program.
struct PublishedValue {
  std::string source;    // short name, that of its file: "won2020"
  std::string citation;  // authors, year, title
  std::string table;     // where it stands: "Table 2", a file of a repository
  std::string row;       // of that table
  std::string column;
  std::string dataset;  // as rows of results name it, where a reader exists: "magnatagatune"; "" where none is meant
  std::string split;    // as rows name it ("a|b": either of two with the same test tracks), or the source's words
  std::optional<int64_t> n_tracks;  // scored
  std::optional<int64_t> n_tags;
  std::string model;  // the source's words
  std::string variant;
  std::string registry_model;  // our name of the same architecture; "" if there is none
  std::string protocol;  // our name of the protocol it was trained and evaluated under; "" where it is another one or
                         // not stated
  std::string tag;       // of per-tag values; "": over all tags
  std::string metric;    // as metric_names() or decision_metric_names() have it; other names have no counterpart here
  std::string decision;  // of precision, recall, F1: "0.5" (a threshold), "oracle" (per tag, best F1 on the test
                         // labels), "submitted"
  std::string printed;   // the digits as printed
  std::string unit;      // "fraction", "percent", "percentage points", "pixels", "rmse", "number"
  double value = 0.0;    // a fraction for the first three units
  std::optional<double> deviation;
  std::string deviation_over;  // "10 seeds"
  std::string parameters;      // as stated or computed: "447732", "5.9M"
  std::string note;

  // Half a unit of the last printed digit: a value that rounds to the printed one lies within it.
  double rounding() const;
  // By the columns' names; counts, value and deviation are numbers, or null where the source has none.
  Json to_json() const;
};

// All of them, sorted by source, in the order of the files.
const std::vector<PublishedValue>& published_values();

// Those whose field contains the wanted text, case ignored. A filter is "field=text" with a column's name, or just
// text, which may be in source, citation, dataset, model, variant, metric or tag. All filters must match. Errors:
// UsageError for an unknown field, or filters that nothing matches.
std::vector<PublishedValue> find_published(const std::vector<std::string>& filters);

// Reads and checks a file of this schema. `name` is its source and begins the messages.
// Errors: DataError: missing columns, another source, numbers that do not parse, a value that is not the printed one in
// its unit, unknown units or decisions, two rows for one quantity.
std::vector<PublishedValue> parse_published(std::string_view csv_text, const std::string& name);

// The names of the columns, in order.
const std::vector<std::string>& published_columns();

}  // namespace tagbench
