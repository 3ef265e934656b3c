#include <gnu/libc-version.h>
#include <gtest/gtest.h>
#include <samplerate.h>
#include <sndfile.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "harness/audio/audio_file.h"
#include "harness/core/hash.h"
#include "harness/core/json.h"
#include "harness/core/text.h"
#include "perturbations/condition.h"
#include "perturbations/registry.h"
#include "tests/perturbations/signals.h"
#include "tests/support/test_support.h"

// Rendered audio of every perturbation and severity against tests/data/perturbations/golden.json: bit for bit on a
// machine like the one that wrote the file, in length, level and spectrum elsewhere. `cmake --build BUILD --target
// golden_perturbations` writes it anew; do so only with the version of the perturbation raised, and say in the commit
// why its samples changed.
namespace tagbench {
namespace {

constexpr double kSilenceDb = -90.0;
constexpr double kBandEdgesHz[] = {60.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0};

std::filesystem::path golden_path() {
  return std::filesystem::path(TAGBENCH_TEST_DATA_DIR) / "perturbations" / "golden.json";
}

std::string processor() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  std::string model = "unknown";
  std::string sets;
  for (std::string line; std::getline(cpuinfo, line);) {
    const std::vector<std::string> parts = split_text(line, ':');
    if (parts.size() < 2) continue;
    if (trim(parts[0]) == "model name") model = trim(parts[1]);
    if (trim(parts[0]) != "flags" || !sets.empty()) continue;
    const std::vector<std::string> flags = split_text(trim(parts[1]), ' ');
    for (const std::string set : {"avx", "avx2", "fma", "avx512f"}) {
      if (std::find(flags.begin(), flags.end(), set) != flags.end()) sets += " " + set;
    }
  }
  return model + sets;
}

// Everything that may change the last bits.
Json fingerprint() {
  std::string build = "optimised";
#ifndef __OPTIMIZE__
  build = "not optimised";
#endif
#ifdef __SANITIZE_ADDRESS__
  build += ", address sanitizer";
#endif
  Json machine;
  machine["processor"] = processor();
  machine["libc"] = gnu_get_libc_version();
  machine["compiler"] = std::string(__VERSION__) + ", " + build;
  machine["libsndfile"] = sf_version_string();
  machine["libsamplerate"] = src_get_version();
  machine["rubberband"] = TAGBENCH_RUBBERBAND_VERSION;
  return machine;
}

struct GoldenCase {
  std::string label;
  std::string condition;
};

std::vector<GoldenCase> golden_cases(const std::string& recordings) {
  std::vector<GoldenCase> cases;
  for (const PerturbationEntry& entry : perturbations()) {
    const PerturbationFacts& facts = entry.facts;
    if (facts.from_score) continue;  // their sound is the renderer's: tests/splits/synth_test.cc
    const bool needs_path = facts.parameters.front().name == "path";
    for (size_t step = 1; step <= facts.ladder.size(); ++step) {
      const std::string label = facts.name + "@" + std::to_string(step);
      cases.push_back({label, needs_path ? label + ":path=" + recordings : label});
    }
    for (const std::string& parameters : facts.published) {
      const std::string label = facts.name + ":" + parameters;
      cases.push_back({label, label});
    }
  }
  for (const std::string engine : {"rubberband_r3", "phase_vocoder"}) {
    for (const std::string base : {"pitch_shift:semitones=-1", "time_stretch:rate=2^-0.5"}) {
      cases.push_back({base + ",engine=" + engine, base + ",engine=" + engine});
    }
  }
  for (const std::string preset : {"radio", "film_standard", "film_light", "music_light"}) {
    cases.push_back({"drc:preset=" + preset, "drc:preset=" + preset});
  }
  return cases;
}

Json described(const Waveform& waveform, int version) {
  Json entry;
  entry["version"] = version;
  entry["samples"] = waveform.size();
  const std::string_view bytes(reinterpret_cast<const char*>(waveform.samples.data()),
                               waveform.samples.size() * sizeof(float));
  entry["sha256"] = sha256_hex(bytes);
  const auto rounded = [](double db) { return std::round(std::max(db, kSilenceDb) * 100.0) / 100.0; };
  entry["rms_db"] = rounded(20.0 * std::log10(testing::rms(waveform.samples)));
  for (size_t i = 0; i + 1 < std::size(kBandEdgesHz); ++i) {
    entry["bands_db"].push_back(rounded(testing::band_db(waveform, kBandEdgesHz[i], kBandEdgesHz[i + 1])));
  }
  return entry;
}

Json rendered() {
  const testing::TemporaryDirectory folder;
  write_wav(folder / "a.wav", testing::hiss(9000));
  write_wav(folder / "b.wav", testing::music(0.5, 22050));
  const Waveform clip = testing::music(1.5);
  Json cases = Json::object();
  for (const GoldenCase& golden : golden_cases(folder.path().string())) {
    const std::string name = golden.label.substr(0, golden.label.find_first_of(":@"));
    cases[golden.label] =
        described(testing::applied(golden.condition, clip).waveform, find_perturbation(name).facts.version);
  }
  return cases;
}

// A codec or an engine of another release may differ in detail, but not in length, level or spectrum.
void expect_about_equal(const Json& found, const Json& golden, const std::string& label) {
  constexpr double kLevelToleranceDb = 1.0;
  constexpr double kBandToleranceDb = 3.0;
  EXPECT_EQ(found.at("samples"), golden.at("samples")) << label;
  EXPECT_NEAR(found.at("rms_db").get<double>(), golden.at("rms_db").get<double>(), kLevelToleranceDb) << label;
  for (size_t i = 0; i < golden.at("bands_db").size(); ++i) {
    const double a = found.at("bands_db").at(i).get<double>();
    const double b = golden.at("bands_db").at(i).get<double>();
    // Bands that are as good as empty hold rounding.
    constexpr double kEmptyDb = -30.0;
    if (std::max(a, b) <= kEmptyDb) continue;
    EXPECT_NEAR(a, b, kBandToleranceDb) << label << ", band " << i;
  }
}

TEST(GoldenTest, RenderedAudioIsAsRecorded) {
  const Json found = rendered();
  if (std::getenv("TAGBENCH_WRITE_GOLDEN") != nullptr) {
    write_json(golden_path(), Json{{"machine", fingerprint()}, {"cases", found}});
    GTEST_SKIP() << "written: " << golden_path();
  }
  const Json golden = read_json(golden_path());
  const bool same_machine = golden.at("machine") == fingerprint();
  std::set<std::string> known;
  for (const auto& [label, expected] : golden.at("cases").items()) {
    known.insert(label);
    ASSERT_TRUE(found.contains(label)) << label << " is recorded, but no longer rendered";
    const Json& now = found.at(label);
    EXPECT_EQ(now.at("version"), expected.at("version")) << label;
    if (same_machine) {
      EXPECT_EQ(now.at("sha256"), expected.at("sha256"))
          << label << ": other samples for equal parameters need a new version";
    }
    expect_about_equal(now, expected, label);
  }
  for (const auto& [label, now] : found.items()) EXPECT_EQ(known.count(label), 1U) << label << " is not recorded";
}

}  // namespace
}  // namespace tagbench
