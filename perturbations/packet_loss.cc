#include <algorithm>
#include <cmath>
#include <cstdint>

#include "perturbations/makers.h"

namespace tagbench {
namespace {

class PacketLoss : public Perturbation {
 public:
  static const PerturbationFacts& described() {
    static const PerturbationFacts facts = [] {
      PerturbationFacts f;
      f.name = "packet_loss";
      f.summary = "Silences packets at random places, as a network that loses them without concealment.";
      f.source = "definition: of the packets of equal length a share, rounded to whole packets, is replaced by zeros";
      f.parameters = {required_real("loss_percent", "%", 0.0, 100.0, "share of the packets that are lost"),
                      real_option("packet_ms", "20", "ms", 1.0, 10000.0, "length of a packet")};
      f.ladder = {"loss_percent=7", "loss_percent=13", "loss_percent=19", "loss_percent=24", "loss_percent=29"};
      f.ladder_reason = "log-mel change of 1.4, 2.1, 2.6, 3.4, 4.6 dB";
      f.identity = "loss_percent=0";
      f.random = true;
      f.may_falsify = {"recording"};
      return f;
    }();
    return facts;
  }

  explicit PacketLoss(const Options& options)
      : loss_(options.real("loss_percent") / 100.0), packet_s_(options.real("packet_ms") / 1000.0) {}
  const PerturbationFacts& facts() const override { return described(); }
  Perturbed apply(const Waveform& input, Rng& rng) const override {
    Perturbed result;
    result.waveform = input;
    if (input.samples.empty()) return result;
    const int64_t packet = std::max<int64_t>(1, std::llround(packet_s_ * input.sample_rate_hz));
    const int64_t packets = (input.size() + packet - 1) / packet;
    const int64_t lost = std::llround(loss_ * static_cast<double>(packets));
    const std::vector<int64_t> order = rng.permutation(packets);
    for (int64_t i = 0; i < lost; ++i) {
      const int64_t begin = order[static_cast<size_t>(i)] * packet;
      const int64_t end = std::min(begin + packet, input.size());
      std::fill(result.waveform.samples.begin() + begin, result.waveform.samples.begin() + end, 0.0F);
    }
    result.reached["loss_percent"] = 100.0 * static_cast<double>(lost) / static_cast<double>(packets);
    return result;
  }

 private:
  double loss_;
  double packet_s_;
};

}  // namespace

PerturbationEntry packet_loss_entry() {
  return entry_of<PacketLoss>();
}

}  // namespace tagbench
