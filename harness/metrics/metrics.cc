#include "harness/metrics/metrics.h"

#include <cmath>
#include <numeric>
#include <stdexcept>

#include "harness/core/errors.h"
#include "harness/core/npy.h"
#include "harness/core/text.h"
#include "harness/metrics/sorted_keys.h"
#include "harness/metrics/track_terms.h"

namespace tagbench {
namespace {

// 2 x positives x negatives stays below 2^63, so pair counts are exact in 64 bits.
constexpr int64_t kMaxPairs = int64_t{1} << 32U;

constexpr const char* kNoKnown = "no known labels";
constexpr const char* kNoPositives = "no positives among the known labels";
constexpr const char* kNoNegatives = "no negatives among the known labels";

MetricValue defined(double value) {
  return {value, {}};
}

std::string place(int64_t track, int64_t tag) {
  return "track " + std::to_string(track) + ", tag " + std::to_string(tag) + ", counted from 0";
}

// Neumaier's compensated sum: a micro average adds millions of terms.
class CompensatedSum {
 public:
  void add(double term) {
    const double next = sum_ + term;
    correction_ += std::abs(sum_) >= std::abs(term) ? (sum_ - next) + term : (term - next) + sum_;
    sum_ = next;
  }
  double value() const { return sum_ + correction_; }

 private:
  double sum_ = 0.0;
  double correction_ = 0.0;
};

struct RankingMetrics {
  MetricValue roc_auc;
  MetricValue average_precision;
};

// Keys ascending. One walk from the highest score down, a tie group at a time.
template <typename Key>
RankingMetrics ranking_metrics(const Key* positives, size_t n_positives, const Key* negatives, size_t n_negatives) {
  if (n_positives == 0) {
    const std::string reason = n_negatives == 0 ? kNoKnown : kNoPositives;
    return {undefined_metric(reason), undefined_metric(reason)};
  }
  uint64_t twice_pairs_won = 0;  // a tied pair counts one, a pair in the right order two
  CompensatedSum precision_sum;  // over positives, of the precision at their score
  size_t p = n_positives;
  size_t n = n_negatives;
  while (p > 0) {
    const Key key = positives[p - 1];
    while (n > 0 && negatives[n - 1] > key) --n;
    const size_t p_above = p;
    const size_t n_above = n;
    while (p > 0 && positives[p - 1] == key) --p;
    while (n > 0 && negatives[n - 1] == key) --n;
    const auto in_group = static_cast<uint64_t>(p_above - p);
    twice_pairs_won += in_group * static_cast<uint64_t>(n + n_above);
    const auto true_positives = static_cast<double>(n_positives - p);
    const auto retrieved = static_cast<double>((n_positives - p) + (n_negatives - n));
    precision_sum.add(static_cast<double>(in_group) * true_positives / retrieved);
  }
  RankingMetrics metrics;
  metrics.average_precision = defined(precision_sum.value() / static_cast<double>(n_positives));
  if (n_negatives == 0) {
    metrics.roc_auc = undefined_metric(kNoNegatives);
  } else {
    const uint64_t twice_pairs = 2U * static_cast<uint64_t>(n_positives) * static_cast<uint64_t>(n_negatives);
    metrics.roc_auc = defined(static_cast<double>(twice_pairs_won) / static_cast<double>(twice_pairs));
  }
  return metrics;
}

void check_shapes(const LabelMatrix& labels, int64_t n_tracks, int64_t n_tags, bool one_pointer, bool has_labels) {
  if (labels.n_tracks < 0 || labels.n_tags < 0) {
    throw std::logic_error("metrics: negative shape " + shape_text({labels.n_tracks, labels.n_tags}));
  }
  if (labels.n_tracks != n_tracks || labels.n_tags != n_tags) {
    throw DataError("metrics: expected scores of the labels' shape " + shape_text({labels.n_tracks, labels.n_tags}) +
                    ", found " + shape_text({n_tracks, n_tags}));
  }
  if (n_tags > 0 && n_tracks > kMaxPairs / n_tags) {
    throw DataError("metrics: expected at most 2^32 pairs of track and tag, found shape " +
                    shape_text({n_tracks, n_tags}));
  }
  if (n_tracks * n_tags > 0 && !(one_pointer && has_labels)) {
    throw std::logic_error("metrics: labels and exactly one kind of scores must be given");
  }
}

// One score type at a time. Keys are held per tag and class, one tag after the other, so that all tags' keys together
// are the micro list.
template <typename Score>
class Evaluation {
 public:
  using Key = decltype(order_key(Score{}));

  Evaluation(const LabelMatrix& labels, const Score* scores) : labels_(labels), scores_(scores) {
    check_values();
    group_keys();
  }

  TaggingMetrics tagging_metrics(bool multiclass) {
    TaggingMetrics metrics;
    metrics.n_tracks = labels_.n_tracks;
    metrics.n_tags = labels_.n_tags;
    size_t positives_begin = 0;
    size_t negatives_begin = 0;
    for (size_t k = 0; k < counts_.size(); ++k) {
      const size_t n_positives = counts_[k].positives;
      const size_t n_negatives = counts_[k].negatives;
      const RankingMetrics ranking = sorted_ranking(positives_.data() + positives_begin, n_positives,
                                                    negatives_.data() + negatives_begin, n_negatives);
      positives_begin += n_positives;
      negatives_begin += n_negatives;
      metrics.per_tag.push_back({static_cast<int64_t>(n_positives), static_cast<int64_t>(n_positives + n_negatives),
                                 ranking.roc_auc, ranking.average_precision});
      if (!ranking.roc_auc.value || !ranking.average_precision.value)
        metrics.undefined_tags.push_back(static_cast<int64_t>(k));
    }
    average(metrics);
    const RankingMetrics micro =
        sorted_ranking(positives_.data(), positives_.size(), negatives_.data(), negatives_.size());
    metrics.micro = {micro.roc_auc, micro.average_precision};
    metrics.log_loss = log_loss();
    metrics.accuracy = multiclass ? accuracy() : undefined_metric("defined for multiclass tasks only");
    return metrics;
  }

 private:
  struct ClassCounts {
    size_t positives = 0;
    size_t negatives = 0;
  };

  // Also counts the classes.
  void check_values() {
    const int64_t n_tags = labels_.n_tags;
    counts_.resize(static_cast<size_t>(n_tags));
    size_t i = 0;
    for (int64_t track = 0; track < labels_.n_tracks; ++track) {
      for (int64_t tag = 0; tag < n_tags; ++tag, ++i) {
        if (std::isnan(scores_[i]))
          throw DataError("metrics: expected scores that are numbers, found NaN (" + place(track, tag) + ")");
        if (labels_.known != nullptr && labels_.known[i] > 1) {
          throw DataError("metrics: expected a mask of 0 and 1, found " + std::to_string(labels_.known[i]) + " (" +
                          place(track, tag) + ")");
        }
        if (!is_known(labels_, i)) continue;
        if (labels_.values[i] > 1) {
          throw DataError("metrics: expected labels 0 or 1, found " + std::to_string(labels_.values[i]) + " (" +
                          place(track, tag) + ")");
        }
        ClassCounts& counts = counts_[static_cast<size_t>(tag)];
        counts.positives += labels_.values[i];
        counts.negatives += 1U - labels_.values[i];
      }
    }
  }

  void group_keys() {
    ClassCounts total;
    for (const ClassCounts& counts : counts_) {
      total.positives += counts.positives;
      total.negatives += counts.negatives;
    }
    positives_.resize(total.positives);
    negatives_.resize(total.negatives);
    std::vector<Key*> ends;  // per tag: where its next negative, its next positive go
    Key* positives = positives_.data();
    Key* negatives = negatives_.data();
    for (const ClassCounts& counts : counts_) {
      ends.push_back(negatives);
      ends.push_back(positives);
      negatives += counts.negatives;
      positives += counts.positives;
    }
    size_t i = 0;
    for (int64_t track = 0; track < labels_.n_tracks; ++track) {
      for (size_t k = 0; k < counts_.size(); ++k, ++i) {
        if (is_known(labels_, i)) *ends[2 * k + labels_.values[i]]++ = order_key(scores_[i]);
      }
    }
  }

  RankingMetrics sorted_ranking(Key* positives, size_t n_positives, Key* negatives, size_t n_negatives) {
    sort_keys(positives, n_positives, scratch_);
    sort_keys(negatives, n_negatives, scratch_);
    return ranking_metrics(positives, n_positives, negatives, n_negatives);
  }

  static MetricValue mean_over_tags(const TaggingMetrics& metrics, MetricValue TagMetrics::*metric, bool by_positives,
                                    const std::string& reason) {
    double sum = 0.0;
    double weights = 0.0;
    for (const TagMetrics& tag : metrics.per_tag) {
      const MetricValue& value = tag.*metric;
      if (!value.value) continue;
      const double weight = by_positives ? static_cast<double>(tag.n_positive) : 1.0;
      sum += weight * *value.value;
      weights += weight;
    }
    return weights > 0.0 ? defined(sum / weights) : undefined_metric(reason);
  }

  static void average(TaggingMetrics& metrics) {
    const std::string no_roc_auc = "no tag with both classes among its known labels";
    const std::string no_precision = "no tag with positives among its known labels";
    metrics.macro = {mean_over_tags(metrics, &TagMetrics::roc_auc, false, no_roc_auc),
                     mean_over_tags(metrics, &TagMetrics::average_precision, false, no_precision)};
    metrics.weighted = {mean_over_tags(metrics, &TagMetrics::roc_auc, true, no_roc_auc),
                        mean_over_tags(metrics, &TagMetrics::average_precision, true, no_precision)};
  }

  MetricValue log_loss() const {
    CompensatedSum sum;
    int64_t n = 0;
    size_t i = 0;
    for (int64_t track = 0; track < labels_.n_tracks; ++track) {
      for (int64_t tag = 0; tag < labels_.n_tags; ++tag, ++i) {
        if (!is_known(labels_, i)) continue;
        if (!is_probability(scores_[i])) {
          return undefined_metric("scores are no probabilities: " + format_real(static_cast<double>(scores_[i])) +
                                  " (" + place(track, tag) + ")");
        }
        sum.add(pair_log_loss(labels_.values[i], scores_[i]));
        ++n;
      }
    }
    return n > 0 ? defined(sum.value() / static_cast<double>(n)) : undefined_metric(kNoKnown);
  }

  MetricValue accuracy() const {
    int64_t n_scored = 0;
    int64_t n_right = 0;
    for (int64_t track = 0; track < labels_.n_tracks; ++track) {
      const std::optional<bool> right = classified_right(labels_, scores_, track);
      if (!right) continue;
      ++n_scored;
      if (*right) ++n_right;
    }
    if (n_scored == 0) return undefined_metric("no track with known labels");
    return defined(static_cast<double>(n_right) / static_cast<double>(n_scored));
  }

  const LabelMatrix& labels_;
  const Score* scores_;
  std::vector<ClassCounts> counts_;
  std::vector<Key> positives_;
  std::vector<Key> negatives_;
  std::vector<Key> scratch_;
};

}  // namespace

TaggingMetrics compute_metrics(const LabelMatrix& labels, const ScoreMatrix& scores, bool multiclass) {
  const bool one_pointer = (scores.float32 != nullptr) != (scores.float64 != nullptr);
  check_shapes(labels, scores.n_tracks, scores.n_tags, one_pointer, labels.values != nullptr);
  if (scores.float32 != nullptr) return Evaluation<float>(labels, scores.float32).tagging_metrics(multiclass);
  return Evaluation<double>(labels, scores.float64).tagging_metrics(multiclass);
}

}  // namespace tagbench
