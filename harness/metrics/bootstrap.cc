#include "harness/metrics/bootstrap.h"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <map>
#include <set>
#include <stdexcept>

#include "harness/core/errors.h"
#include "harness/core/hash.h"
#include "harness/core/parallel.h"
#include "harness/core/rng.h"
#include "harness/metrics/ranked_list.h"
#include "harness/metrics/statistics.h"

namespace tagbench {
namespace {

constexpr int kMaxResamples = 1000000;

// Groups renumbered 0 .. n_groups-1 in the order of their first track, so that equal partitions give equal resamples.
struct Grouping {
  std::vector<uint32_t> group_of_track;
  int64_t n_groups = 0;
};

Grouping make_grouping(int64_t n_tracks, const std::vector<int64_t>& groups) {
  if (!groups.empty() && static_cast<int64_t>(groups.size()) != n_tracks) {
    throw DataError("metrics: expected one group for each of " + std::to_string(n_tracks) + " tracks, found " +
                    std::to_string(groups.size()));
  }
  Grouping grouping;
  std::map<int64_t, uint32_t> numbers;
  for (size_t track = 0; track < static_cast<size_t>(n_tracks); ++track) {
    const auto fresh = static_cast<uint32_t>(grouping.n_groups);
    uint32_t number = fresh;
    if (!groups.empty() && groups[track] >= 0) number = numbers.emplace(groups[track], fresh).first->second;
    if (number == fresh) ++grouping.n_groups;
    grouping.group_of_track.push_back(number);
  }
  return grouping;
}

uint64_t plan_of(const Grouping& grouping, const BootstrapOptions& options) {
  const std::string_view groups(reinterpret_cast<const char*>(grouping.group_of_track.data()),
                                grouping.group_of_track.size() * sizeof(uint32_t));
  return derived_seed(options.seed, {"bootstrap plan", std::to_string(options.resamples), groups});
}

// Sums of what single tracks add to a mean: the mean is sums / counts.
struct TrackMeans {
  std::vector<double> sums;  // [n_tracks]; empty where the metric is undefined
  std::vector<double> counts;

  void evaluate(const TrackWeights& weights, LaneValues& sum, LaneValues& count) const {
    sum.fill(0.0);
    count.fill(0.0);
    for (size_t track = 0; track < sums.size(); ++track) {
      for (size_t lane = 0; lane < kLanes; ++lane) {
        const auto weight = static_cast<double>(weights[track][lane]);
        sum[lane] += weight * sums[track];
        count[lane] += weight * counts[track];
      }
    }
  }
};

std::optional<double> ratio(double numerator, double denominator) {
  return denominator > 0.0 ? std::optional<double>(numerator / denominator) : std::nullopt;
}

std::optional<double> roc_auc(const WeightedRanking& ranking, size_t lane) {
  const double twice_pairs = 2.0 * ranking.positives[lane] * ranking.negatives[lane];
  return ratio(twice_pairs - ranking.twice_lost[lane], twice_pairs);
}

std::optional<double> average_precision(const WeightedRanking& ranking, size_t lane) {
  return ratio(ranking.precision_sum[lane], ranking.positives[lane]);
}

// Mean over the tags that are defined, per lane.
class MeanOverTags {
 public:
  void add(size_t lane, std::optional<double> value, double weight) {
    if (!value) return;
    sum_[lane] += weight * *value;
    weight_[lane] += weight;
  }
  std::optional<double> value(size_t lane) const { return ratio(sum_[lane], weight_[lane]); }

 private:
  LaneValues sum_{};
  LaneValues weight_{};
};

class Bootstrap {
 public:
  template <typename Score>
  Bootstrap(const LabelMatrix& labels, const Score* scores, const std::vector<int64_t>& groups,
            const BootstrapOptions& options, const TaggingMetrics& metrics)
      : options_(options), grouping_(make_grouping(labels.n_tracks, groups)), n_tags_(labels.n_tags) {
    for (int64_t tag = 0; tag < labels.n_tags; ++tag) lists_.emplace_back(labels, scores, tag, tag + 1);
    lists_.emplace_back(labels, scores, 0, labels.n_tags);
    for (int64_t track = 0; track < labels.n_tracks; ++track) {
      if (metrics.log_loss.value) add_log_loss(labels, scores, track);
      if (metrics.accuracy.value) {
        const std::optional<bool> right = classified_right(labels, scores, track);
        accuracy_.sums.push_back(right.value_or(false) ? 1.0 : 0.0);
        accuracy_.counts.push_back(right ? 1.0 : 0.0);
      }
    }
    count_units(labels);
    n_parts_ = std::min<int64_t>(grouping_.n_groups, kMaxJackknifeParts);
    part_of_group_ = Rng(options.seed, {"jackknife parts"}).permutation(grouping_.n_groups);
    for (int64_t& part : part_of_group_) part %= n_parts_;
    prepare(metrics);
  }

  TaggingReplicates run() {
    const auto lanes = static_cast<int64_t>(kLanes);
    const int64_t n_blocks = (options_.resamples + lanes - 1) / lanes;
    const int64_t n_jackknife_blocks = (n_parts_ + lanes - 1) / lanes;
    parallel_for(n_blocks + n_jackknife_blocks, options_.threads, [&](int64_t block) {
      if (block < n_blocks) {
        const int64_t first = block * lanes;
        const size_t n_lanes = static_cast<size_t>(std::min(lanes, options_.resamples - first));
        evaluate(drawn_weights(first, n_lanes), &Replicates::values, static_cast<size_t>(first), n_lanes);
      } else {
        const int64_t first = (block - n_blocks) * lanes;
        const size_t n_lanes = static_cast<size_t>(std::min(lanes, n_parts_ - first));
        evaluate(weights_without_part(first, n_lanes), &Replicates::jackknife, static_cast<size_t>(first), n_lanes);
      }
    });
    return std::move(replicates_);
  }

 private:
  template <typename Score>
  void add_log_loss(const LabelMatrix& labels, const Score* scores, int64_t track) {
    double sum = 0.0;
    int64_t n = 0;
    for (int64_t tag = 0; tag < labels.n_tags; ++tag) {
      const auto i = static_cast<size_t>(track * labels.n_tags + tag);
      if (!is_known(labels, i)) continue;
      sum += pair_log_loss(labels.values[i], scores[i]);
      ++n;
    }
    log_loss_.sums.push_back(sum);
    log_loss_.counts.push_back(static_cast<double>(n));
  }

  void count_units(const LabelMatrix& labels) {
    for (int64_t tag = 0; tag < n_tags_; ++tag) {
      std::vector<bool> seen[2] = {std::vector<bool>(static_cast<size_t>(grouping_.n_groups)),
                                   std::vector<bool>(static_cast<size_t>(grouping_.n_groups))};
      for (int64_t track = 0; track < labels.n_tracks; ++track) {
        const auto i = static_cast<size_t>(track * labels.n_tags + tag);
        if (is_known(labels, i)) seen[labels.values[i]][grouping_.group_of_track[static_cast<size_t>(track)]] = true;
      }
      n_units_.push_back(
          std::min(std::count(seen[0].begin(), seen[0].end(), true), std::count(seen[1].begin(), seen[1].end(), true)));
    }
  }

  void prepare(const TaggingMetrics& metrics) {
    const uint64_t plan = plan_of(grouping_, options_);
    const auto set_up = [&](Replicates& replicates, const MetricValue& estimate, int64_t n_units) {
      replicates = {estimate,
                    std::vector<std::optional<double>>(static_cast<size_t>(options_.resamples)),
                    std::vector<std::optional<double>>(static_cast<size_t>(n_parts_)),
                    n_units,
                    plan,
                    false};
    };
    const auto set_up_both = [&](TaggingReplicates::Averages& averages, const MetricValue& roc,
                                 const MetricValue& precision, int64_t n_units) {
      set_up(averages.roc_auc, roc, n_units);
      set_up(averages.average_precision, precision, n_units);
    };
    replicates_.per_tag.resize(metrics.per_tag.size());
    for (size_t k = 0; k < metrics.per_tag.size(); ++k) {
      const TagMetrics& tag = metrics.per_tag[k];
      set_up_both(replicates_.per_tag[k], tag.roc_auc, tag.average_precision, n_units_[k]);
    }
    const int64_t n_groups = grouping_.n_groups;
    set_up_both(replicates_.macro, metrics.macro.roc_auc, metrics.macro.average_precision, n_groups);
    set_up_both(replicates_.micro, metrics.micro.roc_auc, metrics.micro.average_precision, n_groups);
    set_up_both(replicates_.weighted, metrics.weighted.roc_auc, metrics.weighted.average_precision, n_groups);
    replicates_.macro.average_precision.recentred = true;
    replicates_.weighted.average_precision.recentred = true;
    set_up(replicates_.log_loss, metrics.log_loss, n_groups);
    set_up(replicates_.accuracy, metrics.accuracy, n_groups);
  }

  // The unused lanes of the last block keep weight 0.
  TrackWeights drawn_weights(int64_t first, size_t n_lanes) const {
    TrackWeights weights(grouping_.group_of_track.size(), LaneCounts{});
    for (size_t lane = 0; lane < n_lanes; ++lane) {
      const std::vector<int32_t> counts =
          resample_counts(grouping_.n_groups, options_.seed, first + static_cast<int64_t>(lane));
      int64_t n_drawn = 0;
      for (size_t track = 0; track < weights.size(); ++track) {
        const int32_t count = counts[grouping_.group_of_track[track]];
        weights[track][lane] = static_cast<uint32_t>(count);
        n_drawn += count;
      }
      if (n_tags_ > 0 && n_drawn > (int64_t{1} << 32U) / n_tags_) {
        throw DataError("metrics: expected at most 2^32 pairs of track and tag in a resample, found " +
                        std::to_string(n_drawn) + " x " + std::to_string(n_tags_));
      }
    }
    return weights;
  }

  TrackWeights weights_without_part(int64_t first, size_t n_lanes) const {
    TrackWeights weights(grouping_.group_of_track.size(), LaneCounts{});
    for (size_t track = 0; track < weights.size(); ++track) {
      const int64_t part = part_of_group_[grouping_.group_of_track[track]];
      for (size_t lane = 0; lane < n_lanes; ++lane)
        weights[track][lane] = part == first + static_cast<int64_t>(lane) ? 0 : 1;
    }
    return weights;
  }

  void evaluate(const TrackWeights& weights, std::vector<std::optional<double>> Replicates::*into, size_t first,
                size_t n_lanes) {
    MeanOverTags macro_roc;
    MeanOverTags macro_precision;
    MeanOverTags weighted_roc;
    MeanOverTags weighted_precision;
    for (size_t k = 0; k < replicates_.per_tag.size(); ++k) {
      const WeightedRanking ranking = lists_[k].evaluate(weights);
      for (size_t lane = 0; lane < n_lanes; ++lane) {
        const std::optional<double> roc = roc_auc(ranking, lane);
        const std::optional<double> precision = average_precision(ranking, lane);
        (replicates_.per_tag[k].roc_auc.*into)[first + lane] = roc;
        (replicates_.per_tag[k].average_precision.*into)[first + lane] = precision;
        macro_roc.add(lane, roc, 1.0);
        macro_precision.add(lane, precision, 1.0);
        weighted_roc.add(lane, roc, ranking.positives[lane]);
        weighted_precision.add(lane, precision, ranking.positives[lane]);
      }
    }
    const WeightedRanking all = lists_.back().evaluate(weights);
    LaneValues loss{};
    LaneValues loss_count{};
    LaneValues right{};
    LaneValues right_count{};
    log_loss_.evaluate(weights, loss, loss_count);
    accuracy_.evaluate(weights, right, right_count);
    for (size_t lane = 0; lane < n_lanes; ++lane) {
      (replicates_.macro.roc_auc.*into)[first + lane] = macro_roc.value(lane);
      (replicates_.macro.average_precision.*into)[first + lane] = macro_precision.value(lane);
      (replicates_.weighted.roc_auc.*into)[first + lane] = weighted_roc.value(lane);
      (replicates_.weighted.average_precision.*into)[first + lane] = weighted_precision.value(lane);
      (replicates_.micro.roc_auc.*into)[first + lane] = roc_auc(all, lane);
      (replicates_.micro.average_precision.*into)[first + lane] = average_precision(all, lane);
      (replicates_.log_loss.*into)[first + lane] = ratio(loss[lane], loss_count[lane]);
      (replicates_.accuracy.*into)[first + lane] = ratio(right[lane], right_count[lane]);
    }
  }

  BootstrapOptions options_;
  Grouping grouping_;
  int64_t n_tags_;
  int64_t n_parts_ = 0;  // of the jackknife
  std::vector<int64_t> part_of_group_;
  std::vector<int64_t> n_units_;   // per tag
  std::vector<RankedList> lists_;  // one per tag, then that of all pairs
  TrackMeans log_loss_;
  TrackMeans accuracy_;
  TaggingReplicates replicates_;
};

template <typename To, typename From, typename Convert>
PerMetric<To> transform(const PerMetric<From>& from, const Convert& convert) {
  const auto both = [&](const typename PerMetric<From>::Averages& averages) {
    return typename PerMetric<To>::Averages{convert(averages.roc_auc), convert(averages.average_precision)};
  };
  PerMetric<To> to{both(from.macro),       both(from.micro),      both(from.weighted), {},
                   convert(from.log_loss), convert(from.accuracy)};
  for (const auto& averages : from.per_tag) to.per_tag.push_back(both(averages));
  return to;
}

std::vector<double> defined_values(const std::vector<std::optional<double>>& values) {
  std::vector<double> defined;
  for (const std::optional<double>& value : values) {
    if (value) defined.push_back(*value);
  }
  return defined;
}

// The bootstrap's distribution, corrected for the bias of its median and for skewness.
class CorrectedDistribution {
 public:
  // `replicates` has an estimate and at least one value.
  explicit CorrectedDistribution(const Replicates& replicates) : sorted_(defined_values(replicates.values)) {
    std::sort(sorted_.begin(), sorted_.end());
    // Equal replicates would only be moved by rounding.
    if (replicates.recentred && sorted_.front() < sorted_.back()) {
      const double mean = arithmetic_mean(sorted_);
      for (double& value : sorted_) value += *replicates.estimate.value - mean;
    }
    estimate_ = *replicates.estimate.value;
    deviation_ = summarize_sample(sorted_).deviation.value_or(0.0);
    bias_ = boost::math::quantile(boost::math::normal(), share_below(estimate_));
    degrees_of_freedom_ = static_cast<double>(replicates.n_units - 1);
    const std::vector<double> left_out = defined_values(replicates.jackknife);
    // A value that hangs on a single part has no skewness to speak of: the correction for bias stays.
    if (left_out.size() == replicates.jackknife.size() && !left_out.empty()) acceleration_ = acceleration(left_out);
  }

  // The value that the figure stays below with this confidence.
  double bound(double confidence) const {
    const boost::math::normal normal;
    const double expanded =
        boost::math::quantile(boost::math::students_t(degrees_of_freedom_), confidence) * expansion();
    const double shifted = bias_ + expanded;
    const double scale = 1.0 - acceleration_ * shifted;
    // Past its pole the correction has no meaning; the extreme replicate is as far as the resamples go.
    if (scale <= 0.0) return shifted > 0.0 ? sorted_.back() : sorted_.front();
    return quantile_of_sorted(sorted_, boost::math::cdf(normal, bias_ + shifted / scale));
  }

  // The confidence whose bound is `value`: the inverse of bound().
  double confidence(double value) const {
    const boost::math::normal normal;
    double place = boost::math::quantile(normal, share_below(value));
    // Past the last replicate the resamples tell nothing more; there it goes on as a normal distribution does, so that
    // a p-value is not limited by their number and can stand a correction for many comparisons.
    if (deviation_ > 0.0 && (value < sorted_.front() || value > sorted_.back())) {
      const double normal_place = (value - estimate_) / deviation_;
      place = value < sorted_.front() ? std::min(place, normal_place) : std::max(place, normal_place);
    }
    const double distance = place - bias_;
    const double scale = 1.0 + acceleration_ * distance;
    if (scale <= 0.0) return distance > 0.0 ? 1.0 : 0.0;
    return boost::math::cdf(boost::math::students_t(degrees_of_freedom_), (distance / scale - bias_) / expansion());
  }

 private:
  // A resample's deviation divides by n where the sample's divides by n - 1.
  double expansion() const { return std::sqrt((degrees_of_freedom_ + 1.0) / degrees_of_freedom_); }

  // Equal replicates count half. Kept off 0 and 1 by half a replicate, so it has a normal quantile.
  double share_below(double value) const {
    const auto range = std::equal_range(sorted_.begin(), sorted_.end(), value);
    const auto below = static_cast<double>(range.first - sorted_.begin());
    const auto equal = static_cast<double>(range.second - range.first);
    const auto n = static_cast<double>(sorted_.size());
    return std::min(std::max(below + 0.5 * equal, 0.5), n - 0.5) / n;
  }

  static double acceleration(const std::vector<double>& left_out) {
    const double mean = arithmetic_mean(left_out);
    double squares = 0.0;
    double cubes = 0.0;
    for (const double value : left_out) {
      const double influence = mean - value;
      squares += influence * influence;
      cubes += influence * influence * influence;
    }
    return squares > 0.0 ? cubes / (6.0 * squares * std::sqrt(squares)) : 0.0;
  }

  std::vector<double> sorted_;
  double estimate_ = 0.0;
  double deviation_ = 0.0;
  double bias_ = 0.0;
  double acceleration_ = 0.0;
  double degrees_of_freedom_ = 1.0;
};

Replicates combine_estimates(const std::vector<const Replicates*>& replicates, const Figure& figure) {
  if (replicates.empty()) throw std::logic_error("combine: no replicates");
  Replicates result;
  std::vector<double> values;
  for (const Replicates* each : replicates) {
    if (each->estimate.value) {
      values.push_back(*each->estimate.value);
    } else if (result.estimate.reason.empty()) {
      result.estimate.reason = each->estimate.reason;
    }
  }
  if (values.size() == replicates.size()) {
    result.estimate.value = figure(values);
    if (!result.estimate.value) result.estimate.reason = "the figure is undefined for these values";
  }
  return result;
}

// Value by value. The replicates hold equally many.
std::vector<std::optional<double>> combine_values(const std::vector<const Replicates*>& replicates,
                                                  std::vector<std::optional<double>> Replicates::*member,
                                                  const Figure& figure) {
  std::vector<std::optional<double>> combined((replicates.front()->*member).size());
  std::vector<double> values;
  for (size_t r = 0; r < combined.size(); ++r) {
    values.clear();
    for (const Replicates* each : replicates) {
      if ((each->*member)[r]) values.push_back(*(each->*member)[r]);
    }
    if (values.size() == replicates.size()) combined[r] = figure(values);
  }
  return combined;
}

}  // namespace

std::vector<int32_t> resample_counts(int64_t n_groups, uint64_t seed, int64_t resample) {
  std::vector<int32_t> counts(static_cast<size_t>(n_groups), 0);
  Rng rng(seed, {"bootstrap", std::to_string(resample)});
  for (int64_t draw = 0; draw < n_groups; ++draw) ++counts[static_cast<size_t>(rng.below(n_groups))];
  return counts;
}

std::vector<int64_t> group_indices(const std::vector<std::string>& names) {
  std::map<std::string, int64_t> numbers;
  std::vector<int64_t> groups;
  for (const std::string& name : names) {
    const auto fresh = static_cast<int64_t>(numbers.size());
    groups.push_back(name.empty() ? -1 : numbers.emplace(name, fresh).first->second);
  }
  return groups;
}

TaggingReplicates bootstrap_metrics(const LabelMatrix& labels, const ScoreMatrix& scores,
                                    const std::vector<int64_t>& groups, const BootstrapOptions& options,
                                    bool multiclass) {
  if (options.resamples < 1 || options.resamples > kMaxResamples) {
    throw UsageError("bootstrap: expected between 1 and " + std::to_string(kMaxResamples) + " resamples, found " +
                     std::to_string(options.resamples));
  }
  const TaggingMetrics metrics = compute_metrics(labels, scores, multiclass);
  if (scores.float32 != nullptr) return Bootstrap(labels, scores.float32, groups, options, metrics).run();
  return Bootstrap(labels, scores.float64, groups, options, metrics).run();
}

Replicates combine(const std::vector<const Replicates*>& replicates, const Figure& figure) {
  Replicates result = combine_estimates(replicates, figure);
  result.plan = replicates.front()->plan;
  result.n_units = replicates.front()->n_units;
  for (const Replicates* each : replicates) {
    if (each->plan != result.plan || each->values.size() != replicates.front()->values.size() ||
        each->jackknife.size() != replicates.front()->jackknife.size()) {
      throw std::logic_error("combine: replicates of different tracks, groups, seeds or numbers of resamples");
    }
    result.n_units = std::min(result.n_units, each->n_units);
    result.recentred = result.recentred || each->recentred;
  }
  result.values = combine_values(replicates, &Replicates::values, figure);
  result.jackknife = combine_values(replicates, &Replicates::jackknife, figure);
  return result;
}

Replicates combine_independent(const std::vector<const Replicates*>& replicates, const Figure& figure) {
  Replicates result = combine_estimates(replicates, figure);
  std::set<uint64_t> plans;
  std::vector<double> estimates;
  for (const Replicates* each : replicates) {
    if (!plans.insert(each->plan).second || each->values.size() != replicates.front()->values.size()) {
      throw std::logic_error("combine_independent: replicates drawn alike, or of different numbers of resamples");
    }
    result.plan = derived_seed(result.plan, {"independent", std::to_string(each->plan)});
    result.n_units += each->n_units;
    result.recentred = result.recentred || each->recentred;
    estimates.push_back(each->estimate.value.value_or(0.0));
  }
  result.values = combine_values(replicates, &Replicates::values, figure);
  for (size_t i = 0; i < replicates.size(); ++i) {
    for (const std::optional<double>& value : replicates[i]->jackknife) {
      std::vector<double> values = estimates;
      values[i] = value.value_or(0.0);
      result.jackknife.push_back(value && result.estimate.value ? figure(values) : std::nullopt);
    }
  }
  return result;
}

Replicates mean_of_paired(const std::vector<const Replicates*>& replicates) {
  return replicates.size() == 1 ? *replicates.front() : combine(replicates, arithmetic_mean);
}

Replicates mean_of_independent(const std::vector<const Replicates*>& replicates) {
  return replicates.size() == 1 ? *replicates.front() : combine_independent(replicates, arithmetic_mean);
}

Replicates difference(const Replicates& a, const Replicates& b) {
  return combine({&a, &b},
                 [](const std::vector<double>& values) { return std::optional<double>(values[0] - values[1]); });
}

Estimate estimate_of(const Replicates& replicates, double level) {
  check_level(level);
  Estimate estimate;
  estimate.value = replicates.estimate;
  const std::vector<double> values = defined_values(replicates.values);
  estimate.n_undefined = static_cast<int64_t>(replicates.values.size() - values.size());
  if (!replicates.estimate.value) {
    estimate.reason = replicates.estimate.reason;
    return estimate;
  }
  if (replicates.n_units < 2) {
    estimate.reason = "fewer than two tracks (or groups) of one kind";
    return estimate;
  }
  if (values.size() < 2 || 2 * values.size() < replicates.values.size()) {
    estimate.reason = "undefined in " + std::to_string(estimate.n_undefined) + " of " +
                      std::to_string(replicates.values.size()) + " resamples";
    return estimate;
  }
  const CorrectedDistribution distribution(replicates);
  estimate.interval = Interval{distribution.bound(0.5 - level / 2.0), distribution.bound(0.5 + level / 2.0)};
  estimate.standard_error = summarize_sample(values).deviation;
  return estimate;
}

PerMetric<Estimate> estimates_of(const TaggingReplicates& replicates, double level) {
  return transform<Estimate>(replicates, [&](const Replicates& each) { return estimate_of(each, level); });
}

Comparison compare(const Replicates& a, const Replicates& b, double level) {
  const Replicates paired = difference(a, b);
  Comparison comparison;
  comparison.difference = estimate_of(paired, level);
  if (!comparison.difference.interval) return comparison;
  const double confidence = CorrectedDistribution(paired).confidence(0.0);
  comparison.p_value = 2.0 * std::min(confidence, 1.0 - confidence);
  return comparison;
}

std::vector<bool> ties_with_best(const std::vector<const Replicates*>& systems, bool higher_is_better, double level) {
  const Replicates* best = nullptr;
  for (const Replicates* system : systems) {
    if (!system->estimate.value) continue;
    const bool better = best == nullptr || (higher_is_better ? *system->estimate.value > *best->estimate.value
                                                             : *system->estimate.value < *best->estimate.value);
    if (better) best = system;
  }
  std::vector<bool> ties;
  for (const Replicates* system : systems) {
    if (!system->estimate.value) {
      ties.push_back(false);
      continue;
    }
    const std::optional<Interval> interval = estimate_of(difference(*best, *system), level).interval;
    ties.push_back(!interval || interval->contains(0.0));
  }
  return ties;
}

}  // namespace tagbench
