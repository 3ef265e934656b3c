#pragma once

#include <string>
#include <vector>

#include "reports/report.h"

// One writer per format; reports/formats.cc lists them.
namespace tagbench {

std::string write_markdown(const RunStore& run, const std::vector<ResultTable>& tables);
std::string write_csv(const RunStore& run, const std::vector<ResultTable>& tables);
std::string write_json_report(const RunStore& run, const std::vector<ResultTable>& tables);
std::string write_latex(const RunStore& run, const std::vector<ResultTable>& tables);
std::string write_html(const RunStore& run, const std::vector<ResultTable>& tables);

}  // namespace tagbench
