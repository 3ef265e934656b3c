#include "harness/run/rendered_tracks.h"

#include <rubberband/RubberBandStretcher.h>
#include <samplerate.h>
#include <sndfile.h>

#include <optional>

#include "harness/audio/codec.h"
#include "harness/core/hash.h"
#include "harness/core/rng.h"
#include "harness/core/text.h"

namespace tagbench {
namespace {

Perturbed render_anew(const TrackAudio& audio, int64_t track, int sample_rate_hz, const Condition& condition,
                      uint64_t seed) {
  const PcmClip clip = audio.load(track, sample_rate_hz);
  const Waveform input{std::vector<float>(clip.data(), clip.data() + clip.size()), sample_rate_hz};
  if (condition.is_clean()) return {input, {}};
  const auto play = [&](const ScoreChange& change) { return audio.play(track, change, sample_rate_hz); };
  return condition.apply(input, seed, audio.dataset().tracks[static_cast<size_t>(track)].id, play);
}

// Of noise that went through every codec: their libraries change apart from libsndfile, and do not tell their versions.
std::string codecs_text() {
  Rng rng(0, {"codecs of kept renderings"});
  Waveform noise{{}, 16000};
  for (int i = 0; i < 4000; ++i) noise.samples.push_back(static_cast<float>(rng.uniform(-0.5, 0.5)));
  std::string text;
  for (const Codec codec : {Codec::kMp3, Codec::kVorbis, Codec::kOpus}) {
    CodecSettings settings;
    settings.codec = codec;
    const Waveform coded = through_codec(noise, settings);
    text += "\n" + codec_name(codec) + " " + xxh128_hex(coded.samples.data(), coded.samples.size() * sizeof(float));
  }
  return text;
}

// Releases of these give other samples for the same settings.
const std::string& libraries() {
  static const std::string text = std::string("Rubber Band ") + RUBBERBAND_VERSION + "\n" + sf_version_string() + "\n" +
                                  src_get_version() + codecs_text();
  return text;
}

std::string reached_text(const std::map<std::string, double>& reached) {
  std::string text;
  for (const auto& [name, value] : reached) text += name + " " + format_real(value) + "\n";
  return text;
}

// Nothing if the text is not what reached_text writes.
std::optional<std::map<std::string, double>> reached_from(const std::string& text) {
  std::map<std::string, double> reached;
  for (const std::string& line : split_text(text, '\n')) {
    if (line.empty()) continue;
    const size_t blank = line.rfind(' ');
    const auto value = blank == std::string::npos ? std::nullopt : parse_real(line.substr(blank + 1));
    if (!value) return std::nullopt;
    reached[line.substr(0, blank)] = *value;
  }
  return reached;
}

}  // namespace

Perturbed RenderedTracks::render(const TrackAudio& audio, int64_t track, int sample_rate_hz, const Condition& condition,
                                 uint64_t seed) {
  // What is clean lies in the cache of decoded audio; what is played anew depends on more than the audio file.
  if (kept_.options().directory.empty() || condition.is_clean() || condition.needs_score())
    return render_anew(audio, track, sample_rate_hz, condition, seed);
  const std::string source = audio.source_key(track, sample_rate_hz);
  std::string key = source + "\n" + condition.key() + "\n" + libraries();
  if (condition.random())
    key += "\n" + std::to_string(seed) + "\n" + audio.dataset().tracks[static_cast<size_t>(track)].id;
  if (const auto made = kept_.find_made(key, sample_rate_hz)) {
    if (const auto reached = reached_from(made->note)) {
      const float* samples = made->clip.data();
      return {{std::vector<float>(samples, samples + made->clip.size()), sample_rate_hz}, *reached};
    }
  }
  Perturbed rendered = render_anew(audio, track, sample_rate_hz, condition, seed);
  // A file that changed meanwhile would be found under its old content.
  if (audio.source_key(track, sample_rate_hz) == source)
    kept_.keep_made(key, rendered.waveform, reached_text(rendered.reached));
  return rendered;
}

}  // namespace tagbench
