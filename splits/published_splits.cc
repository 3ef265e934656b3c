#include "splits/published_splits.h"

#include <algorithm>

#include "harness/core/hash.h"
#include "harness/core/text.h"

namespace tagbench {
namespace {

constexpr std::array<Part, 3> kUsedParts = {Part::kTrain, Part::kValid, Part::kTest};

void add_folds(std::vector<PublishedSplit>& splits, const std::string& dataset, const std::vector<int64_t>& fold_sizes,
               bool with_validation, const std::string& source, const std::vector<std::string>& sha256 = {}) {
  const auto n_folds = static_cast<int64_t>(fold_sizes.size());
  int64_t total = 0;
  for (const int64_t size : fold_sizes) total += size;
  for (int64_t fold = 0; fold < n_folds; ++fold) {
    PublishedSplit split;
    split.dataset = dataset;
    split.split = "fold" + std::to_string(fold + 1);
    const int64_t test = fold_sizes[static_cast<size_t>(fold)];
    const int64_t valid = with_validation ? fold_sizes[static_cast<size_t>((fold + 1) % n_folds)] : 0;
    split.counts = {total - test - valid, valid, test};
    if (!sha256.empty()) split.sha256 = sha256[static_cast<size_t>(fold)];
    split.source = source;
    splits.push_back(std::move(split));
  }
}

void add_jamendo(std::vector<PublishedSplit>& splits) {
  struct List {
    const char* subset;
    std::array<std::array<int64_t, 3>, 5> counts;  // of split-0 to split-4
    const char* sha256;                            // of split-0
  };
  const std::vector<List> lists = {
      {"",
       {{{32136, 10888, 11356},
         {32395, 10619, 11366},
         {32010, 11961, 10409},
         {33173, 10468, 10739},
         {30868, 11593, 11919}}},
       "2eedc5a7cbd46f5af5bd461d9fd84d488e427a2976f6847bded1a7faf1ee9069"},
      {":subset=genre",
       {{{32572, 11043, 11479},
         {32746, 10833, 11515},
         {32360, 12185, 10549},
         {33515, 10656, 10923},
         {31305, 11804, 11985}}},
       ""},
      {":subset=instrument",
       {{{14395, 5466, 5115}, {14943, 4960, 5073}, {14702, 5066, 5208}, {14875, 5068, 5033}, {14829, 5159, 4988}}},
       "bf2b56fc136316ec574036161241fee4a73f3c4c95febee3f7eacc569c945561"},
      {":subset=moodtheme",
       {{{9949, 3802, 4231}, {10190, 3594, 4198}, {10484, 4085, 3413}, {10920, 3500, 3562}, {10241, 3706, 4035}}},
       "978113c4594ce3e9e482a3f07b8da0ec8d642414d7fd8414812f93d3444241fa"},
      {":subset=all",
       {{{32859, 11101, 11565},
         {33007, 10937, 11581},
         {32616, 12246, 10663},
         {33747, 10757, 11021},
         {31509, 11893, 12123}}},
       ""},
  };
  for (const List& list : lists) {
    for (size_t number = 0; number < list.counts.size(); ++number) {
      PublishedSplit split;
      split.dataset = std::string("mtg_jamendo") + list.subset;
      split.split = "split-" + std::to_string(number);
      split.counts = list.counts[number];
      if (number == 0) split.sha256 = list.sha256;
      split.source = "MTG/mtg-jamendo-dataset, data/splits";
      splits.push_back(std::move(split));
    }
  }
}

std::vector<PublishedSplit> make_published_splits() {
  std::vector<PublishedSplit> splits = {
      {"magnatagatune",
       "default",
       {15244, 1529, 4332},
       "",
       {"760d6ee3ca9e06c72c54a05a497ffb55e99e732d396d60e88faa354adfad53f7",
        "627d01251e121ff9799fc9348e61ef254856c937ea0f2926e48df97a51e30b26",
        "d9ccbeb990a73910d24351f1339b26ae7f0cea4d2de254abfc67413ddc8bebbd"},
       "jongpillee/music_dataset_split, MTAT_split"},
      {"magnatagatune:untagged=keep",
       "default",
       {18706, 1825, 5329},
       "",
       {},
       "annotations_final.csv, folders 0 to b / c / d to f"},
      {"msd",
       "filtered",
       {201680, 11774, 28435},
       "",
       {"", "", "f9b6c9d4ab3e4fbebb75c6504648522a559e8fa9fab56b2d445b928ae9d46998"},
       "jongpillee/music_dataset_split, MSD_split"},
      {"msd", "choi", {201680, 12634, 28540}, "", {}, "keunwoochoi/MSD_split_for_tagging"},
      {"openmic2018",
       "default",
       {-1, -1, 5085},
       "",
       {"", "", "aa438f94207166b8a0dcec072ac89e5f413c591a913a00f8084a7a4c4808ccf7"},
       "openmic-2018, partitions/split01"},
      {"openmic2018:valid_fraction=0",
       "default",
       {14915, 0, 5085},
       "",
       {"41cbcd56479c2cc5d4f269edd4a61760cfee6d0f44a0f8089462a1e356311e8d", "",
        "aa438f94207166b8a0dcec072ac89e5f413c591a913a00f8084a7a4c4808ccf7"},
       "openmic-2018, partitions/split01"},
      {"gtzan",
       "default",
       {443, 197, 290},
       "f5bc636b69e210ba90743b1334a5f2d4484aa0f751478f264c15e401081cece6",
       {},
       "jongpillee/music_dataset_split, GTZAN_split"},
      {"irmas", "default", {-1, -1, 2874}, "", {}, "Zenodo 1290750"},
      {"irmas:valid_fraction=0", "default", {6705, 0, 2874}, "", {}, "Zenodo 1290750"},
  };
  const std::vector<int64_t> urban = {873, 888, 925, 990, 936, 823, 838, 806, 816, 837};
  add_folds(splits, "urbansound8k", urban, true, "UrbanSound8K.csv",
            {"09721d934720a006e9669949cd28408be0b6c788420b4a8fde20c2806b35b924",
             "86e57cb0571f350569f9d97088fdd779085b5f9ce517295a42eeb0bf6713fb42",
             "e6503e3d3aca4ffcbf254982f8d821f373ca0b2f5b44a727e42320190aa6c426",
             "577d2965db5993008b901d5de8f186c75ae626836d4527f088efe8ebaa7ab7eb",
             "dbb4840f9f1eaccdf8d026a3eb8523a936651d813713b7bea5947a9a58600f87",
             "d1116b7ec57a3c9a05c789c8a09eba871873dcd0b03e2506bf0336457a5ce67f",
             "0dfaa8ae71f230fbbf885e1f1f57660cd6d0c7d65d0e75d32820c4ac0ff7900d",
             "744bb5cae1e86f81b66aa658ff2d6e91d2388078989767acf60062d1a93aa6e9",
             "fea8f282691d549677c428d534571a400b0bc474e46b309242095a67643c264f",
             "0ee5810493a513c1d11d1a41b189b296aca46ed219acbeecfdc9b12b793fa8bd"});
  add_folds(splits, "urbansound8k:valid_fold=none", urban, false, "UrbanSound8K.csv");
  const std::vector<int64_t> esc50(5, 400);
  const std::vector<int64_t> esc10(5, 80);
  add_folds(splits, "esc50", esc50, false, "karolpiczak/ESC-50, meta/esc50.csv");
  add_folds(splits, "esc50:valid_fold=next", esc50, true, "karolpiczak/ESC-50, meta/esc50.csv");
  add_folds(splits, "esc50:subset=esc10", esc10, false, "karolpiczak/ESC-50, meta/esc50.csv",
            {"971c94a67835ee2709b7504d14d3b5f23446981f725a9695f1db05067d33425d",
             "661624a97e088ccef853d74d8684e44b7313b6d469073609527dae68b5b1d761",
             "e6def626c0a4646b53734c093d84df521b843f0ee969d9e5be04dae9ff554dce",
             "58ed11bc7280571ea0d87c85e25fe3ea2f38be51349d84841968c14660ae2ea6",
             "7c267cf731b09a36f67e0a5bfd554b6d09500506607369bfd014ce962f678af5"});
  add_folds(splits, "esc50:subset=esc10,valid_fold=next", esc10, true, "karolpiczak/ESC-50, meta/esc50.csv");
  add_jamendo(splits);
  splits.push_back({"synth",
                    "default",
                    {144, 36, 60},
                    "b18fd8f203347f5834a0a5c96e7d7ce028f209112a4dbbf2733f5f6fe9acdad7",
                    {},
                    "this program"});
  return splits;
}

std::string counts_text(const std::array<int64_t, 3>& counts) {
  std::vector<std::string> parts;
  for (const int64_t count : counts) parts.push_back(count < 0 ? "?" : std::to_string(count));
  return join_text(parts, " / ");
}

}  // namespace

const std::vector<PublishedSplit>& published_splits() {
  static const std::vector<PublishedSplit> splits = make_published_splits();
  return splits;
}

std::string ids_sha256(const Dataset& dataset, const Split& split, Part part) {
  std::vector<std::string_view> ids;
  for (const int64_t track : tracks_of(split, part)) ids.emplace_back(dataset.tracks[static_cast<size_t>(track)].id);
  std::sort(ids.begin(), ids.end());
  std::string text;
  for (const std::string_view id : ids) {
    text += id;
    text += '\n';
  }
  return sha256_hex(text);
}

std::vector<SplitCheck> check_published_splits(const Dataset& dataset) {
  std::vector<SplitCheck> checks;
  for (const Split& split : dataset.splits) {
    SplitCheck check;
    check.split = split.name;
    const auto published = std::find_if(
        published_splits().begin(), published_splits().end(),
        [&](const PublishedSplit& entry) { return entry.dataset == dataset.name && entry.split == split.name; });
    if (published == published_splits().end()) {
      check.message = "nothing is published about split " + split.name + " of " + dataset.name;
      checks.push_back(std::move(check));
      continue;
    }
    check.known = true;
    std::vector<std::string> differences;
    std::array<int64_t, 3> counts{};
    bool counts_differ = false;
    for (size_t p = 0; p < kUsedParts.size(); ++p) {
      counts[p] = static_cast<int64_t>(tracks_of(split, kUsedParts[p]).size());
      counts_differ = counts_differ || (published->counts[p] >= 0 && published->counts[p] != counts[p]);
    }
    if (counts_differ) {
      differences.push_back("train / valid / test " + counts_text(published->counts) + " were expected, found " +
                            counts_text(counts));
    }
    for (size_t p = 0; p < kUsedParts.size(); ++p) {
      const std::string& expected = published->ids_sha256[p];
      if (!expected.empty() && ids_sha256(dataset, split, kUsedParts[p]) != expected) {
        differences.push_back("the ids of the " + part_name(kUsedParts[p]) + " part are not the published ones");
      }
    }
    if (!published->sha256.empty() && split.sha256 != published->sha256) {
      differences.push_back("the manifest's SHA-256 is not the recorded " + published->sha256);
    }
    check.matches = differences.empty();
    check.message = "split " + split.name + (check.matches ? " is as published" : " is not as published") + " (" +
                    published->source + ")";
    if (!check.matches) check.message += ": " + join_text(differences, "; ");
    checks.push_back(std::move(check));
  }
  return checks;
}

}  // namespace tagbench
