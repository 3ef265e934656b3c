#include "tests/run/small_corpus.h"

#include <cmath>

#include "harness/audio/audio_file.h"
#include "harness/core/files.h"
#include "harness/core/rng.h"

namespace tagbench::testing {

void write_small_corpus(const std::filesystem::path& root, int n_tracks, double seconds) {
  constexpr int kRate = 16000;
  constexpr double kTwoPi = 6.283185307179586;
  std::string csv = "path,artist,split,low,high,noisy\n";
  for (int t = 0; t < n_tracks; ++t) {
    const std::string name = "track" + std::to_string(t);
    Rng rng(7, {"small corpus", name});
    const bool low = t % 2 == 0;
    const bool high = t % 3 == 0;
    const bool noisy = (t / 2) % 2 == 0;
    Waveform wave{std::vector<float>(static_cast<size_t>(seconds * kRate)), kRate};
    const double phase = rng.uniform(0, kTwoPi);
    for (size_t i = 0; i < wave.samples.size(); ++i) {
      const double time_s = static_cast<double>(i) / kRate;
      double value = 0.001 * rng.normal();
      if (low) value += 0.3 * std::sin(kTwoPi * 220 * time_s + phase);
      if (high) value += 0.3 * std::sin(kTwoPi * 3000 * time_s + phase);
      if (noisy) value += 0.1 * rng.normal();
      wave.samples[i] = static_cast<float>(value);
    }
    write_wav(root / "audio" / (name + ".wav"), wave);
    const int place = (t / 3) % 5;
    const char* part = place == 3 ? "valid" : (place == 4 ? "test" : "train");
    csv += "audio/" + name + ".wav,artist" + std::to_string(t / 3) + "," + part + "," + (low ? "1," : "0,") +
           (high ? "1," : "0,") + (noisy ? "1" : "0") + "\n";
  }
  write_file_atomically(root / "labels.csv", csv);
}

}  // namespace tagbench::testing
