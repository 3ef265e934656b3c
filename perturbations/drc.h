#pragma once

#include <array>
#include <string>
#include <vector>

#include "harness/core/waveform.h"

namespace tagbench {

// Settings of a compressor with look-ahead. Levels are in dB of full scale.
struct CompressorPreset {
  struct Point {
    double input_db;
    double output_db;
  };
  std::string name;
  double attack_s;
  double decay_s;
  std::vector<Point> points;  // rising input levels
  double gain_db;
  double initial_level_db;
  double look_ahead_s;
};

// radio, film_standard, film_light, music_standard, music_light, speech.
//
// Source: the Dolby E presets as written down by MUDA (McFee, Humphrey, Bello 2015).
const std::vector<CompressorPreset>& compressor_presets();

// Gain over level: straight lines between the preset's points, in dB over dB, their corners rounded within 0.01 dB.
class CompressorCurve {
 public:
  explicit CompressorCurve(const CompressorPreset& preset);
  // Factor for a level, 0 included.
  double gain(double level) const;

 private:
  // y = y0 + (x - x0) (slope + (x - x0) bend) from x0 on; natural logarithms of level and gain.
  struct Piece {
    double x0;
    double y0;
    double slope;
    double bend;
  };
  std::vector<Piece> pieces_;
  double lowest_level_;
  double lowest_gain_;
};

// As many samples as `input` has, clipped to [-1, 1] on the way in and on the way out. `strength` is the share of the
// curve's gain, in dB, that is applied: 1 is the preset, 0 changes nothing (but clips).
//
// Source: SoX 14.4.2, effect `compand`. Differs from it by double precision throughout (SoX passes 32-bit integers
// along).
std::vector<float> compress(const Waveform& input, const CompressorPreset& preset, double strength = 1.0);

}  // namespace tagbench
