#include "splits/manifest.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <string_view>
#include <vector>

#include "harness/core/hash.h"
#include "harness/core/text.h"

namespace tagbench {

std::string split_manifest(const Dataset& dataset, const Split& split) {
  std::vector<int64_t> used;
  std::array<int64_t, 4> counts{};
  for (size_t i = 0; i < split.parts.size(); ++i) {
    ++counts[static_cast<size_t>(split.parts[i])];
    if (split.parts[i] != Part::kUnused) used.push_back(static_cast<int64_t>(i));
  }
  const auto id_of = [&](int64_t track) -> const std::string& { return dataset.tracks[static_cast<size_t>(track)].id; };
  const auto by_id = [&](int64_t a, int64_t b) { return id_of(a) < id_of(b); };
  // Most owners' lists are sorted already.
  if (!std::is_sorted(used.begin(), used.end(), by_id)) std::sort(used.begin(), used.end(), by_id);

  std::string text = "tagbench split manifest 1\n";
  text += "dataset\t" + dataset.name + "\n";
  text += "split\t" + split.name + "\n";
  text += "task\t" + task_name(dataset.task) + "\n";
  text += "tags\t" + join_text(dataset.tags, "\t") + "\n";
  for (const Part part : kUsedParts) {
    text += part_name(part) + "\t" + std::to_string(counts[static_cast<size_t>(part)]) + "\n";
  }
  const std::array<std::string, 4> names = {part_name(Part::kUnused), part_name(Part::kTrain), part_name(Part::kValid),
                                            part_name(Part::kTest)};
  for (const int64_t track : used) {
    text += names[static_cast<size_t>(split.parts[static_cast<size_t>(track)])];
    text += '\t';
    text += id_of(track);
    text += '\t';
    for (int64_t tag = 0; tag < dataset.n_tags(); ++tag) {
      const uint8_t label = dataset.label(track, tag);
      text += label == kUnknownLabel ? '?' : static_cast<char>('0' + label);
    }
    text += '\n';
  }
  return text;
}

void freeze_split(const Dataset& dataset, Split& split) {
  split.sha256 = sha256_hex(split_manifest(dataset, split));
}

}  // namespace tagbench
