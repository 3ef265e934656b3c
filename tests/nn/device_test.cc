#include "harness/nn/device.h"

#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <torch/cuda.h>

#include "harness/core/errors.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using testing::message_of;

TEST(DeviceTest, CpuIsAlwaysThere) {
  EXPECT_TRUE(parse_device("cpu").is_cpu());
}

TEST(DeviceTest, OtherTextIsRefused) {
  for (const char* text : {"", "gpu", "CPU", "cuda:", "cuda:-1", "cuda:x", "cuda:1000", "cuda:0 "}) {
    EXPECT_EQ(message_of([&] { parse_device(text); }),
              std::string("device must be cpu, cuda or cuda:N, got '") + text + "'");
  }
}

TEST(DeviceTest, AbsentCudaIsAUsageError) {
  if (torch::cuda::is_available()) GTEST_SKIP() << "this machine has CUDA";
  EXPECT_THROW(parse_device("cuda"), UsageError);
  EXPECT_THAT(message_of([] { parse_device("cuda:1"); }), ::testing::HasSubstr("use --device cpu"));
}

TEST(DeviceTest, CudaDevicesAreCountedFromZero) {
  if (!torch::cuda::is_available()) GTEST_SKIP() << "this machine has no CUDA";
  EXPECT_EQ(parse_device("cuda"), parse_device("cuda:0"));
  EXPECT_THROW(parse_device("cuda:" + std::to_string(torch::cuda::device_count())), UsageError);
  EXPECT_EQ(torch_environment().devices.size(), torch::cuda::device_count());
}

TEST(DeviceTest, PrecisionIsReadAndNamed) {
  EXPECT_EQ(precision_name(parse_precision("fp32")), "fp32");
  EXPECT_EQ(precision_name(parse_precision("bf16")), "bf16");
  EXPECT_EQ(message_of([] { parse_precision("fp16"); }), "precision must be fp32 or bf16, got 'fp16'");
}

TEST(DeviceTest, ThreadCountReachesLibTorch) {
  const int before = at::get_num_threads();
  set_threads(2);
  EXPECT_EQ(torch_environment().threads, 2);
  EXPECT_EQ(torch_environment().interop_threads, 1);
  set_threads(1);
  EXPECT_EQ(torch_environment().threads, 1);
  EXPECT_THROW(set_threads(0), UsageError);
  set_threads(before);
}

TEST(DeviceTest, EnvironmentIsFilled) {
  const TorchEnvironment environment = torch_environment();
  EXPECT_FALSE(environment.version.empty());
  EXPECT_NE(environment.cpu_capability, "unknown");
  EXPECT_FALSE(environment.blas.library.empty());
  EXPECT_EQ(environment.devices.size(), torch::cuda::device_count());
}

}  // namespace
}  // namespace tagbench
