#include "harness/run/chunking.h"

#include <algorithm>
#include <stdexcept>

#include "harness/core/json.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using testing::shared_path;

TEST(ChunkingTest, SixteenChunksOfAMagnaTagATuneClip) {
  // floor((465984 - 464000) / 16) = 124
  const std::vector<int64_t> starts = chunk_starts(465984, 464000, 16);
  ASSERT_EQ(starts.size(), 16U);
  EXPECT_EQ(starts[1], 124);
  EXPECT_EQ(starts[15], 1860);
}

TEST(ChunkingTest, EqualsTheOfficialStarts) {
  TAGBENCH_REQUIRE_SHARED("parity/protocol/chunking.json");
  const Json fixture = read_json(shared_path("parity/protocol/chunking.json"));
  ASSERT_FALSE(fixture["cases"].empty());
  for (const Json& item : fixture["cases"]) {
    EXPECT_EQ(chunk_starts(item["samples"], item["input_length"], 16), item["starts"].get<std::vector<int64_t>>())
        << item.dump();
  }
}

TEST(ChunkingTest, ATrackShorterThanAChunkIsTheCallersToFill) {
  EXPECT_THROW(chunk_starts(100, 101, 16), std::logic_error);
}

TEST(ChunkingTest, RandomStartsCoverTheTrackAndNeverOverrunIt) {
  Rng rng(1, {"chunk"});
  int64_t lowest = 1000;
  int64_t highest = 0;
  for (int i = 0; i < 20000; ++i) {
    const int64_t start = random_chunk_start(150, 100, rng);
    lowest = std::min(lowest, start);
    highest = std::max(highest, start);
  }
  EXPECT_EQ(lowest, 0);
  EXPECT_EQ(highest, 49);  // floor(u * 50) with u below 1
  EXPECT_EQ(random_chunk_start(80, 100, rng), 0);
}

TEST(ChunkingTest, AShortTrackIsRepeatedOrPadded) {
  const float track[] = {1, 2, 3};
  float chunk[8];
  copy_chunk({track, 3}, 0, 8, true, chunk);
  EXPECT_EQ(std::vector<float>(chunk, chunk + 8), (std::vector<float>{1, 2, 3, 1, 2, 3, 1, 2}));
  copy_chunk({track, 3}, 0, 8, false, chunk);
  EXPECT_EQ(std::vector<float>(chunk, chunk + 8), (std::vector<float>{1, 2, 3, 0, 0, 0, 0, 0}));
  copy_chunk({track, 0}, 0, 8, true, chunk);
  EXPECT_EQ(std::vector<float>(chunk, chunk + 8), std::vector<float>(8, 0.0F));
  copy_chunk({track, 3}, 1, 2, true, chunk);
  EXPECT_EQ(chunk[0], 2.0F);
}

}  // namespace
}  // namespace tagbench
