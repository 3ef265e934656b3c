#include "perturbations/engines.h"

#include <cmath>
#include <stdexcept>

#include "perturbations/measure.h"
#include "perturbations/phase_vocoder.h"
#include "perturbations/rubberband_engine.h"

namespace tagbench {
namespace {

// Returns the number of samples that the engine gave.
int64_t render_with_rubberband(const Waveform& input, double time_ratio, double pitch_scale, StretchEngine engine,
                               int64_t length, Perturbed& result) {
  const RubberBandVersion version =
      engine == StretchEngine::kRubberBandR3 ? RubberBandVersion::kR3 : RubberBandVersion::kR2;
  RubberBandResult rendered = rubberband_render(input, time_ratio, pitch_scale, version, length);
  result.waveform.samples = std::move(rendered.samples);
  result.reached["headroom_gain_db"] = 20.0 * std::log10(rendered.gain);
  return rendered.rendered;
}

}  // namespace

OptionSpec engine_option() {
  return choice_option("engine", "rubberband_r2", {"rubberband_r2", "rubberband_r3", "phase_vocoder"},
                       "what renders it: Rubber Band's faster (R2) or finer (R3) engine, or a plain phase vocoder");
}

StretchEngine engine_from(const std::string& text) {
  if (text == "rubberband_r2") return StretchEngine::kRubberBandR2;
  if (text == "rubberband_r3") return StretchEngine::kRubberBandR3;
  if (text == "phase_vocoder") return StretchEngine::kPhaseVocoder;
  throw std::logic_error("unknown stretch engine " + text);
}

Perturbed stretch_time(const Waveform& input, double rate, StretchEngine engine) {
  Perturbed result;
  result.waveform.sample_rate_hz = input.sample_rate_hz;
  const int64_t length = length_at_rate(input.size(), rate);
  int64_t rendered = length;
  if (rate == 1.0) {
    result.waveform.samples = input.samples;
  } else if (engine == StretchEngine::kPhaseVocoder) {
    result.waveform.samples = to_float(phase_vocoder_stretch(input.samples, rate, length));
  } else {
    rendered = render_with_rubberband(input, 1.0 / rate, 1.0, engine, length, result);
  }
  if (rendered > 0) result.reached["rate"] = static_cast<double>(input.size()) / static_cast<double>(rendered);
  return result;
}

Perturbed shift_pitch(const Waveform& input, double semitones, StretchEngine engine) {
  Perturbed result;
  result.waveform.sample_rate_hz = input.sample_rate_hz;
  if (semitones == 0.0) {
    result.waveform.samples = input.samples;
  } else if (engine == StretchEngine::kPhaseVocoder) {
    result.waveform.samples = to_float(phase_vocoder_pitch_shift(input.samples, semitones));
  } else {
    render_with_rubberband(input, 1.0, std::exp2(semitones / 12.0), engine, input.size(), result);
  }
  result.reached["semitones"] = semitones;
  return result;
}

}  // namespace tagbench
