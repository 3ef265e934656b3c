#include "splits/synth.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <mutex>
#include <system_error>
#include <unordered_map>

#include "harness/core/csv.h"
#include "harness/core/errors.h"
#include "harness/core/files.h"
#include "harness/core/hash.h"
#include "harness/core/json.h"
#include "harness/core/parallel.h"
#include "harness/core/progress.h"
#include "harness/core/text.h"
#include "splits/compose.h"
#include "splits/reader_support.h"
#include "splits/readers.h"
#include "splits/render_score.h"
#include "splits/score.h"

namespace tagbench {
namespace {

constexpr const char* kSettingsFile = "corpus.json";
constexpr const char* kLabelFile = "labels.csv";
// Changes whenever the same settings give other notes or other samples.
constexpr const char* kCorpusFormat = "tagbench synthetic corpus 1";

std::string soundfont_sha256(const std::filesystem::path& soundfont) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(soundfont, ignored)) {
    throw DataError("synth: the sound font " + soundfont.string() +
                    " is not there (install the package csound-soundfont, or name another General MIDI .sf2 file with "
                    "soundfont=...)");
  }
  return sha256_file_hex(soundfont);
}

// What decides the notes and labels, under the names that a user would give them.
Json corpus_settings(const SynthSettings& settings) {
  Json json;
  json["format"] = kCorpusFormat;
  json["tracks"] = settings.tracks;
  json["seconds"] = settings.seconds;
  json["seed"] = settings.seed;
  json["sample_rate_hz"] = settings.sample_rate_hz;
  json["soundfont"] = settings.soundfont.filename().string();
  return json;
}

// And what else decides the samples.
Json renderer_settings(const SynthSettings& settings) {
  Json json;
  json["soundfont_sha256"] = soundfont_sha256(settings.soundfont);
  json["fluidsynth"] = fluidsynth_version();
  return json;
}

void require_same(const std::filesystem::path& root, const Json& stored, const Json& wanted) {
  for (const auto& [key, value] : wanted.items()) {
    if (stored.contains(key) && stored[key] == value) continue;
    throw DataError("synth: " + root.string() + " holds a synthetic corpus with " + key + "=" +
                    (stored.contains(key) ? stored[key].dump() : "(none)") + ", wanted is " + value.dump() +
                    " (ask for the stored settings, choose another root, or delete the folder to render it anew)");
  }
}

bool is_file(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored);
}

// Little-endian 16-bit PCM in a canonical 44-byte header.
std::string wav_bytes(const Waveform& waveform) {
  std::string bytes;
  const auto put = [&](uint32_t value, int n_bytes) {
    for (int i = 0; i < n_bytes; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xFFU);
  };
  const auto data_bytes = static_cast<uint32_t>(2 * waveform.samples.size());
  const auto rate = static_cast<uint32_t>(waveform.sample_rate_hz);
  bytes.reserve(44 + data_bytes);
  bytes += "RIFF";
  put(36 + data_bytes, 4);
  bytes += "WAVEfmt ";
  put(16, 4);
  put(1, 2);
  put(1, 2);
  put(rate, 4);
  put(2 * rate, 4);
  put(2, 2);
  put(16, 2);
  bytes += "data";
  put(data_bytes, 4);
  for (const float sample : waveform.samples) {
    const long rounded = std::clamp(std::lround(32767.0 * static_cast<double>(sample)), -32768L, 32767L);
    put(static_cast<uint32_t>(static_cast<uint16_t>(rounded)), 2);
  }
  return bytes;
}

// The sound comes last: a clip whose .wav is there is complete.
void render_clip(const TrackPlan& plan, const SynthSettings& settings, const std::filesystem::path& clips) {
  if (is_file(clips / (plan.id + ".wav"))) return;
  const Score score = compose(plan, settings.seconds, settings.seed);
  RenderOptions options;
  options.sample_rate_hz = settings.sample_rate_hz;
  options.soundfont = settings.soundfont;
  const Waveform waveform = render_score(score, options);
  write_file_atomically(clips / (plan.id + ".json"), score_json(score));
  write_file_atomically(clips / (plan.id + ".mid"), midi_file(score));
  write_file_atomically(clips / (plan.id + ".csv"), activity_csv(score));
  write_file_atomically(clips / (plan.id + ".wav"), wav_bytes(waveform));
}

// Plays the corpus's scores anew with changes.
class ScorePlayer {
 public:
  ScorePlayer(std::filesystem::path root, SynthSettings settings)
      : root_(std::move(root)), settings_(std::move(settings)) {}

  // As loud as the stored clip, and rounded as it is.
  Waveform play(const Track& track, const ScoreChange& change) {
    std::call_once(same_renderer_, [&] { require_same_renderer(); });
    const std::filesystem::path path = root_ / std::filesystem::path(track.audio).replace_extension(".json");
    try {
      const Score score = read_score(path);
      RenderOptions options;
      options.sample_rate_hz = settings_.sample_rate_hz;
      options.soundfont = settings_.soundfont;
      options.transpose_semitones = change.semitones;
      options.tempo_ratio = change.rate;
      options.gain = gain_of(track.id, score, options);
      Waveform waveform = render_score(score, options);
      for (float& sample : waveform.samples) {
        constexpr double kWritten = 32767.0;  // wav_bytes
        constexpr float kRead = 32768.0F;     // decoders
        sample = static_cast<float>(std::lround(kWritten * static_cast<double>(sample))) / kRead;
      }
      return waveform;
    } catch (const UsageError& error) {
      throw DataError(path.string() + ": " + error.what());
    }
  }

 private:
  // Another sound font or synthesizer would be taken for an effect of the change.
  void require_same_renderer() const {
    const Json stored = read_json(root_ / kSettingsFile);
    const Json here = renderer_settings(settings_);
    for (const auto& [key, value] : here.items()) {
      if (stored.contains(key) && stored[key] == value) continue;
      throw DataError("synth: " + root_.string() + " was rendered with " + key + " " +
                      (stored.contains(key) ? stored[key].dump() : "(not stated)") + ", here it is " + value.dump() +
                      "; its scores cannot be played anew beside its clips (delete the folder to render it anew)");
    }
  }

  // Remembered, because finding it takes a rendering.
  float gain_of(const std::string& id, const Score& score, const RenderOptions& options) {
    {
      const std::lock_guard<std::mutex> guard(mutex_);
      const auto known = gains_.find(id);
      if (known != gains_.end()) return known->second;
    }
    const float gain = written_gain(score, options);
    const std::lock_guard<std::mutex> guard(mutex_);
    gains_.emplace(id, gain);
    return gain;
  }

  std::filesystem::path root_;
  SynthSettings settings_;
  std::once_flag same_renderer_;
  std::mutex mutex_;
  std::unordered_map<std::string, float> gains_;
};

std::string label_file(const std::vector<TrackPlan>& plans) {
  std::vector<std::string> header = {"path", "id", "artist", "split"};
  header.insert(header.end(), synth_tags().begin(), synth_tags().end());
  std::string text = csv_line(header) + "\n";
  for (const TrackPlan& plan : plans) {
    std::vector<std::string> row = {"clips/" + plan.id + ".wav", plan.id, plan.artist, part_name(plan.part)};
    for (const uint8_t label : plan_labels(plan)) row.push_back(std::to_string(label));
    text += csv_line(row) + "\n";
  }
  return text;
}

}  // namespace

void generate_synthetic_corpus(const std::filesystem::path& root, const SynthSettings& settings) {
  const Json wanted = corpus_settings(settings);
  const std::filesystem::path settings_path = root / kSettingsFile;
  if (is_file(root / kLabelFile) && is_file(settings_path)) {
    require_same(root, read_json(settings_path), wanted);
    return;
  }
  require_writable_directory(root);
  // A second process waits here and then finds the corpus complete.
  const FileLock lock = FileLock::acquire(root / ".lock");
  const Json renderer = renderer_settings(settings);
  if (is_file(settings_path)) {
    const Json stored = read_json(settings_path);
    require_same(root, stored, wanted);
    if (is_file(root / kLabelFile)) return;
    require_same(root, stored, renderer);
  } else {
    if (is_file(root / kLabelFile)) {
      throw DataError("synth: " + root.string() +
                      " holds a labels.csv that is not of a synthetic corpus (choose another root)");
    }
    Json whole = wanted;
    whole.update(renderer);
    write_json(settings_path, whole);
  }
  const std::vector<TrackPlan> plans = plan_corpus(settings.tracks, settings.seed);
  spdlog::info("synth: rendering {} clips of {} s into {}", plans.size(), format_real(settings.seconds), root.string());
  Progress progress("rendering", static_cast<int64_t>(plans.size()), "clips");
  const int threads = settings.threads > 0 ? settings.threads : available_processors();
  parallel_for(static_cast<int64_t>(plans.size()), threads, [&](int64_t i) {
    render_clip(plans[static_cast<size_t>(i)], settings, root / "clips");
    progress.advance();
  });
  write_file_atomically(root / kLabelFile, label_file(plans));
}

namespace {

const std::vector<OptionSpec>& synth_options() {
  static const std::vector<OptionSpec> options = {
      root_option("folder of the corpus; rendered into it if it is not there yet"),
      integer_option("tracks", "240", "", 3, 100000,
                     "number of tracks; from 120 on every tag has positives and negatives in every part"),
      real_option("seconds", "30", "s", 3.0, 600.0, "length of each track"),
      integer_option("seed", "0", "", 0, 9007199254740992.0, "seed of artists, scores and parts"),
      integer_option("sample_rate_hz", "16000", "Hz", 8000, 96000, "sample rate of the rendered files"),
      text_option("soundfont", "/usr/share/sounds/sf2/sf_GMbank.sf2", "General MIDI sound font"),
      integer_option("threads", "0", "", 0, 4096, "threads that render; 0: all processors; changes no sample"),
      missing_option(),
  };
  return options;
}

Dataset load_synth(const Options& options) {
  SynthSettings settings;
  settings.tracks = options.integer("tracks");
  settings.seconds = options.real("seconds");
  settings.seed = static_cast<uint64_t>(options.integer("seed"));
  settings.sample_rate_hz = static_cast<int>(options.integer("sample_rate_hz"));
  settings.soundfont = options.text("soundfont");
  settings.threads = static_cast<int>(options.integer("threads"));
  const std::filesystem::path root = options.text("root");
  generate_synthetic_corpus(root, settings);

  const DatasetEntry folder = folder_entry();
  Dataset dataset =
      folder.load(Options("synth", folder.facts.options,
                          {{"root", root.string()}, {"csv", kLabelFile}, {"missing", options.text("missing")}}));
  if (dataset.tags != synth_tags() || dataset.n_tracks() != settings.tracks) {
    throw DataError(
        "synth: " + (root / kLabelFile).string() + " was changed: " + std::to_string(settings.tracks) +
        " tracks with the tags of a synthetic corpus were expected (delete the file to have it written anew)");
  }
  dataset.name = dataset_label("synth", synth_options(), options, {"tracks", "seconds", "seed", "sample_rate_hz"});
  // Neither enters the split's hash, which holds labels and parts; whoever compares two machines must see it.
  const Json stored = read_json(root / kSettingsFile);
  dataset.notes.push_back("synth: the audio was rendered by FluidSynth " + stored.value("fluidsynth", "?") +
                          " with the sound font of SHA-256 " + stored.value("soundfont_sha256", "?").substr(0, 12));
  const std::string font = settings.soundfont.filename().string();
  if (font != SynthSettings().soundfont.filename().string()) {
    dataset.name += (dataset.name == "synth" ? ":soundfont=" : ",soundfont=") + font;
  }
  const auto player = std::make_shared<ScorePlayer>(root, settings);
  dataset.play = [player](const Track& track, const ScoreChange& change) { return player->play(track, change); };
  return dataset;
}

}  // namespace

DatasetEntry synth_entry() {
  DatasetEntry entry;
  entry.facts.name = "synth";
  entry.facts.summary =
      "synthetic music rendered from seeded scores: 20 instruments, major, minor, fast, slow; nothing to download";
  entry.facts.source = "composed by this program, rendered by FluidSynth; tags as in OpenMIC-2018";
  entry.facts.licence = "yours; the default sound font (csound-soundfont) is in the public domain";
  entry.facts.fetch =
      "Nothing. The corpus is rendered into root on first use (about 100 times faster than real time on each core).";
  entry.facts.options = synth_options();
  entry.load = load_synth;
  return entry;
}

}  // namespace tagbench
