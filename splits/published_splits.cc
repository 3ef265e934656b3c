#include "splits/published_splits.h"

#include <algorithm>

#include "harness/core/hash.h"
#include "harness/core/text.h"

namespace tagbench {
namespace {

struct Fold {
  int64_t size = 0;
  std::string ids_sha256;
};

// Fold k is the test part of split k. `sha256` holds the manifests, which also tell of the ids of the train part.
void add_folds(std::vector<PublishedSplit>& splits, const std::string& dataset, const std::vector<Fold>& folds,
               bool with_validation, const std::string& source, const std::vector<std::string>& sha256 = {}) {
  int64_t total = 0;
  for (const Fold& fold : folds) total += fold.size;
  for (size_t k = 0; k < folds.size(); ++k) {
    PublishedSplit split;
    split.dataset = dataset;
    split.split = "fold" + std::to_string(k + 1);
    const Fold valid = with_validation ? folds[(k + 1) % folds.size()] : Fold();
    split.counts = {total - folds[k].size - valid.size, valid.size, folds[k].size};
    split.ids_sha256 = {"", valid.ids_sha256, folds[k].ids_sha256};
    if (!sha256.empty()) split.sha256 = sha256[k];
    split.source = source;
    splits.push_back(std::move(split));
  }
}

void add_jamendo(std::vector<PublishedSplit>& splits) {
  struct List {
    const char* subset;
    std::array<std::array<int64_t, 3>, 5> counts;  // of split-0 to split-4
    const char* sha256;                            // of split-0
    std::array<std::string, 3> ids_sha256{};       // of split-0
  };
  const std::vector<List> lists = {
      {"",
       {{{32136, 10888, 11356},
         {32395, 10619, 11366},
         {32010, 11961, 10409},
         {33173, 10468, 10739},
         {30868, 11593, 11919}}},
       "2eedc5a7cbd46f5af5bd461d9fd84d488e427a2976f6847bded1a7faf1ee9069",
       {"b7501a9584098be2d437525dcc7cee574421cc1252549b8b75a5a58d0389b861",
        "c1fa61c85cff73a12ae001df579041a41695273d5c813d48c186deab2726c48d",
        "dbafc7868a144809882a8a2c458c8b2c8a5ee0bf2daa73c4a795e9ac7fc5cc4c"}},
      {":subset=genre",
       {{{32572, 11043, 11479},
         {32746, 10833, 11515},
         {32360, 12185, 10549},
         {33515, 10656, 10923},
         {31305, 11804, 11985}}},
       "",
       {}},
      {":subset=instrument",
       {{{14395, 5466, 5115}, {14943, 4960, 5073}, {14702, 5066, 5208}, {14875, 5068, 5033}, {14829, 5159, 4988}}},
       "bf2b56fc136316ec574036161241fee4a73f3c4c95febee3f7eacc569c945561",
       {"7e2bc78979d68a3fe15d0f8afb7ea2a7b47839a9b56cf6936ad62bab21e85b6b",
        "0e40643cc4958fc9fe58cdd51f3e74d963a19ab0648c310de32d4f259bea75a1",
        "9eba326ba57c85549450882109cfca4d20f045a5fb534545f47d53ede23fdc8e"}},
      {":subset=moodtheme",
       {{{9949, 3802, 4231}, {10190, 3594, 4198}, {10484, 4085, 3413}, {10920, 3500, 3562}, {10241, 3706, 4035}}},
       "978113c4594ce3e9e482a3f07b8da0ec8d642414d7fd8414812f93d3444241fa",
       {"7242c69d56a2559dc4a25bee51f6e6d0352633ad604eeb2ef1ab2692b5d633b9",
        "85b63db0bce97b22d85da1a1619af3d54ac97000bbcd02e04e6192df8ca6f266",
        "27b44460994a21f4657e9009b3c4b8880df156fea6dd719087ff3f7acc073354"}},
      {":subset=all",
       {{{32859, 11101, 11565},
         {33007, 10937, 11581},
         {32616, 12246, 10663},
         {33747, 10757, 11021},
         {31509, 11893, 12123}}},
       "",
       {}},
  };
  for (const List& list : lists) {
    for (size_t number = 0; number < list.counts.size(); ++number) {
      PublishedSplit split;
      split.dataset = std::string("mtg_jamendo") + list.subset;
      split.split = "split-" + std::to_string(number);
      split.counts = list.counts[number];
      if (number == 0) {
        split.sha256 = list.sha256;
        split.ids_sha256 = list.ids_sha256;
      }
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
       "openmic-2018, partitions/split01",
       true,
       14915,
       "41cbcd56479c2cc5d4f269edd4a61760cfee6d0f44a0f8089462a1e356311e8d"},
      {"gtzan",
       "default",
       {443, 197, 290},
       "f5bc636b69e210ba90743b1334a5f2d4484aa0f751478f264c15e401081cece6",
       {"9b15f304919f6afda2690835bf9395e46436b45e9d5213d558c6cbd015e3030c",
        "ec1be1b8c15df9a5ced79378e3601ab8356283bcc63a70390063f3fc7a2cde4a",
        "74b6dd372319576a29eba9625ecb22ed3b478c0e332a362a2ddcf1b9628101a8"},
       "jongpillee/music_dataset_split, GTZAN_split"},
      {"irmas", "default", {-1, -1, 2874}, "", {}, "Zenodo 1290750", true, 6705},
  };
  const std::vector<Fold> urban = {{873, "6e96e64964e5189ced7f3b4ec1af650844d0bca41a8a729de4941d3099d73876"},
                                   {888, "ed732a3ce6a0475566ec089ffa16a2110cd3f6485c6fd3dbd69d78b05a50947c"},
                                   {925, "f1f37357f55d5abebabd4c1dffcdeaadb4fe676f92afa9e082729df7e25b277d"},
                                   {990, "dfda0ae06434fc4c7357fa8062968ec20a01d761c40271185420d850a759f742"},
                                   {936, "ae19e26c116f2a497306ede72f00cc8731b529c30d94a5c1b23d49b1f5c7f5ec"},
                                   {823, "cac40c1ff72832913ceed568551f702208379b562ea04345f07529583d4d8e30"},
                                   {838, "c4f51e872d6a4647631deaddb1ebdb2df92064e8166bc05498ac7deeb9db2c09"},
                                   {806, "ec5db9c8ab81c4188ac26dc41b6a430eac1282ce85a694bd93b3d9103d27fc31"},
                                   {816, "6240b272cafce3b5b14e82380bea1d4aedcf4d0d7f947e3389e00d52ecd2395e"},
                                   {837, "a1c899200e3b119cba3af043f828ec635ffbcef3d3d94f055909e38057c097b7"}};
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
  add_folds(splits, "urbansound8k:valid_fold=none", urban, false, "UrbanSound8K.csv",
            {"d25b7084c821c401599b4b083ebea51ac27e81ddbf70f730fdcabc192640b472",
             "f0e85cf0fc948070fb09ddd39dab00cb6efded5e48c0341756154452d0b27a9f",
             "7f60918e612e267185aafc78e667a3e449c200be7213c542df8771aa8a34bed4",
             "01fabaae48f2cc5b107e312fc62c45d3e66e365f0abf47b4f4681f90736b5376",
             "d801d0b217c71d0d26e1821f42eabb6fa402fc6a891e214378d764c79fc7d122",
             "0ba31cf9b4419c4240bbeaad1e0810cc364aa1818da88e31b6adeda5281f6747",
             "a05262f6707c3fefe1aaf9618b9b4bbec95f28c0c1a2ba87e11e9b3bfac20de5",
             "fbd85a7d823a689849557aad72e5d1ee55fd3828b208a89ff2ac99a892a560b2",
             "556f8c56e378eb3f2b21421a5a8db97729f915c9cca94e08caf3301d08ee224d",
             "2e43a8fa5f42c3bd2453fc59626cb95660294adaa3b5ac276169b3348e050c99"});
  const std::vector<Fold> esc50(5, {400, ""});
  const std::vector<Fold> esc10 = {{80, "dc5b8c3d925d66b2fdafe0300a419ab76079a5c028b3d30d19352bb7ebf3672b"},
                                   {80, "7c5e43d5f3a83bfc61e9a1fc2d85be4250168e4d471503e520bffe65c016d700"},
                                   {80, "18841ec54d82a17691a7f5b2f3b9ad8e8b1acd72c4c009fc2bcd85fef081e46a"},
                                   {80, "5f301eb1baec642c2bea52f87a4b16ecee37bfd3cf5451382a5bb67be3eee462"},
                                   {80, "d35e9f8894dece4520e584bd6dc5447776bc94c47a0bbe3f357bdf20754267d4"}};
  add_folds(splits, "esc50", esc50, false, "karolpiczak/ESC-50, meta/esc50.csv");
  add_folds(splits, "esc50:valid_fold=next", esc50, true, "karolpiczak/ESC-50, meta/esc50.csv");
  add_folds(splits, "esc50:subset=esc10", esc10, false, "karolpiczak/ESC-50, meta/esc50.csv",
            {"971c94a67835ee2709b7504d14d3b5f23446981f725a9695f1db05067d33425d",
             "661624a97e088ccef853d74d8684e44b7313b6d469073609527dae68b5b1d761",
             "e6def626c0a4646b53734c093d84df521b843f0ee969d9e5be04dae9ff554dce",
             "58ed11bc7280571ea0d87c85e25fe3ea2f38be51349d84841968c14660ae2ea6",
             "7c267cf731b09a36f67e0a5bfd554b6d09500506607369bfd014ce962f678af5"});
  add_folds(splits, "esc50:subset=esc10,valid_fold=next", esc10, true, "karolpiczak/ESC-50, meta/esc50.csv",
            {"db6ce6439bd237e42f1f46a24bde89897681db44317f9eb18ba6a245cea8444e",
             "ef12b35bfe15c0368c7951562f2dcc502399492e786fd0783528e4a3e849966e",
             "13f3a97be64c17ac9b34496c87c06f80f86856481b9506817d4a2467f6688273",
             "c206e1466425c0953283d616ba702f0eeb8d941514d22a228df718673643519a",
             "fe62fdfa0a1dde54331b8b26b98bef392a607e5595193ea0e4e6b30a3fb87f3a"});
  add_jamendo(splits);
  splits.push_back({"synth",
                    "default",
                    {144, 36, 60},
                    "b18fd8f203347f5834a0a5c96e7d7ce028f209112a4dbbf2733f5f6fe9acdad7",
                    {},
                    "this program"});
  return splits;
}

std::string part_counts_text(const std::array<int64_t, 3>& counts) {
  std::vector<std::string> parts;
  for (const int64_t count : counts) parts.push_back(count < 0 ? "?" : std::to_string(count));
  return join_text(parts, " / ");
}

const PublishedSplit* find_published(const Dataset& dataset, const Split& split) {
  const std::string reader = dataset.reader();
  for (const PublishedSplit& entry : published_splits()) {
    if (entry.dataset == (entry.any_options ? reader : dataset.name) && entry.split == split.name) return &entry;
  }
  return nullptr;
}

std::vector<std::string> differing_counts(const PublishedSplit& published, const Split& split) {
  std::array<int64_t, 3> counts{};
  bool differ = false;
  for (size_t p = 0; p < kUsedParts.size(); ++p) {
    counts[p] = static_cast<int64_t>(tracks_of(split, kUsedParts[p]).size());
    differ = differ || (published.counts[p] >= 0 && published.counts[p] != counts[p]);
  }
  std::vector<std::string> differences;
  if (differ) {
    differences.push_back("train / valid / test " + part_counts_text(published.counts) + " were expected, found " +
                          part_counts_text(counts));
  }
  if (published.train_and_valid >= 0 && published.train_and_valid != counts[0] + counts[1]) {
    differences.push_back("train and valid together " + std::to_string(published.train_and_valid) +
                          " were expected, found " + std::to_string(counts[0] + counts[1]));
  }
  return differences;
}

std::vector<std::string> differing_ids(const PublishedSplit& published, const Dataset& dataset, const Split& split) {
  std::vector<std::string> differences;
  for (size_t p = 0; p < kUsedParts.size(); ++p) {
    const std::string& expected = published.ids_sha256[p];
    if (!expected.empty() && ids_sha256(dataset, split, {kUsedParts[p]}) != expected)
      differences.push_back("the ids of the " + part_name(kUsedParts[p]) + " part are not the published ones");
  }
  const std::string& both = published.train_and_valid_ids_sha256;
  if (!both.empty() && ids_sha256(dataset, split, {Part::kTrain, Part::kValid}) != both)
    differences.emplace_back("the ids of train and valid together are not the published ones");
  return differences;
}

// Parts whose ids nothing on record tells of.
std::vector<std::string> uncompared_parts(const PublishedSplit& published) {
  std::vector<std::string> parts;
  if (!published.sha256.empty()) return parts;
  for (size_t p = 0; p < kUsedParts.size(); ++p) {
    const bool in_union = kUsedParts[p] != Part::kTest && !published.train_and_valid_ids_sha256.empty();
    if (published.ids_sha256[p].empty() && published.counts[p] != 0 && !in_union)
      parts.push_back(part_name(kUsedParts[p]));
  }
  return parts;
}

}  // namespace

const std::vector<PublishedSplit>& published_splits() {
  static const std::vector<PublishedSplit> splits = make_published_splits();
  return splits;
}

std::string ids_sha256(const Dataset& dataset, const Split& split, const std::vector<Part>& parts) {
  std::vector<std::string_view> ids;
  for (const Part part : parts) {
    for (const int64_t track : tracks_of(split, part)) ids.emplace_back(dataset.tracks[static_cast<size_t>(track)].id);
  }
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
    const PublishedSplit* published = find_published(dataset, split);
    if (published == nullptr) {
      check.message = "nothing is published about split " + split.name + " of " + dataset.name;
      checks.push_back(std::move(check));
      continue;
    }
    check.known = true;
    std::vector<std::string> differences = differing_counts(*published, split);
    for (std::string& difference : differing_ids(*published, dataset, split))
      differences.push_back(std::move(difference));
    if (!published->sha256.empty() && split.sha256 != published->sha256) {
      differences.push_back(
          differences.empty()
              ? "counts and ids on record hold, but labels, tags or other ids are not the published ones (the "
                "manifest's SHA-256 is not the recorded " +
                    published->sha256 + ")"
              : "the manifest's SHA-256 is not the recorded " + published->sha256);
    }
    const std::vector<std::string> uncompared = uncompared_parts(*published);
    const bool some_ids = std::any_of(published->ids_sha256.begin(), published->ids_sha256.end(),
                                      [](const std::string& hash) { return !hash.empty(); });
    check.compared = !published->sha256.empty() ? "manifest" : uncompared.empty() ? "ids" : "counts";
    check.matches = differences.empty();
    check.message = "split " + split.name;
    if (!check.matches) {
      check.message += " is not as published (" + published->source + "): " + join_text(differences, "; ");
    } else if (check.compared == "manifest") {
      check.message += " is as published (" + published->source + ")";
    } else if (check.compared == "ids") {
      check.message += ": counts and ids are as published (labels are not on record; " + published->source + ")";
    } else {
      check.message += ": the counts are as published (" +
                       (some_ids ? "ids of " + join_text(uncompared, " and ") : "ids") + " are not on record; " +
                       published->source + ")";
    }
    checks.push_back(std::move(check));
  }
  return checks;
}

}  // namespace tagbench
