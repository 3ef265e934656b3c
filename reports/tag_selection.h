#pragma once

#include <map>
#include <string>
#include <unordered_set>
#include <vector>

#include "results/row.h"
#include "results/run_store.h"
#include "results/scored_tracks.h"

// Tags whose labels a perturbation may have made wrong: a track tagged "fast" is no longer so when it is stretched.
namespace tagbench {

// The kinds of tags that perturbations declare they may falsify: tempo, key, loudness, recording.
const std::vector<std::string>& tag_kinds();

// Kinds of a tag by the words of its name, without what stands before "---": tempo ("fast", "mood/theme---slow",
// "120 bpm"), key ("C# minor"; not "minor", which a transposition keeps), loudness ("quiet"), recording ("lo-fi",
// "distorted"). A list of English words, not more: what it does not know is given with kinds of its own.
std::vector<std::string> kinds_of_tag(const std::string& tag);

struct FalsifiedTag {
  std::string tag;
  std::vector<std::string> conditions;  // that may falsify it
};

// In the order of the rows' tags. What conditions may falsify is read from run.json. `given` maps tags to a kind, or to
// "none", in place of kinds_of_tag. Errors: UsageError for a kind or tag that is not known; DataError if run.json does
// not say what conditions may falsify.
std::vector<FalsifiedTag> falsified_tags(const RunStore& run, const std::vector<Row>& rows,
                                         const std::map<std::string, std::string>& given);

// The tags over which macro means run.
class TagSelection {
 public:
  TagSelection() = default;  // all tags
  static TagSelection without(const std::vector<FalsifiedTag>& tags);
  static TagSelection only(const std::vector<FalsifiedTag>& tags);

  bool all() const { return kind_ == Kind::kAll; }
  bool holds(const std::string& tag) const;

  // The row with its macro means over the selected tags; its other means are absent, its tags stay as they are.
  Row narrowed(const Row& row) const;
  // The metric's replicates, a macro mean narrowed likewise in every resample. `tags` names the replicates' tags.
  Replicates narrowed(const TaggingReplicates& replicates, const std::string& metric,
                      const std::vector<std::string>& tags) const;

 private:
  enum class Kind { kAll, kWithout, kOnly };
  TagSelection(Kind kind, const std::vector<FalsifiedTag>& tags);
  Kind kind_ = Kind::kAll;
  std::unordered_set<std::string> tags_;
};

}  // namespace tagbench
