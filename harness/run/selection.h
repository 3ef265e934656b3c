#pragma once

#include "harness/run/protocol.h"

namespace tagbench {

// Which epoch's weights are kept.
//
// valid_loss: an epoch is best when 1 - loss is strictly greater than the best so far, which starts at 1 -
// selection_start (0 in won2020: a loss of 1 or more never counts). valid_roc_auc, valid_average_precision: strictly
// greater than all before. last: every epoch. Source of the loss rule: official training code of Won et al. 2020.
class Selection {
 public:
  explicit Selection(const Protocol& protocol);
  // True if this epoch is the new best. `value` is the protocol's selection value (unused for "last").
  bool observe(int epoch, double value);
  int best_epoch() const { return best_epoch_; }  // 0: none yet
  double best_value() const { return best_value_; }
  // Continues from a checkpoint.
  void restore(int best_epoch, double best_value);

 private:
  double score(double value) const;
  std::string rule_;
  double best_score_;
  int best_epoch_ = 0;
  double best_value_ = 0.0;
};

}  // namespace tagbench
