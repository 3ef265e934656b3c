#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/nn/functional/loss.h>
#include <torch/utils.h>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <map>
#include <set>
#include <string>

#include "harness/core/errors.h"
#include "harness/core/text.h"
#include "harness/nn/autocast.h"
#include "harness/nn/spectrogram.h"
#include "harness/nn/state_dict.h"
#include "models/attention.h"
#include "models/registry.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using ::testing::HasSubstr;
using testing::message_of;

using Given = std::vector<std::pair<std::string, std::string>>;

std::shared_ptr<Tagger> make(const std::string& name, const Given& given = {}, int64_t n_tags = 50) {
  const ModelEntry& entry = find_model(name);
  return entry.make(Options(name, entry.options, given), n_tags);
}

// The narrowest useful version: fast, and every layer still there.
Given narrow(const std::string& name) {
  Given given = {{"n_channels", "4"}};
  if (starts_with(name, "musicnn")) {
    given.emplace_back("front_channels", "5");
    given.emplace_back("n_dense", "6");
  }
  return given;
}

std::vector<std::string> names() {
  std::vector<std::string> result;
  for (const ModelEntry& entry : models()) result.push_back(entry.name);
  return result;
}

torch::Tensor noise(const Tagger& tagger, int64_t n_rows) {
  torch::manual_seed(1);
  return 0.1 * torch::randn({n_rows, tagger.facts().input_samples});
}

class ModelsTest : public ::testing::TestWithParam<std::string> {};

TEST_P(ModelsTest, PublishedSizeHasThePublishedNumberOfParametersAndState) {
  struct Expected {
    int64_t n_parameters, n_entries, n_samples;
  };
  const std::map<std::string, Expected> published = {
      {"fcn", {447732, 44, 464000}},          {"fcn_128", {447732, 44, 464000}},
      {"musicnn", {784300, 72, 48000}},       {"musicnn_128", {784300, 72, 48000}},
      {"sample", {1869874, 79, 59049}},       {"se", {6951858, 228, 59049}},
      {"crnn", {394100, 45, 464000}},         {"crnn_128", {394100, 45, 464000}},
      {"attention", {10521652, 190, 240000}}, {"hcnn", {3631551, 100, 80000}},
      {"short", {3687348, 65, 59049}},        {"short_res", {12104244, 163, 59049}},
      {"vgg_mediaeval", {448122, 42, 349200}}};
  const int64_t n_tags = find_model(GetParam()).published_tags;
  const std::shared_ptr<Tagger> tagger = make(GetParam(), {}, n_tags);
  EXPECT_EQ(count_parameters(*tagger), published.at(GetParam()).n_parameters);
  EXPECT_EQ(static_cast<int64_t>(state_of(*tagger).tensors.size()), published.at(GetParam()).n_entries);
  EXPECT_EQ(tagger->facts().input_samples, published.at(GetParam()).n_samples);
}

TEST_P(ModelsTest, FactsRepeatTheRegistry) {
  const ModelEntry& entry = find_model(GetParam());
  const std::shared_ptr<Tagger> tagger = make(GetParam(), narrow(GetParam()));
  EXPECT_EQ(tagger->facts().name, entry.name);
  EXPECT_EQ(tagger->facts().row_name, entry.row_name);
  EXPECT_EQ(tagger->facts().paper, entry.paper);
  EXPECT_EQ(tagger->facts().source, entry.source);
  EXPECT_FALSE(tagger->facts().front_end.empty());
  EXPECT_FALSE(entry.summary.empty());
  EXPECT_EQ(tagger->facts().sample_rate_hz, GetParam() == "vgg_mediaeval" ? 12000 : 16000);
}

TEST_P(ModelsTest, TrainingReachesEveryParameter) {
  torch::manual_seed(3);
  const std::shared_ptr<Tagger> tagger = make(GetParam(), narrow(GetParam()), 7);
  tagger->train();
  const torch::Tensor logits = tagger->forward(noise(*tagger, 2));
  ASSERT_TRUE(logits.sizes().equals({2, 7}));
  torch::nn::functional::binary_cross_entropy_with_logits(logits, torch::ones_like(logits)).backward();
  for (const auto& item : tagger->named_parameters()) {
    ASSERT_TRUE(item.value().grad().defined()) << item.key();
    EXPECT_TRUE(item.value().grad().isfinite().all().item<bool>()) << item.key();
  }
}

TEST_P(ModelsTest, EvaluationIsRepeatableAndRowsDoNotTouchEachOther) {
  torch::manual_seed(4);
  const std::shared_ptr<Tagger> tagger = make(GetParam(), narrow(GetParam()), 7);
  tagger->eval();
  const torch::NoGradGuard no_gradient;
  const torch::Tensor waveform = noise(*tagger, 3);
  const torch::Tensor together = tagger->forward(waveform);
  EXPECT_TRUE(torch::equal(tagger->forward(waveform), together));
  for (int64_t row = 0; row < 3; ++row) {
    // Sums in another order: single precision leaves about 1e-6 of the logits' size.
    EXPECT_LE((tagger->forward(waveform.narrow(0, row, 1)) - together.narrow(0, row, 1)).abs().max().item<double>(),
              1e-5)
        << row;
  }
}

TEST_P(ModelsTest, SilenceAndFullScaleGiveFiniteLogits) {
  const std::shared_ptr<Tagger> tagger = make(GetParam(), narrow(GetParam()), 7);
  tagger->eval();
  const torch::NoGradGuard no_gradient;
  for (const double level : {0.0, 1.0, -1.0}) {
    const torch::Tensor waveform = torch::full({1, tagger->facts().input_samples}, level);
    EXPECT_TRUE(tagger->forward(waveform).isfinite().all().item<bool>()) << level;
  }
}

TEST_P(ModelsTest, DropoutActsInTrainingOnly) {
  const std::shared_ptr<Tagger> tagger = make(GetParam(), {}, 7);
  int n_dropouts = 0;
  for (const auto& child : tagger->modules()) n_dropouts += child->as<torch::nn::DropoutImpl>() != nullptr ? 1 : 0;
  EXPECT_EQ(n_dropouts, GetParam() == "attention" ? 7 : 1);
}

TEST_P(ModelsTest, RejectsOtherRanksLengthsAndTypes) {
  const std::shared_ptr<Tagger> tagger = make(GetParam(), narrow(GetParam()), 7);
  const int64_t length = tagger->facts().input_samples;
  const std::string start = GetParam() + ": expected input [B, T] with T ";
  EXPECT_THAT(message_of([&] { tagger->front_end(torch::zeros({length})); }), HasSubstr(start));
  EXPECT_THAT(message_of([&] {
                tagger->front_end(torch::zeros({2, 1, length}));
              }),
              HasSubstr("got [2, 1, " + std::to_string(length) + "]"));
  EXPECT_THAT(message_of([&] { tagger->front_end(torch::zeros({0, length})); }), HasSubstr("got [0, "));
  EXPECT_THAT(message_of([&] { tagger->front_end(torch::zeros({1, 1000})); }), HasSubstr(start));
  EXPECT_THAT(message_of([&] {
                tagger->front_end(torch::zeros({1, length}, torch::kInt32));
              }),
              HasSubstr("expected floating-point input"));
  EXPECT_THAT(message_of([&] {
                tagger->network(torch::zeros({1, 3}));
              }),
              HasSubstr(GetParam() + ": expected input [B, "));
}

TEST_P(ModelsTest, RejectsNoTagsAndUnknownOptions) {
  EXPECT_EQ(message_of([&] { make(GetParam(), {}, 0); }),
            GetParam() + ": the number of tags must be from 1 to 100000, got 0");
  EXPECT_THAT(message_of([&] { make(GetParam(), {{"n_chanels", "3"}}); }), HasSubstr("n_channels"));
  EXPECT_THAT(message_of([&] { make(GetParam(), {{"n_channels", "0"}}); }), HasSubstr("from"));
}

// How many time steps of the features the middle step of a layer's map sees: those whose NaN reaches it. They are
// consecutive, so their ends are found by bisection.
int64_t steps_seen_by_the_middle(Tagger& tagger, const std::string& layer, const torch::Tensor& features) {
  const torch::NoGradGuard no_gradient;
  torch::Tensor map;
  const ActivationObserver observer([&](const std::string& name, const torch::Tensor& value) {
    if (name == layer) map = value;
  });
  const auto is_seen = [&](int64_t step) {
    torch::Tensor spoiled = features.clone();
    spoiled.select(-1, step).fill_(std::numeric_limits<float>::quiet_NaN());
    tagger.network(spoiled);
    return map.select(-1, map.size(-1) / 2).isnan().any().item<bool>();
  };
  // The last seen step on the way from the middle, which is seen, to an end, which is not.
  const auto edge = [&](int64_t seen, int64_t unseen) {
    EXPECT_TRUE(is_seen(seen));
    EXPECT_FALSE(is_seen(unseen));
    while (std::abs(unseen - seen) > 1) {
      const int64_t between = (seen + unseen) / 2;
      (is_seen(between) ? seen : unseen) = between;
    }
    return seen;
  };
  const int64_t n_steps = features.size(-1);
  return edge(n_steps / 2, n_steps - 1) - edge(n_steps / 2, 0) + 1;
}

TEST(ReceptiveFieldTest, IsWhatOneStepOfTheLastMapSees) {
  const std::shared_ptr<Tagger> musicnn = make("musicnn", narrow("musicnn"), 2);
  musicnn->eval();
  const int64_t frames = 129 + 3 * 6;
  EXPECT_EQ(musicnn->facts().receptive_field_samples, (frames - 1) * 256 + 512);
  // The residual sums behind layer1 and layer2 do not widen it.
  EXPECT_EQ(steps_seen_by_the_middle(*musicnn, "layer3", torch::randn({1, 96, 400})), frames);

  const std::shared_ptr<Tagger> attention = make("attention", narrow("attention"), 2);
  attention->eval();
  const int64_t attention_frames = (attention->facts().receptive_field_samples - 512) / 256 + 1;
  EXPECT_EQ(attention_frames, 1 + (2 + 4) + (4 + 8) + (8 + 16) + 4 * (16 + 16));
  EXPECT_EQ(steps_seen_by_the_middle(*attention, "layer7", torch::randn({1, 128, 938})), attention_frames);
}

TEST(ReceptiveFieldTest, ModelsWhoseLastMapSeesTheWholeChunkSaySo) {
  for (const char* name : {"fcn", "sample", "se", "short", "short_res", "vgg_mediaeval"}) {
    const std::shared_ptr<Tagger> tagger = make(name, narrow(name), 2);
    EXPECT_EQ(tagger->facts().receptive_field_samples, tagger->facts().input_samples) << name;
  }
}

TEST_P(ModelsTest, TrainsInBFloat16) {
  const std::shared_ptr<Tagger> tagger = make(GetParam(), narrow(GetParam()), 7);
  constexpr int64_t kLongestChunkSamples = 100000;
  if (tagger->facts().input_samples > kLongestChunkSamples)
    GTEST_SKIP() << "LibTorch 1.13 takes over ten minutes for a bfloat16 backward pass through a map of this length";
  tagger->train();
  const torch::Tensor waveform = noise(*tagger, 2);
  torch::Tensor logits;
  {
    const AutocastGuard autocast(torch::kCPU, true);
    logits = tagger->forward(waveform).to(torch::kFloat32);
  }
  logits.sum().backward();
  for (const auto& item : tagger->named_parameters()) {
    ASSERT_TRUE(item.value().grad().defined()) << item.key();
    EXPECT_TRUE(item.value().grad().isfinite().all().item<bool>()) << item.key();
  }
}

TEST_P(ModelsTest, BFloat16AutocastLeavesTheFrontEndInSinglePrecision) {
  const std::shared_ptr<Tagger> tagger = make(GetParam(), narrow(GetParam()), 7);
  const torch::Tensor waveform = noise(*tagger, 1);
  const torch::NoGradGuard no_gradient;
  const torch::Tensor plain = tagger->front_end_output(waveform);
  const AutocastGuard autocast(torch::kCPU, true);
  EXPECT_TRUE(torch::equal(tagger->front_end_output(waveform), plain));
}

TEST(ClsVectorTest, IsWhatNumpysLegacyGeneratorSeededWithZeroDraws) {
  const std::vector<float> values = cls_vector(256);
  ASSERT_EQ(values.size(), 256U);
  EXPECT_EQ(values[0], 0.54881352F);
  EXPECT_EQ(values[1], 0.71518934F);
  EXPECT_EQ(values[2], 0.60276335F);
  EXPECT_EQ(values[3], 0.54488319F);
  EXPECT_EQ(values[255], 0.08342244F);
  double sum = 0.0;
  for (const float value : values) sum += value;
  EXPECT_NEAR(sum, 126.907673, 5e-7);  // stated with six decimals
}

TEST(AttentionTest, EncoderLayersStartEqualAndApart) {
  const std::shared_ptr<Tagger> tagger = make("attention", narrow("attention"), 3);
  const auto parameters = tagger->named_parameters();
  int compared = 0;
  for (const auto& item : parameters) {
    const size_t at = item.key().find("encoder.layer.0.");
    if (at == std::string::npos) continue;
    const torch::Tensor& other = parameters["encoder.layer.1." + item.key().substr(16)];
    EXPECT_TRUE(torch::equal(item.value(), other)) << item.key();
    EXPECT_NE(item.value().data_ptr(), other.data_ptr()) << item.key();
    ++compared;
  }
  EXPECT_EQ(compared, 16);
}

TEST(AttentionTest, RejectsWidthsThatEightHeadsCannotShare) {
  EXPECT_EQ(message_of([] {
              make("attention", {{"n_channels", "6"}});
            }),
            "attention: n_channels must be a multiple of 4 (eight attention heads share twice as many), got 6");
}

TEST(MusicnnTest, MillionSongBackEndHasThePublishedNumberOfParameters) {
  EXPECT_EQ(count_parameters(*make("musicnn", {{"n_channels", "512"}, {"n_dense", "500"}})), 7972000);
}

// PyTorch's defaults: uniform within 1 / sqrt(fan in) for convolutions and dense layers, 1 / sqrt(units) for a GRU,
// ones and zeros for norms.
TEST(InitialisationTest, FollowsPyTorchsDefaults) {
  torch::manual_seed(0);
  for (const char* name : {"crnn", "se", "hcnn"}) {
    const std::shared_ptr<Tagger> tagger = make(name);
    const auto parameters = tagger->named_parameters();
    for (const auto& item : parameters) {
      const torch::Tensor& value = item.value();
      const std::string& key = item.key();
      if (key == "hstft.bw_Q") continue;
      const bool is_norm = key.find("bn") != std::string::npos;
      if (is_norm) {
        EXPECT_TRUE(torch::equal(value, ends_with(key, ".weight") ? torch::ones_like(value) : torch::zeros_like(value)))
            << key;
        continue;
      }
      double bound = 1.0 / std::sqrt(32.0);  // the GRU's 32 units
      if (key.find("layer5.") != 0 || std::string(name) != "crnn") {
        const torch::Tensor& weight = parameters[key.substr(0, key.rfind('.')) + ".weight"];
        bound = 1.0 / std::sqrt(static_cast<double>(weight.numel() / weight.size(0)));
      }
      const double largest = value.abs().max().item<double>();
      EXPECT_LE(largest, bound) << key;
      // The largest of n uniform values misses the bound by about bound / n.
      EXPECT_GE(largest, bound * (1.0 - 12.0 / static_cast<double>(value.numel()))) << key;
    }
  }
}

TEST(RegistryTest, NamesAreUniqueAndUnknownOnesAreRefusedWithTheNearest) {
  const std::vector<std::string> all = names();
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), all.size());
  EXPECT_EQ(all.size(), 13U);
  EXPECT_THAT(message_of([] { find_model("shrot"); }), HasSubstr("unknown model 'shrot'; did you mean 'short'?"));
}

TEST(FcnTest, RejectsChunksWhoseLastMapIsNotOneStep) {
  const std::shared_ptr<Tagger> tagger = make("fcn", narrow("fcn"), 2);
  EXPECT_NO_THROW(tagger->front_end(torch::zeros({1, 327424})));
  EXPECT_EQ(message_of([&] {
              tagger->front_end(torch::zeros({1, 327423}));
            }),
            "fcn: expected input [B, T] with T = 327424..655103, got [1, 327423]");
  EXPECT_EQ(message_of([&] {
              tagger->front_end(torch::zeros({1, 655104}));
            }),
            "fcn: expected input [B, T] with T = 327424..655103, got [1, 655104]");
}

TEST(ShortChunkTest, TakesLongerInputsAndKeepsTheMaximumOverTime) {
  for (const char* name : {"short", "short_res", "hcnn", "musicnn", "crnn", "attention"}) {
    const std::shared_ptr<Tagger> tagger = make(name, narrow(name), 2);
    tagger->eval();
    const torch::NoGradGuard no_gradient;
    const torch::Tensor logits = tagger->forward(torch::zeros({1, 2 * tagger->facts().input_samples}));
    EXPECT_TRUE(logits.sizes().equals({1, 2})) << name;
  }
}

TEST(FrontEndKeyTest, IsSharedByEqualFrontEndsOnly) {
  const auto key = [](const char* name) { return make(name, narrow(name), 2)->front_end_key(); };
  EXPECT_EQ(key("fcn"), key("crnn"));
  EXPECT_EQ(key("short"), key("attention"));
  EXPECT_EQ(key("sample"), key("se"));
  EXPECT_EQ(std::set<std::string>({key("fcn"), key("short"), key("sample"), key("hcnn"), key("vgg_mediaeval")}).size(),
            5U);
}

TEST(FrontEndKeyTest, ChangesWithTheBuffersACheckpointBrings) {
  const std::shared_ptr<Tagger> tagger = make("short", narrow("short"), 2);
  const std::string before = tagger->front_end_key();
  tagger->named_buffers()["spec.mel_scale.fb"].mul_(1.00001);
  EXPECT_NE(tagger->front_end_key(), before);
}

INSTANTIATE_TEST_SUITE_P(Registry, ModelsTest, ::testing::ValuesIn(names()),
                         [](const auto& model) { return model.param; });

}  // namespace
}  // namespace tagbench
