#include "reports/formats.h"

#include "harness/core/options.h"

namespace tagbench {

const std::vector<ReportFormat>& report_formats() {
  static const std::vector<ReportFormat> formats = {
      {"md", "aligned Markdown tables, also for terminals", "md", write_markdown},
      {"csv", "tidy: one line per cell, metric and tag", "csv", write_csv},
      {"json", "everything: tables with intervals, rows, throughput", "json", write_json_report},
      {"latex", "booktabs tables, to compile alone or to include", "tex", write_latex},
      {"html", "one page that opens offline: tables to sort and filter, figures, tags", "html", write_html},
  };
  return formats;
}

const ReportFormat& find_report_format(std::string_view name) {
  return find_registered(report_formats(), name, "report format",
                         [](const ReportFormat& format) { return format.name; });
}

}  // namespace tagbench
