#include "perturbations/codecs.h"
#include "perturbations/makers.h"

namespace tagbench {
namespace {

class Opus : public Perturbation {
 public:
  static const PerturbationFacts& described() {
    static const PerturbationFacts facts = [] {
      PerturbationFacts f;
      f.name = "opus";
      f.summary = "Opus around a bit rate, encoded and decoded.";
      f.source = "libopus through libsndfile, variable bit rate";
      f.parameters = {required_real("kbps", "kbit/s", 6.0, 256.0, "bit rate of one channel")};
      f.ladder = {"kbps=48", "kbps=32", "kbps=24", "kbps=16", "kbps=12"};
      f.ladder_reason = "log-mel change of 0.7, 1.3, 1.8, 2.6, 4.0 dB; below 12 kbit/s the upper band goes at once";
      f.may_falsify = {"recording"};
      return f;
    }();
    return facts;
  }

  explicit Opus(const Options& options) : kbps_(options.real("kbps")) {}
  const PerturbationFacts& facts() const override { return described(); }
  Perturbed apply(const Waveform& input, Rng& /*rng*/) const override {
    return through_codec_at(input, Codec::kOpus, kbps_);
  }

 private:
  double kbps_;
};

}  // namespace

PerturbationEntry opus_entry() {
  return entry_of<Opus>();
}

}  // namespace tagbench
