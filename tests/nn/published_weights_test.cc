#include <torch/types.h>

#include <cstring>
#include <string>
#include <vector>

#include "harness/core/hash.h"
#include "harness/core/json.h"
#include "harness/nn/state_dict.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using testing::shared_path;

bool same_bytes(const torch::Tensor& a, const torch::Tensor& b) {
  if (a.scalar_type() != b.scalar_type() || a.sizes() != b.sizes()) return false;
  const torch::Tensor left = a.contiguous();
  const torch::Tensor right = b.contiguous();
  return std::memcmp(left.data_ptr(), right.data_ptr(), static_cast<size_t>(left.numel() * left.element_size())) == 0;
}

void expect_same_state(const StateDict& a, const StateDict& b) {
  ASSERT_EQ(a.tensors.size(), b.tensors.size());
  for (const auto& [key, tensor] : a.tensors) {
    const torch::Tensor* other = b.find(key);
    ASSERT_NE(other, nullptr) << key;
    EXPECT_TRUE(same_bytes(tensor, *other)) << key;
  }
}

struct PublishedFile {
  const char* path;
  size_t tensors;
  int64_t n_tags;
};

class PublishedWeightsTest : public ::testing::TestWithParam<PublishedFile> {};

// Numbers of tensors as PyTorch lists them; MagnaTagATune, MSD and MTG-Jamendo have 50 tags, the mood and theme set 56.
INSTANTIATE_TEST_SUITE_P(AllFiles, PublishedWeightsTest,
                         ::testing::Values(PublishedFile{"checkpoints/mtat/fcn.pth", 44, 50},
                                           PublishedFile{"checkpoints/msd/fcn.pth", 44, 50},
                                           PublishedFile{"checkpoints/jamendo/fcn.pth", 44, 50},
                                           PublishedFile{"checkpoints/mtat/musicnn.pth", 72, 50},
                                           PublishedFile{"checkpoints/jamendo/musicnn.pth", 72, 50},
                                           PublishedFile{"checkpoints/mtat/crnn.pth", 45, 50},
                                           PublishedFile{"checkpoints/msd/crnn.pth", 45, 50},
                                           PublishedFile{"checkpoints/jamendo/crnn.pth", 45, 50},
                                           PublishedFile{"checkpoints/mediaeval/vgg_baseline.pth", 42, 56}),
                         [](const auto& test) {
                           std::string name = test.param.path + std::strlen("checkpoints/");
                           for (char& c : name) {
                             if (c == '/' || c == '.') c = '_';
                           }
                           return name;
                         });

TEST_P(PublishedWeightsTest, StreamFileIsReadWhole) {
  TAGBENCH_REQUIRE_SHARED(GetParam().path);
  const StateDict state = read_state_dict(shared_path(GetParam().path));
  EXPECT_EQ(state.metadata.at("container"), "torch stream");
  EXPECT_EQ(state.tensors.size(), GetParam().tensors);
  EXPECT_EQ(state.tensors.back().second.size(0), GetParam().n_tags);
  for (const auto& [key, tensor] : state.tensors) {
    EXPECT_TRUE(tensor.device().is_cpu()) << key;
    if (tensor.is_floating_point()) {
      EXPECT_TRUE(torch::isfinite(tensor).all().item<bool>()) << key;
    }
  }
}

class WeightTwinsTest : public ::testing::TestWithParam<const char*> {};

INSTANTIATE_TEST_SUITE_P(AllFolders, WeightTwinsTest,
                         ::testing::Values("fcn", "musicnn", "crnn", "attention_w16", "hcnn_w16", "short_w16",
                                           "short_res_w16", "vgg_mediaeval"),
                         [](const auto& test) { return std::string(test.param); });

TEST_P(WeightTwinsTest, ZipAndSafetensorsHoldTheSameBytes) {
  const std::string folder = std::string("parity/") + GetParam() + "/";
  TAGBENCH_REQUIRE_SHARED(folder);
  const StateDict zip = read_state_dict(shared_path(folder + "weights.pth"));
  const StateDict safetensors = read_state_dict(shared_path(folder + "weights.safetensors"));
  EXPECT_EQ(zip.metadata.at("container"), "torch zip");
  expect_same_state(zip, safetensors);
}

class StreamTwinsTest : public ::testing::TestWithParam<std::pair<const char*, const char*>> {};

INSTANTIATE_TEST_SUITE_P(AllPairs, StreamTwinsTest,
                         ::testing::Values(std::make_pair("mtat/fcn", "fcn"), std::make_pair("mtat/musicnn", "musicnn"),
                                           std::make_pair("mtat/crnn", "crnn"),
                                           std::make_pair("mediaeval/vgg_baseline", "vgg_mediaeval")),
                         [](const auto& test) { return std::string(test.param.second); });

TEST_P(StreamTwinsTest, StreamAndZipHoldTheSameBytes) {
  const std::string stream = std::string("checkpoints/") + GetParam().first + ".pth";
  const std::string zip = std::string("parity/") + GetParam().second + "/weights.pth";
  TAGBENCH_REQUIRE_SHARED(stream);
  TAGBENCH_REQUIRE_SHARED(zip);
  expect_same_state(read_state_dict(shared_path(stream)), read_state_dict(shared_path(zip)));
}

TEST(WeightLayoutTest, RecurrentWeightsOfCrnnAreViewsOfOneStorage) {
  TAGBENCH_REQUIRE_SHARED("checkpoints/mtat/crnn.pth");
  const StateDict state = read_state_dict(shared_path("checkpoints/mtat/crnn.pth"));
  const torch::Tensor* first = state.find("layer5.weight_ih_l0");
  const torch::Tensor* last = state.find("layer5.bias_hh_l1");
  ASSERT_NE(first, nullptr);
  ASSERT_NE(last, nullptr);
  EXPECT_EQ(first->storage().nbytes(), 21888U * sizeof(float));
  EXPECT_EQ(first->storage().data(), last->storage().data());
  EXPECT_NE(first->storage_offset(), last->storage_offset());
}

TEST(WeightLayoutTest, CountersAreScalars) {
  TAGBENCH_REQUIRE_SHARED("checkpoints/mtat/fcn.pth");
  const StateDict state = read_state_dict(shared_path("checkpoints/mtat/fcn.pth"));
  const torch::Tensor* counter = state.find("spec_bn.num_batches_tracked");
  ASSERT_NE(counter, nullptr);
  EXPECT_EQ(counter->dim(), 0);
  EXPECT_EQ(counter->item<int64_t>(), 13145);  // 55 epochs of 239 batches
}

// meta.json lists key, shape and type of every tensor in PyTorch's order.
TEST(WeightLayoutTest, OrderAndShapesAreThoseOfTheReference) {
  for (const std::string folder : {"fcn", "musicnn", "crnn", "hcnn_w16", "vgg_mediaeval"}) {
    TAGBENCH_REQUIRE_SHARED("parity/" + folder);
    const StateDict state = read_state_dict(shared_path("parity/" + folder + "/weights.pth"));
    const Json listing = read_json(shared_path("parity/" + folder + "/meta.json")).at("state_dict");
    ASSERT_EQ(listing.size(), state.tensors.size()) << folder;
    size_t i = 0;
    for (const Json& entry : listing) {
      EXPECT_EQ(entry.at("key").get<std::string>(), state.tensors[i].first);
      EXPECT_EQ(entry.at("shape").get<std::vector<int64_t>>(), state.tensors[i].second.sizes().vec())
          << state.tensors[i].first;
      ++i;
    }
  }
}

}  // namespace
}  // namespace tagbench
