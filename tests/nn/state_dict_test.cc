#include "harness/nn/state_dict.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/serialize.h>

#include "harness/core/errors.h"
#include "harness/core/files.h"
#include "tests/nn/weight_files.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using ::testing::HasSubstr;
using testing::message_of;
using ::testing::Not;
using testing::TemporaryDirectory;

struct InnerImpl : torch::nn::Module {
  InnerImpl() {
    conv = register_module("conv", torch::nn::Conv1d(2, 3, 1));
    bn = register_module("bn", torch::nn::BatchNorm1d(3));
  }
  torch::nn::Conv1d conv{nullptr};
  torch::nn::BatchNorm1d bn{nullptr};
};
TORCH_MODULE(Inner);

struct NetImpl : torch::nn::Module {
  NetImpl() {
    dense = register_module("dense", torch::nn::Linear(3, 2));
    layer1 = register_module("layer1", Inner());
    window = register_buffer("window", torch::ones({4}));
    scale = register_parameter("scale", torch::ones({1}));
  }
  torch::nn::Linear dense{nullptr};
  Inner layer1{nullptr};
  torch::Tensor window;
  torch::Tensor scale;
};
TORCH_MODULE(Net);

std::vector<std::string> keys(const StateDict& state) {
  std::vector<std::string> result;
  for (const auto& item : state.tensors) result.push_back(item.first);
  return result;
}

StateDict copy_of(const torch::nn::Module& module) {
  StateDict state = state_of(module);
  for (auto& item : state.tensors) item.second = item.second.detach().clone();
  return state;
}

TEST(StateDictTest, KeysComeInPublishedOrder) {
  // PyTorch: a module's own parameters, then its buffers, then its children.
  const Net net;
  EXPECT_THAT(keys(state_of(*net)),
              ::testing::ElementsAre("scale", "window", "dense.weight", "dense.bias", "layer1.conv.weight",
                                     "layer1.conv.bias", "layer1.bn.weight", "layer1.bn.bias", "layer1.bn.running_mean",
                                     "layer1.bn.running_var", "layer1.bn.num_batches_tracked"));
}

TEST(StateDictTest, LoadingCopiesParametersAndBuffers) {
  const Net source;
  Net target;
  source->layer1->bn->running_mean.fill_(3.0);
  source->layer1->bn->num_batches_tracked.fill_(9);
  load_state(*target, state_of(*source), "net");
  const StateDict expected = state_of(*source);
  const StateDict loaded = state_of(*target);
  for (const auto& [key, tensor] : expected.tensors) EXPECT_TRUE(torch::equal(tensor, *loaded.find(key))) << key;
  EXPECT_NE(loaded.find("scale")->data_ptr(), expected.find("scale")->data_ptr());
  EXPECT_TRUE(loaded.find("scale")->requires_grad());
}

TEST(StateDictTest, AllMisfitsAreToldAtOnceAndNothingChanges) {
  const Net source;
  Net target;
  const StateDict before = copy_of(*target);
  StateDict state = copy_of(*source);
  state.tensors.erase(state.tensors.begin());      // scale
  state.tensors[1].second = torch::zeros({5, 3});  // dense.weight
  state.tensors.back().second = torch::zeros({});  // a counter that is no integer
  state.tensors.emplace_back("extra", torch::zeros({1}));
  state.tensors.emplace_back("layer2.weight", torch::zeros({1}));
  EXPECT_EQ(
      message_of([&] { load_state(*target, state, "net <- file"); }),
      "net <- file: the weights do not fit: 1 missing: scale; 2 unexpected: extra, layer2.weight; 2 of another shape "
      "or type: dense.weight "
      "(expected [2, 3] Float, found [5, 3] Float), layer1.bn.num_batches_tracked (expected [] Long, found [] Float)");
  const StateDict after = state_of(*target);
  for (const auto& [key, tensor] : before.tensors) EXPECT_TRUE(torch::equal(tensor, *after.find(key))) << key;
}

TEST(StateDictTest, WeightsThatAreNotFiniteAreRefusedAndNothingChanges) {
  const Net source;
  Net target;
  const StateDict before = copy_of(*target);
  StateDict state = copy_of(*source);
  state.tensors[2].second[0][0] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(message_of([&] { load_state(*target, state, "net <- file"); }),
              ::testing::HasSubstr("net <- file: finite weights were expected, found 1 with NaN or infinity: "
                                   "dense.weight; the file is damaged, or its training diverged"));
  const StateDict after = state_of(*target);
  for (const auto& [key, tensor] : before.tensors) EXPECT_TRUE(torch::equal(tensor, *after.find(key))) << key;
}

TEST(StateDictTest, FloatsConvertToTheTypeOfTheModule) {
  const Net source;
  Net target;
  StateDict state = copy_of(*source);
  for (auto& item : state.tensors) {
    if (item.second.is_floating_point()) item.second = item.second.to(torch::kDouble);
  }
  state.tensors.back().second = torch::tensor(7, torch::kInt);
  load_state(*target, state, "net");
  EXPECT_EQ(target->dense->weight.scalar_type(), torch::kFloat);
  EXPECT_TRUE(torch::equal(target->dense->weight, source->dense->weight));
  EXPECT_EQ(target->layer1->bn->num_batches_tracked.item<int64_t>(), 7);
}

TEST(StateDictTest, IntegersDoNotBecomeFloats) {
  Net target;
  StateDict state = copy_of(*target);
  state.tensors[0].second = torch::ones({1}, torch::kLong);
  EXPECT_THAT(message_of([&] { load_state(*target, state, "net"); }),
              HasSubstr("scale (expected [1] Float, found [1] Long)"));
}

TEST(StateDictTest, DataParallelNamesAreExplained) {
  Net target;
  StateDict state = copy_of(*target);
  for (auto& item : state.tensors) item.first = "module." + item.first;
  EXPECT_THAT(message_of([&] { load_state(*target, state, "net"); }), HasSubstr("save model.module.state_dict()"));
}

TEST(StateDictTest, ContainersAreRecognisedByContent) {
  const TemporaryDirectory folder;
  for (const auto& [name, bytes] :
       {std::make_pair("zip.safetensors", testing::small_zip()), std::make_pair("stream.txt", testing::small_stream()),
        std::make_pair("safetensors.pth", testing::small_safetensors())}) {
    write_file_atomically(folder / name, bytes);
    EXPECT_EQ(read_state_dict(folder / name).tensors.size(), 2U) << name;
  }
}

TEST(StateDictTest, OtherFilesAreNamedForWhatTheyAre) {
  const TemporaryDirectory folder;
  const auto text = [&](const std::string& bytes) {
    write_file_atomically(folder / "w", bytes);
    return message_of([&] { read_state_dict(folder / "w"); });
  };
  EXPECT_THAT(text(""), HasSubstr("the file is empty"));
  EXPECT_THAT(text("\x89HDF\r\n"), HasSubstr("an HDF5 (Keras) file"));
  EXPECT_THAT(text("\x93NUMPY"), HasSubstr("a NumPy array"));
  EXPECT_THAT(text("version https://git-lfs.github.com/spec/v1\n"), HasSubstr("a Git LFS pointer"));
  EXPECT_THAT(text("<!DOCTYPE html>"), HasSubstr("an HTML or XML page"));
  EXPECT_THAT(text("\x1f\x8b\x08"), HasSubstr("gzip"));
  EXPECT_THAT(text("hello"), HasSubstr("found 'hello' at its beginning"));
  EXPECT_THAT(text("PK\x05\x06"), HasSubstr("an empty or split zip file"));
}

TEST(StateDictTest, PathsThatAreNoFilesAreDataErrors) {
  const TemporaryDirectory folder;
  EXPECT_THAT(message_of([&] { read_state_dict(folder / "absent"); }), HasSubstr("No such file"));
  EXPECT_THAT(message_of([&] { read_state_dict(folder.path()); }), HasSubstr("this is a folder"));
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(message_of([&] { read_state_dict(folder / "pipe"); }), HasSubstr("this is no regular file"));
}

TEST(StateDictTest, HugeSparseFilesAreRefused) {
  const TemporaryDirectory folder;
  write_file_atomically(folder / "w", testing::small_zip());
  std::filesystem::resize_file(folder / "w", uint64_t{20} << 30U);
  EXPECT_THAT(message_of([&] { read_state_dict(folder / "w"); }), HasSubstr("at most 17179869184 bytes"));
}

TEST(StateDictTest, FilesOfLibTorchsOwnSaveAreRead) {
  const TemporaryDirectory folder;
  Net net;
  torch::save(net, (folder / "net.pt").string());
  const StateDict state = read_state_dict(folder / "net.pt");
  EXPECT_EQ(state.metadata.at("container"), "TorchScript");
  Net loaded;
  load_state(*loaded, state, "net");
  EXPECT_TRUE(torch::equal(loaded->layer1->conv->weight, net->layer1->conv->weight));
}

TEST(StateDictTest, SafetensorsCarryAModelRoundTrip) {
  const TemporaryDirectory folder;
  const Net net;
  write_safetensors(folder / "net.safetensors", state_of(*net));
  const StateDict state = read_state_dict(folder / "net.safetensors");
  EXPECT_EQ(keys(state), keys(state_of(*net)));
  Net loaded;
  load_state(*loaded, state, "net");
  EXPECT_TRUE(torch::equal(loaded->dense->weight, net->dense->weight));
}

}  // namespace
}  // namespace tagbench
