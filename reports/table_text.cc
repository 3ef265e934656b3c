#include "reports/table_text.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "harness/core/options.h"
#include "harness/core/text.h"

namespace tagbench {
namespace {

constexpr int kDecimals = 4;

}  // namespace

std::string table_title(const ResultTable& table) {
  return metric_title(table.metric) + ", " + table.dataset + ", " + (table.splits.size() > 1 ? "folds " : "split ") +
         table.split + ", protocol " + table.protocol +
         (table.tracks.empty() ? "" : ", test tracks of " + table.tracks);
}

std::vector<std::string> condition_heads(const std::vector<std::string>& conditions) {
  std::vector<std::string> heads;
  std::set<std::string> seen;
  for (const std::string& condition : conditions) {
    std::string head;
    for (const std::string& step : split_text(condition, '+')) {
      const size_t colon = step.find(':');
      head += (head.empty() ? "" : "+") + step.substr(0, colon);
      if (colon == std::string::npos) continue;
      for (const std::string& option : split_text(step.substr(colon + 1), ',')) {
        const size_t equals = option.find('=');
        head += " " + (equals == std::string::npos ? option : option.substr(equals + 1));
      }
    }
    if (!seen.insert(head).second) return conditions;
    heads.push_back(head);
  }
  return heads;
}

std::string grouped_digits(int64_t value) {
  std::string digits = std::to_string(value);
  for (auto place = static_cast<std::ptrdiff_t>(digits.size()) - 3; place > (value < 0 ? 1 : 0); place -= 3) {
    digits.insert(static_cast<size_t>(place), ",");
  }
  return digits;
}

std::string rate_text(double value) {
  const double size = std::abs(value);
  return format_fixed(value, size >= 100.0 ? 0 : size >= 10.0 ? 1 : 2);
}

std::string value_text(const TableValue& value, const std::string& plus_minus) {
  if (!value.mean) return "-";
  const std::string mean = format_fixed(*value.mean, kDecimals);
  return value.deviation ? mean + plus_minus + format_fixed(*value.deviation, kDecimals) : mean;
}

std::string interval_text(const TableValue& value) {
  if (!value.low || !value.high) return "";
  return "[" + format_fixed(*value.low, kDecimals) + ", " + format_fixed(*value.high, kDecimals) + "]";
}

}  // namespace tagbench
