#pragma once

#include "harness/core/json.h"
#include "reports/report.h"

namespace tagbench {

// Every field of a table under the name it has in ResultTable; values carry mean, deviation, low, high, n, best and,
// without a mean, a reason.
Json table_to_json(const ResultTable& table);

}  // namespace tagbench
