#include "splits/manifest.h"

#include <gtest/gtest.h>

#include "harness/core/hash.h"
#include "tests/splits/small_corpus.h"

namespace tagbench {
namespace {

using testing::made_dataset;

Split split_of(std::vector<Part> parts) {
  Split split;
  split.name = "default";
  split.parts = std::move(parts);
  return split;
}

TEST(ManifestTest, HasTheDocumentedForm) {
  const Dataset dataset = made_dataset({"10", "0?", "11", "00"}, {});
  const Split split = split_of({Part::kTest, Part::kTrain, Part::kUnused, Part::kTrain});
  EXPECT_EQ(split_manifest(dataset, split),
            "tagbench split manifest "
            "1\ndataset\tmade\nsplit\tdefault\ntask\tpartial\ntags\ttag0\ttag1\ntrain\t2\nvalid\t0\ntest\t1\n"
            "test\tt0\t10\ntrain\tt1\t0?\ntrain\tt3\t00\n");
}

TEST(ManifestTest, DoesNotDependOnTheOrderOfTracksOrTheFolder) {
  Dataset dataset = made_dataset({"10", "01"}, {});
  Split split = split_of({Part::kTest, Part::kTrain});
  const std::string before = split_manifest(dataset, split);
  std::swap(dataset.tracks[0], dataset.tracks[1]);
  std::swap(split.parts[0], split.parts[1]);
  dataset.labels = {0, 1, 1, 0};
  dataset.root = "/elsewhere";
  EXPECT_EQ(split_manifest(dataset, split), before);
}

TEST(ManifestTest, FreezingStoresTheHashOfTheManifest) {
  const Dataset dataset = made_dataset({"10", "01"}, {});
  Split split = split_of({Part::kTest, Part::kTrain});
  freeze_split(dataset, split);
  EXPECT_EQ(split.sha256, sha256_hex(split_manifest(dataset, split)));
  Split other = split_of({Part::kTrain, Part::kTest});
  freeze_split(dataset, other);
  EXPECT_NE(other.sha256, split.sha256);
}

}  // namespace
}  // namespace tagbench
