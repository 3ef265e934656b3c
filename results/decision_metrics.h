#pragma once

#include <string>
#include <vector>

#include "harness/metrics/metrics.h"

namespace tagbench {

// Names: precision_macro, recall_macro, f1_macro, precision_micro, recall_micro, f1_micro.
const std::vector<std::string>& decision_metric_names();

// Precision, recall or F1 of yes-or-no decisions, as scikit-learn's precision_recall_fscore_support gives them, for
// comparison with published numbers: a tag without decided or without true positives counts as 0 in the macro mean
// there and here. `decision`: a number: positive where the score is strictly greater. "oracle": one threshold per tag,
// the lowest score at which "this score or more" has the best F1 on these very labels; positive where the score is
// strictly greater than that (so the track at the threshold is not), as MediaEval 2019 evaluated. Such values are upper
// bounds of what a system can decide. Only known labels count. Undefined (with a reason) without any known label.
// Errors: UsageError for unknown names; as compute_metrics for bad labels and scores.
MetricValue decision_metric(const LabelMatrix& labels, const ScoreMatrix& scores, const std::string& metric,
                            const std::string& decision);

}  // namespace tagbench
