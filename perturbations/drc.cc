#include "perturbations/drc.h"

#include <algorithm>
#include <cmath>

#include "perturbations/makers.h"
#include "perturbations/measure.h"

namespace tagbench {

const std::vector<CompressorPreset>& compressor_presets() {
  static const std::vector<CompressorPreset> presets = {
      {"radio", 0.01, 1.0, {{-90, -90}, {-70, -70}, {-60, -20}, {0, 0}}, -5.0, 0.0, 0.0},
      {"film_standard",
       0.1,
       0.3,
       {{-90, -90}, {-70, -64}, {-43, -37}, {-31, -31}, {-21, -21}, {0, -20}},
       0.0,
       0.0,
       0.1},
      {"film_light", 0.1, 0.3, {{-90, -90}, {-70, -64}, {-53, -47}, {-41, -41}, {-21, -21}, {0, -20}}, 0.0, 0.0, 0.1},
      {"music_standard",
       0.1,
       0.3,
       {{-90, -90}, {-70, -58}, {-55, -43}, {-31, -31}, {-21, -21}, {0, -20}},
       0.0,
       0.0,
       0.1},
      {"music_light", 0.1, 0.3, {{-90, -90}, {-70, -58}, {-65, -53}, {-41, -41}, {-21, -21}, {0, -11}}, 0.0, 0.0, 0.1},
      {"speech", 0.1, 0.3, {{-90, -90}, {-70, -55}, {-50, -35}, {-31, -31}, {-21, -21}, {0, -20}}, 0.0, 0.0, 0.1},
  };
  return presets;
}

namespace {

// SoX's smallest knee, which holds where none is given.
constexpr double kKneeDb = 0.01;
constexpr double kLogPerDb = M_LN10 / 20.0;

struct Node {
  double x;
  double y;
};

double distance(const Node& a, const Node& b) {
  return std::hypot(b.x - a.x, b.y - a.y);
}

// The point at `length` from `from` towards `to`.
Node towards(const Node& from, const Node& to, double length) {
  const double share = length / distance(from, to);
  return {from.x + share * (to.x - from.x), from.y + share * (to.y - from.y)};
}

double slope_between(const Node& a, const Node& b) {
  return (b.y - a.y) / (b.x - a.x);
}

std::vector<Node> curve_nodes(const CompressorPreset& preset) {
  std::vector<Node> nodes;
  for (const CompressorPreset::Point& point : preset.points) {
    nodes.push_back({point.input_db, point.output_db - point.input_db + preset.gain_db});
  }
  nodes.insert(nodes.begin(), {nodes.front().x - 2.0 * kKneeDb, nodes.front().y});
  std::vector<Node> corners;
  for (const Node& node : nodes) {
    if (corners.size() >= 2) {
      const Node& a = corners[corners.size() - 2];
      const Node& b = corners.back();
      if ((b.y - a.y) * (node.x - b.x) == (node.y - b.y) * (b.x - a.x)) corners.pop_back();
    }
    corners.push_back(node);
  }
  for (Node& corner : corners) corner = {corner.x * kLogPerDb, corner.y * kLogPerDb};
  return corners;
}

}  // namespace

CompressorCurve::CompressorCurve(const CompressorPreset& preset) {
  const std::vector<Node> nodes = curve_nodes(preset);
  const double radius = kKneeDb * kLogPerDb;
  Node start = nodes.front();
  for (size_t i = 1; i + 1 < nodes.size(); ++i) {
    const Node& corner = nodes[i];
    const Node p = towards(corner, start, std::min(radius, distance(corner, start)));
    const Node q = towards(corner, nodes[i + 1], std::min(radius, distance(corner, nodes[i + 1]) / 2.0));
    const Node middle = {(p.x + corner.x + q.x) / 3.0, (p.y + corner.y + q.y) / 3.0};
    pieces_.push_back({start.x, start.y, slope_between(start, corner), 0.0});
    // The parabola through p, middle and q in Newton's form around p.
    const double first = slope_between(p, middle);
    const double bend = (slope_between(p, q) - first) / (q.x - middle.x);
    pieces_.push_back({p.x, p.y, first - bend * (middle.x - p.x), bend});
    start = q;
  }
  pieces_.push_back({start.x, start.y, slope_between(start, nodes.back()), 0.0});
  // Below the first knee the gain stays what it is there; the straight piece before it starts at the same height.
  const Piece& knee = pieces_.size() > 1 ? pieces_[1] : pieces_[0];
  lowest_level_ = std::exp(knee.x0);
  lowest_gain_ = std::exp(knee.y0);
}

double CompressorCurve::gain(double level) const {
  if (level <= lowest_level_) return lowest_gain_;
  const double x = std::log(level);
  const auto after = std::upper_bound(pieces_.begin(), pieces_.end(), x,
                                      [](double value, const Piece& piece) { return value < piece.x0; });
  const Piece& piece = after == pieces_.begin() ? pieces_.front() : *(after - 1);
  const double offset = x - piece.x0;
  return std::exp(piece.y0 + offset * (piece.slope + offset * piece.bend));
}

std::vector<float> compress(const Waveform& input, const CompressorPreset& preset, double strength) {
  const CompressorCurve curve(preset);
  const double rate_hz = input.sample_rate_hz;
  const auto smoothing = [&](double time_s) {
    return time_s > 1.0 / rate_hz ? 1.0 - std::exp(-1.0 / (rate_hz * time_s)) : 1.0;
  };
  const double attack = smoothing(preset.attack_s);
  const double decay = smoothing(preset.decay_s);
  const auto look_ahead = static_cast<int64_t>(preset.look_ahead_s * rate_hz);
  const auto clipped = [&](int64_t i) {
    return std::clamp(static_cast<double>(input.samples[static_cast<size_t>(i)]), -1.0, 1.0);
  };

  std::vector<float> output(input.samples.size());
  double level = from_db(preset.initial_level_db);
  const auto gain = [&](double at) { return strength == 1.0 ? curve.gain(at) : std::pow(curve.gain(at), strength); };
  double factor = gain(level);
  int64_t followed = 0;
  for (int64_t i = 0; i < input.size(); ++i) {
    const int64_t target = std::min(i + look_ahead + 1, input.size());
    if (followed < target) {
      for (; followed < target; ++followed) {
        const double difference = std::fabs(clipped(followed)) - level;
        level += difference * (difference > 0.0 ? attack : decay);
      }
      factor = gain(level);
    }
    output[static_cast<size_t>(i)] = static_cast<float>(std::clamp(clipped(i) * factor, -1.0, 1.0));
  }
  return output;
}

namespace {

std::vector<float> rounded_to_16_bits(std::vector<float> samples) {
  for (float& sample : samples) sample = std::clamp(std::nearbyint(sample * 32768.0F), -32768.0F, 32767.0F) / 32768.0F;
  return samples;
}

class DynamicRangeCompression : public Perturbation {
 public:
  static const PerturbationFacts& described() {
    static const PerturbationFacts facts = [] {
      PerturbationFacts f;
      f.name = "drc";
      f.summary = "Dynamic range compression with one of six Dolby E presets, as SoX's compand renders them.";
      f.source = "Won et al. (2020), section 2.2; presets of MUDA (McFee et al. 2015); SoX 14.4.2, compand";
      std::vector<std::string> names;
      for (const CompressorPreset& preset : compressor_presets()) names.push_back(preset.name);
      OptionSpec preset = choice_option("preset", "", names, "transfer curve and times");
      preset.required = true;
      f.parameters = {
          preset, real_option("strength", "1", "", 0.0, 1.0, "share of the preset's gain, in dB, that is applied"),
          flag_option("round_to_16_bits", false,
                      "round the input and the output to 16 bits, as passing WAV files does (without dither)")};
      f.ladder = {"preset=music_standard,strength=0.2", "preset=music_standard,strength=0.4",
                  "preset=music_standard,strength=0.6", "preset=music_standard,strength=0.8", "preset=music_standard"};
      f.ladder_reason =
          "equal shares of the preset's gain in dB (the presets themselves differ below -31 dB only); log-mel change "
          "of 0.3, 0.7, 1.0, 1.4, 1.7 dB, more on louder tracks";
      f.identity = "preset=music_standard,strength=0";
      f.published = {"preset=music_standard", "preset=speech"};
      f.may_falsify = {"loudness"};
      return f;
    }();
    return facts;
  }

  explicit DynamicRangeCompression(const Options& options)
      : strength_(options.real("strength")), round_to_16_bits_(options.flag("round_to_16_bits")) {
    const std::string& wanted = options.text("preset");
    const auto& presets = compressor_presets();
    preset_ = *std::find_if(presets.begin(), presets.end(),
                            [&](const CompressorPreset& preset) { return preset.name == wanted; });
  }
  const PerturbationFacts& facts() const override { return described(); }
  Perturbed apply(const Waveform& input, Rng& /*rng*/) const override {
    Perturbed result;
    if (round_to_16_bits_) {
      result.waveform = {
          rounded_to_16_bits(compress({rounded_to_16_bits(input.samples), input.sample_rate_hz}, preset_, strength_)),
          input.sample_rate_hz};
    } else {
      result.waveform = {compress(input, preset_, strength_), input.sample_rate_hz};
    }
    return result;
  }

 private:
  CompressorPreset preset_;
  double strength_;
  bool round_to_16_bits_;
};

}  // namespace

PerturbationEntry drc_entry() {
  return entry_of<DynamicRangeCompression>();
}

}  // namespace tagbench
