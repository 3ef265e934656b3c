#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "harness/audio/audio_file.h"
#include "harness/core/text.h"
#include "perturbations/drc.h"
#include "tests/perturbations/signals.h"
#include "tests/support/test_support.h"

// The command-line programs that papers used, run here on clips of any kind and compared with what we make of them.
namespace tagbench {
namespace {

bool on_path(const std::string& program) {
  const char* path = std::getenv("PATH");
  for (const std::string& folder : split_text(path != nullptr ? path : "", ':')) {
    if (!folder.empty() && std::filesystem::exists(std::filesystem::path(folder) / program)) return true;
  }
  return false;
}

struct Clip {
  std::string name;
  Waveform waveform;
};

// The values are those of 16-bit files, which is what the programs were given.
std::vector<Clip> clips() {
  Waveform loud = testing::music(2.0, 44100);
  for (float& sample : loud.samples) sample = std::clamp(3.0F * sample, -1.0F, 1.0F);
  Waveform bursts = testing::hiss(32000);
  for (size_t i = 0; i < bursts.samples.size(); ++i) bursts.samples[i] *= i / 4000 % 2 == 0 ? 0.01F : 4.0F;
  std::vector<Clip> clips = {{"music", testing::music(3.0)},
                             {"loud", loud},
                             {"bursts", bursts},
                             {"short", testing::hiss(500, 22050)},
                             {"silence", testing::silence(8000, 8000)}};
  for (Clip& clip : clips) {
    for (float& sample : clip.waveform.samples)
      sample = std::clamp(std::nearbyint(sample * 32768.0F), -32768.0F, 32767.0F) / 32768.0F;
  }
  return clips;
}

class ToolsTest : public ::testing::Test {
 protected:
  // `command` with IN and OUT for the two files.
  Waveform processed(const Waveform& input, std::string command) {
    const std::string in = folder_ / "in.wav";
    const std::string out = folder_ / "out.wav";
    write_wav(in, input);
    std::filesystem::remove(out);
    command.replace(command.find("IN"), 2, in);
    command.replace(command.find("OUT"), 3, out);
    EXPECT_EQ(std::system((command + " >" + (folder_ / "log").string() + " 2>&1").c_str()), 0) << command;
    return testing::read_sound(out);
  }
  testing::TemporaryDirectory folder_;
};

TEST_F(ToolsTest, AllCompressorPresetsEqualSox) {
  if (!on_path("sox")) GTEST_SKIP() << "the program sox is not here";
  for (const Clip& clip : clips()) {
    for (const CompressorPreset& preset : compressor_presets()) {
      std::string points;
      for (const auto& point : preset.points)
        points += (points.empty() ? "" : ",") + format_real(point.input_db) + "," + format_real(point.output_db);
      const Waveform expected = processed(
          clip.waveform, "sox -D IN -b 32 -e floating-point OUT compand " + format_real(preset.attack_s) + "," +
                             format_real(preset.decay_s) + " " + points + " " + format_real(preset.gain_db) + " " +
                             format_real(preset.initial_level_db) + " " + format_real(preset.look_ahead_s));
      const Waveform found = testing::applied("drc:preset=" + preset.name, clip.waveform).waveform;
      ASSERT_EQ(found.samples.size(), expected.samples.size()) << clip.name << " " << preset.name;
      for (size_t i = 0; i < found.samples.size(); ++i) {
        // As in drc_test.cc: the arithmetic of the program is 32-bit integers.
        ASSERT_NEAR(found.samples[i], expected.samples[i], 2e-6) << clip.name << " " << preset.name << " sample " << i;
      }
    }
  }
}

TEST_F(ToolsTest, RubberBandEqualsItsCommandLineTool) {
  if (!on_path("rubberband")) GTEST_SKIP() << "the program rubberband is not here";
  for (const Clip& clip : clips()) {
    for (const auto& [engine, option] : {std::pair("rubberband_r2", "-2"), std::pair("rubberband_r3", "-3")}) {
      for (const auto& [condition, change] :
           {std::pair("time_stretch:rate=2^0.5", "--tempo 1.4142135623730951"),
            std::pair("time_stretch:rate=0.8", "--tempo 0.8"), std::pair("pitch_shift:semitones=1", "--pitch 1"),
            std::pair("pitch_shift:semitones=-3.5", "--pitch -3.5")}) {
        const std::string what = clip.name + ", " + condition + ", " + engine;
        Waveform expected = processed(clip.waveform, std::string("rubberband -q ") + option + " " + change + " IN OUT");
        const Waveform found = testing::applied(std::string(condition) + ",engine=" + engine, clip.waveform).waveform;
        // The tool writes what the engine gives; we cut or fill up to the length that the ratio demands.
        EXPECT_NEAR(static_cast<double>(expected.size()), static_cast<double>(found.size()), 2.0) << what;
        expected.samples.resize(found.samples.size(), 0.0F);
        float largest = 0.0F;
        for (size_t i = 0; i < found.samples.size(); ++i)
          largest = std::max(largest, std::fabs(found.samples[i] - expected.samples[i]));
        EXPECT_EQ(largest, 0.0F) << what;
      }
    }
  }
}

}  // namespace
}  // namespace tagbench
