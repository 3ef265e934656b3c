#include "perturbations/codecs.h"
#include "perturbations/makers.h"

namespace tagbench {
namespace {

class Vorbis : public Perturbation {
 public:
  static const PerturbationFacts& described() {
    static const PerturbationFacts facts = [] {
      PerturbationFacts f;
      f.name = "vorbis";
      f.summary = "Ogg Vorbis around a bit rate, encoded and decoded.";
      f.source = "libvorbis through libsndfile; the quality whose nominal rate it is";
      f.parameters = {required_real("kbps", "kbit/s", 14.0, 240.0, "nominal bit rate of one channel")};
      f.ladder = {"kbps=96", "kbps=64", "kbps=48", "kbps=32", "kbps=24"};
      f.ladder_reason = "log-mel change of 0.3, 1.1, 1.8, 2.6, 3.2 dB; 24 kbit/s is its lowest at 16 kHz";
      f.may_falsify = {"recording"};
      return f;
    }();
    return facts;
  }

  explicit Vorbis(const Options& options) : kbps_(options.real("kbps")) {}
  const PerturbationFacts& facts() const override { return described(); }
  Perturbed apply(const Waveform& input, Rng& /*rng*/) const override {
    return through_codec_at(input, Codec::kVorbis, kbps_);
  }

 private:
  double kbps_;
};

}  // namespace

PerturbationEntry vorbis_entry() {
  return entry_of<Vorbis>();
}

}  // namespace tagbench
