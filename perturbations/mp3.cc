#include "harness/core/text.h"
#include "perturbations/codecs.h"
#include "perturbations/makers.h"

namespace tagbench {
namespace {

// The rates of all MPEG versions; one that the track's sample rate lacks is coded at the nearest sample rate that has
// it.
OptionSpec mp3_bit_rate() {
  OptionSpec option = choice_option("kbps", "",
                                    {"8", "16", "24", "32", "40", "48", "56", "64", "80", "96", "112", "128", "144",
                                     "160", "192", "224", "256", "320"},
                                    "bit rate of one channel");
  option.unit = "kbit/s";
  option.required = true;
  return option;
}

class Mp3 : public Perturbation {
 public:
  static const PerturbationFacts& described() {
    static const PerturbationFacts facts = [] {
      PerturbationFacts f;
      f.name = "mp3";
      f.summary =
          "MP3 at a constant bit rate, encoded and decoded; at 64 to 128 kbit/s LAME lowers the level by about 0.45 "
          "dB.";
      f.source = "LAME through libsndfile";
      f.parameters = {mp3_bit_rate()};
      f.ladder = {"kbps=64", "kbps=32", "kbps=24", "kbps=16", "kbps=8"};
      f.ladder_reason = "log-mel change of 1.4, 2.1, 5.9, 9.1, 20.0 dB; its bit rates allow no finer steps";
      f.may_falsify = {"recording"};
      return f;
    }();
    return facts;
  }

  explicit Mp3(const Options& options) : kbps_(parse_real(options.text("kbps")).value()) {}
  const PerturbationFacts& facts() const override { return described(); }
  Perturbed apply(const Waveform& input, Rng& /*rng*/) const override {
    return through_codec_at(input, Codec::kMp3, kbps_);
  }

 private:
  double kbps_;
};

}  // namespace

PerturbationEntry mp3_entry() {
  return entry_of<Mp3>();
}

}  // namespace tagbench
