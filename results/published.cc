#include "results/published.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "harness/core/csv.h"
#include "harness/core/errors.h"
#include "harness/core/options.h"
#include "harness/core/text.h"
#include "results/embedded_text.h"

namespace tagbench {
namespace {

std::string optional_text(const std::optional<int64_t>& value) {
  return value ? std::to_string(*value) : "";
}

struct Column {
  std::string name;
  std::string (*get)(const PublishedValue&);
};

const std::vector<Column>& columns() {
  using Value = PublishedValue;
  static const std::vector<Column> list = {
      {"source", [](const Value& v) { return v.source; }},
      {"citation", [](const Value& v) { return v.citation; }},
      {"table", [](const Value& v) { return v.table; }},
      {"row", [](const Value& v) { return v.row; }},
      {"column", [](const Value& v) { return v.column; }},
      {"dataset", [](const Value& v) { return v.dataset; }},
      {"split", [](const Value& v) { return v.split; }},
      {"n_tracks", [](const Value& v) { return optional_text(v.n_tracks); }},
      {"n_tags", [](const Value& v) { return optional_text(v.n_tags); }},
      {"model", [](const Value& v) { return v.model; }},
      {"variant", [](const Value& v) { return v.variant; }},
      {"registry_model", [](const Value& v) { return v.registry_model; }},
      {"protocol", [](const Value& v) { return v.protocol; }},
      {"tag", [](const Value& v) { return v.tag; }},
      {"metric", [](const Value& v) { return v.metric; }},
      {"decision", [](const Value& v) { return v.decision; }},
      {"printed", [](const Value& v) { return v.printed; }},
      {"unit", [](const Value& v) { return v.unit; }},
      {"value", [](const Value& v) { return format_real(v.value); }},
      {"deviation", [](const Value& v) { return v.deviation ? format_real(*v.deviation) : std::string(); }},
      {"deviation_over", [](const Value& v) { return v.deviation_over; }},
      {"parameters", [](const Value& v) { return v.parameters; }},
      {"note", [](const Value& v) { return v.note; }},
  };
  return list;
}

double unit_scale(const std::string& unit) {
  return unit == "percent" || unit == "percentage points" ? 0.01 : 1.0;
}

bool contains_text(const std::string& text, const std::string& wanted) {
  return to_lower(text).find(to_lower(wanted)) != std::string::npos;
}

std::string published_field(const PublishedValue& value, const std::string& column) {
  return find_registered(columns(), column, "column of published values", [](const Column& c) { return c.name; })
      .get(value);
}

// The fields of one row, with complaints that name the line.
class PublishedRow {
 public:
  PublishedRow(const CsvTable& table, const CsvRow& row) : table_(table), row_(row) {}

  std::string text(const std::string& column) const { return row_.fields[table_.column(column)]; }
  std::string required(const std::string& column) const {
    std::string value = text(column);
    if (value.empty()) fail(column, "must not be empty");
    return value;
  }
  std::string one_of(const std::string& column, const std::vector<std::string>& known) const {
    std::string value = text(column);
    if (std::find(known.begin(), known.end(), value) == known.end())
      fail(column, "unknown value '" + value + "'; " + suggestion(value, known));
    return value;
  }
  double real(const std::string& column) const {
    const auto value = parse_real(text(column));
    if (!value || !std::isfinite(*value)) fail(column, "must be a finite number, found '" + text(column) + "'");
    return *value;
  }
  std::optional<double> optional_real(const std::string& column) const {
    if (text(column).empty()) return std::nullopt;
    return real(column);
  }
  std::optional<int64_t> optional_count(const std::string& column) const {
    if (text(column).empty()) return std::nullopt;
    const auto value = parse_integer(text(column));
    if (!value || *value <= 0) fail(column, "must be a positive whole number, found '" + text(column) + "'");
    return value;
  }
  [[noreturn]] void fail(const std::string& column, const std::string& message) const {
    throw DataError(table_.where(row_) + ": column '" + column + "': " + message);
  }

 private:
  const CsvTable& table_;
  const CsvRow& row_;
};

PublishedValue parse_row(const PublishedRow& row, const std::string& source) {
  PublishedValue value;
  value.source = row.one_of("source", {source});
  value.citation = row.required("citation");
  value.table = row.required("table");
  value.row = row.required("row");
  value.column = row.required("column");
  value.dataset = row.text("dataset");
  value.split = row.text("split");
  value.n_tracks = row.optional_count("n_tracks");
  value.n_tags = row.optional_count("n_tags");
  value.model = row.required("model");
  value.variant = row.text("variant");
  value.registry_model = row.text("registry_model");
  value.protocol = row.text("protocol");
  value.tag = row.text("tag");
  value.metric = row.required("metric");
  value.decision = row.one_of("decision", {"", "oracle", "submitted", "0.5", "0.2"});
  value.printed = row.required("printed");
  value.unit = row.one_of("unit", {"fraction", "percent", "percentage points", "pixels", "rmse", "number"});
  value.value = row.real("value");
  value.deviation = row.optional_real("deviation");
  value.deviation_over = row.text("deviation_over");
  value.parameters = row.text("parameters");
  value.note = row.text("note");
  const auto printed = parse_real(value.printed);
  // One rounding of the product is all that may lie between the two.
  if (!printed ||
      std::abs(*printed * unit_scale(value.unit) - value.value) > 1e-12 * std::max(1.0, std::abs(value.value))) {
    row.fail("value", "must be the printed '" + value.printed + "' in " + value.unit + ", found " + row.text("value"));
  }
  if (value.unit == "fraction" || value.unit == "percent") {
    if (value.value < 0.0 || value.value > 1.0)
      row.fail("value", "must lie between 0 and 1 for this unit, found " + row.text("value"));
  }
  if (value.deviation && (*value.deviation < 0.0 || value.deviation_over.empty())) {
    row.fail("deviation", "must not be negative, and 'deviation_over' must say over what it is");
  }
  return value;
}

}  // namespace

double PublishedValue::rounding() const {
  const size_t point = printed.find('.');
  const size_t decimals = point == std::string::npos ? 0 : printed.size() - point - 1;
  return 0.5 * std::pow(10.0, -static_cast<double>(decimals)) * unit_scale(unit);
}

Json PublishedValue::to_json() const {
  Json json = Json::object();
  for (const Column& entry : columns()) json[entry.name] = entry.get(*this);
  json["n_tracks"] = n_tracks ? Json(*n_tracks) : Json(nullptr);
  json["n_tags"] = n_tags ? Json(*n_tags) : Json(nullptr);
  json["value"] = value;
  json["deviation"] = json_number(deviation);
  return json;
}

std::vector<PublishedValue> parse_published(std::string_view csv_text, const std::string& name) {
  const CsvTable table = CsvTable::parse(csv_text, name + ".csv");
  std::vector<PublishedValue> values;
  std::set<std::vector<std::string>> seen;
  for (const CsvRow& csv_row : table.rows()) {
    const PublishedRow row(table, csv_row);
    PublishedValue value = parse_row(row, name);
    const std::vector<std::string> quantity = {value.table,   value.dataset, value.split,  value.model,
                                               value.variant, value.tag,     value.metric, value.decision};
    if (!seen.insert(quantity).second) row.fail("metric", "this quantity stands in the file twice");
    values.push_back(std::move(value));
  }
  return values;
}

const std::vector<PublishedValue>& published_values() {
  static const std::vector<PublishedValue> values = [] {
    std::vector<PublishedValue> all;
    for (const EmbeddedText& file : published_files()) {
      std::vector<PublishedValue> part =
          parse_published(file.text, std::string(file.name.substr(0, file.name.rfind('.'))));
      all.insert(all.end(), std::make_move_iterator(part.begin()), std::make_move_iterator(part.end()));
    }
    return all;
  }();
  return values;
}

const std::vector<std::string>& published_columns() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
    for (const Column& column : columns()) list.push_back(column.name);
    return list;
  }();
  return names;
}

std::vector<PublishedValue> find_published(const std::vector<std::string>& filters) {
  std::vector<PublishedValue> found = published_values();
  for (const std::string& filter : filters) {
    const size_t equals = filter.find('=');
    const std::string field = equals == std::string::npos ? "" : trim(filter.substr(0, equals));
    const std::string wanted = equals == std::string::npos ? filter : filter.substr(equals + 1);
    const auto keep = [&](const PublishedValue& value) {
      if (!field.empty()) return contains_text(published_field(value, field), wanted);
      for (const char* name :
           {"source", "citation", "dataset", "model", "variant", "registry_model", "metric", "tag"}) {
        if (contains_text(published_field(value, name), wanted)) return true;
      }
      return false;
    };
    found.erase(std::remove_if(found.begin(), found.end(), [&](const PublishedValue& value) { return !keep(value); }),
                found.end());
    if (found.empty()) {
      std::vector<std::string> sources;
      for (const PublishedValue& value : published_values()) {
        if (sources.empty() || sources.back() != value.source) sources.push_back(value.source);
      }
      throw UsageError("published values: nothing matches '" + join_text(filters, "' and '") + "'; " +
                       suggestion(wanted, sources));
    }
  }
  return found;
}

}  // namespace tagbench
