#include "harness/run/selection.h"

#include <limits>

namespace tagbench {

Selection::Selection(const Protocol& protocol)
    : rule_(protocol.selection),
      best_score_(rule_ == "valid_loss" ? 1.0 - protocol.selection_start : -std::numeric_limits<double>::infinity()) {}

double Selection::score(double value) const {
  return rule_ == "valid_loss" ? 1.0 - value : value;
}

bool Selection::observe(int epoch, double value) {
  const bool best = rule_ == "last" || score(value) > best_score_;
  if (!best) return false;
  best_epoch_ = epoch;
  best_value_ = value;
  best_score_ = score(value);
  return true;
}

void Selection::restore(int best_epoch, double best_value) {
  if (best_epoch == 0) return;
  best_epoch_ = best_epoch;
  best_value_ = best_value;
  best_score_ = score(best_value);
}

}  // namespace tagbench
