#include "splits/render_score.h"

#include <fluidsynth.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <mutex>
#include <tuple>

#include "harness/core/errors.h"
#include "harness/core/text.h"

namespace tagbench {
namespace {

struct SettingsDeleter {
  void operator()(fluid_settings_t* settings) const { delete_fluid_settings(settings); }
};
struct SynthDeleter {
  void operator()(fluid_synth_t* synth) const { delete_fluid_synth(synth); }
};

void forward_log(int /*level*/, const char* message, void* /*user*/) {
  spdlog::debug("fluidsynth: {}", message);
}

// FluidSynth's tables are set up by the first synthesizer made, without a lock.
void set_up_fluidsynth_once() {
  static std::once_flag once;
  std::call_once(once, [] {
    for (const int level : {FLUID_PANIC, FLUID_ERR, FLUID_WARN, FLUID_INFO, FLUID_DBG})
      fluid_set_log_function(level, forward_log, nullptr);
    const std::unique_ptr<fluid_settings_t, SettingsDeleter> settings(new_fluid_settings());
    const std::unique_ptr<fluid_synth_t, SynthDeleter> synth(new_fluid_synth(settings.get()));
  });
}

// The nearest whole number chooses other keys, and with them the recordings that the font has for them; the wheel does
// what is left.
int whole_semitones(const RenderOptions& options) {
  return static_cast<int>(std::lround(options.transpose_semitones));
}

void check_options(const Score& score, const RenderOptions& options) {
  const auto require = [](bool holds, const std::string& message) {
    if (!holds) throw UsageError("render_score: " + message);
  };
  require(options.sample_rate_hz >= 8000 && options.sample_rate_hz <= 96000,
          "sample_rate_hz must be from 8000 to 96000, got " + std::to_string(options.sample_rate_hz));
  require(options.transpose_semitones >= -24 && options.transpose_semitones <= 24,
          "transpose_semitones must be from -24 to 24, got " + format_real(options.transpose_semitones));
  require(options.tempo_ratio >= 0.25 && options.tempo_ratio <= 4.0,
          "tempo_ratio must be from 0.25 to 4, got " + format_real(options.tempo_ratio));
  for (const ScorePart& part : score.parts) {
    if (part.percussion) continue;
    for (const Note& note : part.notes) {
      const int pitch = note.pitch + whole_semitones(options);
      require(pitch >= 0 && pitch <= 127, "transposing by " + format_real(options.transpose_semitones) +
                                              " semitones takes the " + part.instrument + " to MIDI pitch " +
                                              std::to_string(pitch) + ", outside 0 to 127");
    }
  }
}

struct Event {
  int64_t frame;
  bool begins;
  size_t part;
  int channel;
  int pitch;
  int velocity;
};

std::vector<Event> events_of(const Score& score, const RenderOptions& options, int64_t n_frames) {
  const std::vector<int> channels = midi_channels(score);
  std::vector<Event> events;
  const auto frame_of = [&](int64_t ticks) {
    return static_cast<int64_t>(std::llround(score.seconds(ticks) / options.tempo_ratio * options.sample_rate_hz));
  };
  for (size_t i = 0; i < score.parts.size(); ++i) {
    const ScorePart& part = score.parts[i];
    for (const Note& note : part.notes) {
      const int64_t begin = frame_of(note.onset_ticks);
      if (begin >= n_frames) continue;
      const int pitch = part.percussion ? note.pitch : note.pitch + whole_semitones(options);
      events.push_back({begin, true, i, channels[i], pitch, note.velocity});
      events.push_back(
          {std::max(begin + 1, frame_of(note.onset_ticks + note.duration_ticks)), false, i, channels[i], pitch, 0});
    }
  }
  std::stable_sort(events.begin(), events.end(), [](const Event& a, const Event& b) {
    return std::tie(a.frame, a.begins, a.part) < std::tie(b.frame, b.begins, b.part);
  });
  return events;
}

class Synthesizer {
 public:
  explicit Synthesizer(const Score& score, const RenderOptions& options) : settings_(new_fluid_settings()) {
    fluid_settings_t* settings = settings_.get();
    // One core and no locking: the samples then depend on nothing but the calls.
    fluid_settings_setint(settings, "synth.cpu-cores", 1);
    fluid_settings_setint(settings, "synth.threadsafe-api", 0);
    fluid_settings_setint(settings, "synth.lock-memory", 0);
    fluid_settings_setint(settings, "synth.polyphony", 256);
    fluid_settings_setint(settings, "synth.chorus.active", 0);
    fluid_settings_setint(settings, "synth.reverb.active", 1);
    fluid_settings_setnum(settings, "synth.reverb.room-size", score.reverb_room);
    fluid_settings_setnum(settings, "synth.reverb.level", score.reverb_level);
    fluid_settings_setnum(settings, "synth.reverb.damp", 0.3);
    fluid_settings_setnum(settings, "synth.reverb.width", 0.5);
    fluid_settings_setnum(settings, "synth.sample-rate", options.sample_rate_hz);
    synth_.reset(new_fluid_synth(settings));
    if (!synth_) throw DataError("render_score: FluidSynth could not be set up");
    const int font = fluid_synth_sfload(synth_.get(), options.soundfont.c_str(), 1);
    if (font == FLUID_FAILED) {
      throw DataError(
          "render_score: cannot load the sound font " + options.soundfont.string() +
          " (install the package csound-soundfont, or name another General MIDI .sf2 file with soundfont=...)");
    }
    const std::vector<int> channels = midi_channels(score);
    for (size_t i = 0; i < score.parts.size(); ++i) set_up_channel(score.parts[i], channels[i], font, options);
  }

  fluid_synth_t* get() const { return synth_.get(); }

 private:
  void set_up_channel(const ScorePart& part, int channel, int font, const RenderOptions& options) {
    constexpr int kPercussionBank = 128;
    const int bank = part.percussion ? kPercussionBank : part.bank;
    if (fluid_synth_program_select(get(), channel, font, bank, part.program) != FLUID_OK) {
      const int plain_bank = part.percussion ? kPercussionBank : 0;
      const int plain_program = part.percussion ? 0 : part.program;
      if (fluid_synth_program_select(get(), channel, font, plain_bank, plain_program) != FLUID_OK) {
        throw DataError("render_score: the sound font " + options.soundfont.string() + " lacks program " +
                        std::to_string(part.program) + " (" + part.instrument + "); use a General MIDI font");
      }
    }
    fluid_synth_cc(get(), channel, 7, part.volume);
    fluid_synth_cc(get(), channel, 10, part.pan);
    fluid_synth_cc(get(), channel, 91, part.reverb_send);
    const double fraction = options.transpose_semitones - whole_semitones(options);
    if (part.percussion || fraction == 0.0) return;
    constexpr int kWheelCentre = 8192;
    fluid_synth_pitch_wheel_sens(get(), channel, 1);
    fluid_synth_pitch_bend(get(), channel, kWheelCentre + static_cast<int>(std::lround(fraction * kWheelCentre)));
  }

  std::unique_ptr<fluid_settings_t, SettingsDeleter> settings_;
  std::unique_ptr<fluid_synth_t, SynthDeleter> synth_;
};

// Without any gain.
Waveform play(const Score& score, const RenderOptions& options) {
  check_options(score, options);
  set_up_fluidsynth_once();
  const auto n_frames =
      static_cast<int64_t>(std::llround(score.duration_s / options.tempo_ratio * options.sample_rate_hz));
  const std::vector<Event> events = events_of(score, options, n_frames);
  const Synthesizer synthesizer(score, options);
  Waveform waveform;
  waveform.sample_rate_hz = options.sample_rate_hz;
  waveform.samples.reserve(static_cast<size_t>(n_frames));
  std::vector<float> left;
  std::vector<float> right;
  int64_t now = 0;
  const auto render_until = [&](int64_t frame) {
    const int64_t count = std::min(frame, n_frames) - now;
    if (count <= 0) return;
    left.resize(static_cast<size_t>(count));
    right.resize(static_cast<size_t>(count));
    if (fluid_synth_write_float(synthesizer.get(), static_cast<int>(count), left.data(), 0, 1, right.data(), 0, 1) !=
        FLUID_OK) {
      throw DataError("render_score: FluidSynth could not render");
    }
    for (size_t i = 0; i < left.size(); ++i) waveform.samples.push_back(0.5F * (left[i] + right[i]));
    now += count;
  };
  for (const Event& event : events) {
    render_until(event.frame);
    if (now >= n_frames) break;
    if (event.begins) {
      fluid_synth_noteon(synthesizer.get(), event.channel, event.pitch, event.velocity);
    } else {
      fluid_synth_noteoff(synthesizer.get(), event.channel, event.pitch);
    }
  }
  render_until(n_frames);
  return waveform;
}

float gain_to_peak(const Waveform& waveform, const Score& score) {
  float peak = 0.0F;
  for (const float sample : waveform.samples) peak = std::max(peak, std::abs(sample));
  constexpr float kSilence = 1e-6F;
  if (peak < kSilence)
    throw DataError("render_score: nothing sounds in a score of " + format_real(score.duration_s) + " s");
  return static_cast<float>(kSynthPeak) / peak;
}

}  // namespace

Waveform render_score(const Score& score, const RenderOptions& options) {
  Waveform waveform = play(score, options);
  const float gain = options.gain ? *options.gain : gain_to_peak(waveform, score);
  for (float& sample : waveform.samples) sample *= gain;
  return waveform;
}

float written_gain(const Score& score, RenderOptions options) {
  options.transpose_semitones = 0.0;
  options.tempo_ratio = 1.0;
  return gain_to_peak(play(score, options), score);
}

std::string fluidsynth_version() {
  return fluid_version_str();
}

}  // namespace tagbench
