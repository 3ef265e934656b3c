#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/core/config.h"
#include "results/published.h"
#include "results/run_store.h"
#include "results/scored_tracks.h"

// Does a run hold what was published, or what an earlier run had? One verdict per number.
namespace tagbench {

enum class Verdict {
  kReproduced,     // equal within rounding of the printed digits, or within the tolerance given
  kWithinNoise,    // differs, but no more than seeds and the sampling of test tracks explain
  kOff,            // differs by more, or breaks a rule
  kNotComparable,  // another split, metric definition or protocol, or nothing to compare with
};
std::string verdict_name(Verdict verdict);  // "reproduced", "within noise", "off", "not comparable"

struct CheckItem {
  std::string subject;    // what was checked: "short, magnatagatune, split default, clean"
  std::string metric;     // "roc_auc", "f1_macro (oracle)"
  std::string tag;        // "": over all tags
  std::string reference;  // "won2020, Table 2, FCN", "baseline"
  std::optional<double> found;
  std::optional<double> expected;
  double tolerance = 0.0;       // within which it counts as reproduced
  std::optional<double> noise;  // half width at 95 % of what seeds and sampling explain; absent where it cannot be told
  Verdict verdict = Verdict::kNotComparable;
  std::string reason;  // by how much and in which direction, which rule, or why not comparable
  bool fails = false;

  std::optional<double> difference() const;  // found minus expected
};

struct CheckReport {
  std::vector<CheckItem> items;
  std::vector<std::string> gaps;   // what a half-written run or baseline lacks of what is checked
  std::vector<std::string> notes;  // what else to know: differences that do not forbid the comparison, missing scores

  int64_t count(Verdict verdict) const;
  bool compares_nothing() const;
  // True if no item fails. Without one comparable item, and with gaps, nothing was shown: false.
  bool holds() const;
};

struct CheckRule {
  std::optional<double> tolerance;  // differences up to this count as reproduced
  std::optional<double> max_loss;   // a loss (in the metric's own direction) beyond this is off, whatever the noise
};

// What counts as equal and what fails. As YAML:
//
//   roc_auc_macro: 0.005                            # a number is a tolerance; the same under metrics:
//   metrics: {average_precision: {tolerance: 0.01, max_loss: 0.02}}
//   per_tag: {roc_auc: {max_loss: 0.02}}            # no tag loses more than 0.02
//   tags: {guitar: {roc_auc: 0.05}}                 # for one tag, before per_tag
//   strict: true                                    # differences within noise fail too
//   all_comparable: true                            # whatever cannot be compared fails too
struct CheckRules {
  std::map<std::string, CheckRule> metrics;
  std::map<std::string, CheckRule> per_tag;
  std::map<std::string, std::map<std::string, CheckRule>> tags;
  bool strict = false;
  bool all_comparable = false;

  // Errors: UsageError that names file and line: unknown keys or metrics, two rules for one metric, negative numbers.
  static CheckRules load(const std::filesystem::path& path);
  static CheckRules parse(const ConfigNode& node);
  // "roc_auc_macro=0.005". Errors: UsageError.
  void add_tolerance(const std::string& text);
  // True if any rule is about single tags.
  bool about_tags() const { return !per_tag.empty() || !tags.empty(); }
};

struct CheckOptions {
  int resamples = 1000;
  uint64_t seed = 1;
  int threads = 1;
};

// Published values of architectures and data sets that the run has, under the clean condition. Values whose split (by
// name and by number of scored tracks), tags, protocol or metric definition differ are not comparable, and the item
// says which. Noise: sampling by the bootstrap over tracks; seeds by the deviation over the run's seeds, the published
// deviation standing for the source's own (or the run's where the source states none). Errors: DataError for damaged
// rows; UsageError for rules that nothing falls under. Scores that cannot be read leave their items without noise.
CheckReport check_against_published(const RunStore& run, const std::vector<PublishedValue>& values,
                                    const CheckRules& rules, const CheckOptions& options);

// Score files whose owner says that they belong to these published values. Not comparable: another number of tracks or
// tags; tags whose names are needed but not given or not known; decisions that are not part of the files.
CheckReport check_against_published(const ScoredTracks& tracks, const std::string& subject,
                                    const std::vector<PublishedValue>& values, const CheckRules& rules,
                                    const CheckOptions& options);

// Every cell that either run has, seeds averaged, against its counterpart (match_cells); all metrics of the report's
// tables, and every tag where a rule asks for it. Equal means equal to 1e-9 unless a tolerance says otherwise.
// Noise: the paired difference on the same tracks, and the seeds of both. Not comparable: whatever the two differ in
// but weights and conformance, which a note tells, and labels. Errors: as above.
CheckReport check_against_baseline(const RunStore& run, const RunStore& baseline, const CheckRules& rules,
                                   const CheckOptions& options);

// Aligned Markdown, failures first, verdicts counted; what is reproduced is listed only with `all`.
std::string check_table(const CheckReport& report, bool all = false);
Json check_json(const CheckReport& report);
// JUnit XML: one test case per item; off is a failure, not comparable is skipped (or a failure where rules say so).
std::string check_junit(const CheckReport& report, const std::string& suite);

// The name in metric_names() of what users and papers call roc_auc_macro, pr_auc, pr_auc_macro, pr_auc_micro,
// average_precision_macro; other names unchanged.
std::string canonical_metric(const std::string& name);

}  // namespace tagbench
