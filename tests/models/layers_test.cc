#include <gtest/gtest.h>

#include <map>
#include <string>

#include "harness/nn/multiply_adds.h"
#include "models/registry.h"

namespace tagbench {
namespace {

std::shared_ptr<Tagger> make_layered(const std::string& name,
                                     const std::vector<std::pair<std::string, std::string>>& given = {}) {
  const ModelEntry& entry = find_model(name);
  return entry.make(Options(name, entry.options, given), 50);
}

TEST(LayersTest, ShortChunkCnnCostsWhatItsLayersCostByHand) {
  // Every convolution has 3 x 3 x (channels in) products for each of its outputs, which are as many as its inputs,
  // pooled afterwards.
  const int64_t convolutions = 128LL * 231 * 128 * 9 * 1 + 64LL * 115 * 128 * 9 * 128 + 32LL * 57 * 256 * 9 * 128 +
                               16LL * 28 * 256 * 9 * 256 + 8LL * 14 * 256 * 9 * 256 + 4LL * 7 * 256 * 9 * 256 +
                               2LL * 3 * 512 * 9 * 256;
  EXPECT_EQ(multiply_adds(*make_layered("short")), 231 * 257 * 128 + convolutions + 512 * 512 + 512 * 50);
}

TEST(LayersTest, LayersCarryPublishedNamesShapesParametersAndCosts) {
  std::vector<std::string> names;
  std::map<std::string, LayerShape> layers;
  for (const LayerShape& layer : model_layers(*make_layered("short"))) {
    names.push_back(layer.name);
    layers[layer.name] = layer;
  }
  EXPECT_EQ(names, (std::vector<std::string>{"spec", "to_db", "spec_bn", "layer1", "layer2", "layer3", "layer4",
                                             "layer5", "layer6", "layer7", "dense1", "bn", "dense2"}));
  EXPECT_EQ(layers["layer1"].shape, "[1, 128, 64, 115]");
  EXPECT_EQ(layers["layer1"].parameters, 128 * 9 + 128 + 2 * 128);
  EXPECT_EQ(layers["spec"].multiply_adds, 231 * 257 * 128);
  EXPECT_EQ(layers["dense2"].multiply_adds, 512 * 50);
}

TEST(LayersTest, EveryArchitecturesLayersAddUpToTheWhole) {
  for (const ModelEntry& entry : models()) {
    const std::shared_ptr<Tagger> tagger = make_layered(entry.name, {{"n_channels", "4"}});
    int64_t n_parameters = 0;
    int64_t n_multiply_adds = 0;
    for (const LayerShape& layer : model_layers(*tagger)) {
      n_parameters += layer.parameters;
      n_multiply_adds += layer.multiply_adds;
    }
    EXPECT_EQ(n_parameters, count_parameters(*tagger)) << entry.name;
    EXPECT_EQ(n_multiply_adds, multiply_adds(*tagger)) << entry.name;
    EXPECT_GT(n_multiply_adds, 0) << entry.name;
  }
}

TEST(LayersTest, LeavesTheTaggerAsItWas) {
  const std::shared_ptr<Tagger> tagger = make_layered("sample", {{"n_channels", "4"}});
  tagger->train();
  model_layers(*tagger);
  multiply_adds(*tagger);
  EXPECT_TRUE(tagger->is_training());
  EXPECT_EQ(tagger->named_buffers()["layer1.bn.num_batches_tracked"].item<int64_t>(), 0);
}

}  // namespace
}  // namespace tagbench
