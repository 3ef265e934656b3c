#include <cmath>

#include "harness/core/json.h"
#include "harness/core/npy.h"
#include "tests/cli/program.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using testing::run_program;
using testing::shared_path;

// Ready chunks through the published FCN: probabilities, logits and front end against the authors' own, tolerances as
// stated with them.
TEST(PredictTest, ReadyChunksGiveThePublishedOutputs) {
  TAGBENCH_REQUIRE_SHARED("parity/fcn/meta.json");
  const Json meta = read_json(shared_path("parity/fcn/meta.json"));
  const testing::TemporaryDirectory directory;
  const auto outcome =
      run_program({"predict", "--model", "fcn", "--weights", shared_path("checkpoints/mtat/fcn.pth").string(),
                   shared_path("parity/inputs/audio_464000.npy").string(), "--scores", (directory / "s.npy").string(),
                   "--logits", (directory / "g.npy").string(), "--front-end", (directory / "f.npy").string()});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto worst = [&](const std::string& ours, const std::string& theirs) {
    const NpyArray a = read_npy(directory / ours);
    const NpyArray b = read_npy(shared_path(theirs));
    EXPECT_EQ(a.shape, b.shape);
    const std::vector<double> x = a.as_double();
    const std::vector<double> y = b.as_double();
    double largest = 0.0;
    for (size_t i = 0; i < x.size(); ++i) largest = std::max(largest, std::fabs(x[i] - y[i]));
    return largest;
  };
  EXPECT_LE(worst("s.npy", "parity/fcn/output.npy"), meta["tolerance"]["prob_abs"].get<double>());
  EXPECT_LE(worst("g.npy", "parity/fcn/logits.npy"), meta["tolerance"]["logits_abs"].get<double>());
  EXPECT_LE(worst("f.npy", "parity/inputs/logmel96_ckpt_464000.npy"),
            meta["tolerance"]["frontend_db_abs_elsewhere"].get<double>());
}

}  // namespace
}  // namespace tagbench
