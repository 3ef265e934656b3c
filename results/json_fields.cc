#include "results/json_fields.h"

#include <cmath>
#include <utility>

#include "harness/core/errors.h"

namespace tagbench {
namespace {

std::string found_text(const Json& value) {
  constexpr size_t kMostShown = 40;
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > kMostShown) text = text.substr(0, kMostShown) + "...";
  return std::string(value.type_name()) + " " + text;
}

}  // namespace

JsonFields::JsonFields(const Json& json, std::string source, std::string path, std::string remedy)
    : json_(json), source_(std::move(source)), path_(std::move(path)), remedy_(std::move(remedy)) {
  if (!json_.is_object()) {
    throw DataError(source_ + ": " + (path_.empty() ? "the file" : "field '" + path_ + "'") +
                    " must be an object, found " + found_text(json_) + "; " + remedy_);
  }
}

void JsonFields::fail(const std::string& field, const std::string& message) const {
  throw DataError(source_ + ": field '" + (path_.empty() ? field : path_ + "." + field) + "' " + message + "; " +
                  remedy_);
}

bool JsonFields::has(const std::string& field) const {
  return json_.contains(field);
}

const Json& JsonFields::at(const std::string& field) const {
  const auto found = json_.find(field);
  if (found == json_.end()) fail(field, "is missing");
  return *found;
}

std::string JsonFields::text(const std::string& field) const {
  const Json& value = at(field);
  if (!value.is_string()) fail(field, "must be text, found " + found_text(value));
  return value.get<std::string>();
}

int64_t JsonFields::integer(const std::string& field) const {
  const Json& value = at(field);
  const bool too_large = value.is_number_unsigned() && value.get<uint64_t>() > static_cast<uint64_t>(INT64_MAX);
  if (!value.is_number_integer() || too_large) fail(field, "must be a whole number, found " + found_text(value));
  return value.get<int64_t>();
}

int64_t JsonFields::count(const std::string& field) const {
  const int64_t value = integer(field);
  if (value < 0) fail(field, "must be 0 or more, found " + std::to_string(value));
  return value;
}

double JsonFields::real(const std::string& field) const {
  const Json& value = at(field);
  if (!value.is_number() || !std::isfinite(value.get<double>()))
    fail(field, "must be a finite number, found " + found_text(value));
  return value.get<double>();
}

bool JsonFields::flag(const std::string& field) const {
  const Json& value = at(field);
  if (!value.is_boolean()) fail(field, "must be true or false, found " + found_text(value));
  return value.get<bool>();
}

std::optional<double> JsonFields::optional_real(const std::string& field) const {
  if (at(field).is_null()) return std::nullopt;
  return real(field);
}

MetricValue JsonFields::metric(const std::string& field, const std::string& reason_field) const {
  MetricValue metric;
  metric.value = optional_real(field);
  if (!metric.value) {
    metric.reason = text(reason_field);
    if (metric.reason.empty()) fail(reason_field, "must say why '" + field + "' is null, found empty text");
  }
  return metric;
}

const Json& JsonFields::array(const std::string& field) const {
  const Json& value = at(field);
  if (!value.is_array()) fail(field, "must be a list, found " + found_text(value));
  return value;
}

std::vector<std::string> JsonFields::texts(const std::string& field) const {
  std::vector<std::string> values;
  for (const Json& value : array(field)) {
    if (!value.is_string()) fail(field, "must be a list of texts, found in it " + found_text(value));
    values.push_back(value.get<std::string>());
  }
  return values;
}

JsonFields JsonFields::object(const std::string& field) const {
  return {at(field), source_, path_.empty() ? field : path_ + "." + field, remedy_};
}

JsonFields JsonFields::element(const std::string& field, size_t index) const {
  const Json& value = array(field);
  if (index >= value.size()) fail(field, "has no element " + std::to_string(index));
  return {value[index], source_, (path_.empty() ? field : path_ + "." + field) + "[" + std::to_string(index) + "]",
          remedy_};
}

}  // namespace tagbench
