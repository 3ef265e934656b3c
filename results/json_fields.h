#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/core/json.h"
#include "harness/metrics/metrics.h"

namespace tagbench {

// Reads the fields of one JSON object strictly. Every complaint is a DataError that names the source, the field's
// dotted path, what was expected and what was found, and what to do.
class JsonFields {
 public:
  // `remedy` ends every message: "delete the cell's folder and run again". `json` must outlive the object.
  JsonFields(const Json& json, std::string source, std::string path, std::string remedy);

  const Json& at(const std::string& field) const;
  bool has(const std::string& field) const;
  std::string text(const std::string& field) const;
  int64_t integer(const std::string& field) const;
  // An integer of at least 0.
  int64_t count(const std::string& field) const;
  double real(const std::string& field) const;
  bool flag(const std::string& field) const;
  // Nothing for null; the field must be there.
  std::optional<double> optional_real(const std::string& field) const;
  // A number, or null with the text in `reason_field`, which must then be there and not be empty.
  MetricValue metric(const std::string& field, const std::string& reason_field = "reason") const;
  const Json& array(const std::string& field) const;
  std::vector<std::string> texts(const std::string& field) const;
  JsonFields object(const std::string& field) const;
  // Element `index` of an array field, which must be an object.
  JsonFields element(const std::string& field, size_t index) const;
  [[noreturn]] void fail(const std::string& field, const std::string& message) const;

 private:
  const Json& json_;
  std::string source_;
  std::string path_;
  std::string remedy_;
};

}  // namespace tagbench
