#include "models/registry.h"

#include <utility>

#include "models/attention.h"
#include "models/crnn.h"
#include "models/fcn.h"
#include "models/harmonic_cnn.h"
#include "models/musicnn.h"
#include "models/sample_level.h"
#include "models/short_chunk.h"
#include "models/vgg_mediaeval.h"

namespace tagbench {
namespace {

constexpr double kMostChannels = 4096;

OptionSpec channels_option(const char* default_value, const char* help, double minimum = 1) {
  return integer_option("n_channels", default_value, "", minimum, kMostChannels, help);
}

OptionSpec mels_option(const char* default_value, double minimum, double maximum) {
  return integer_option("n_mels", default_value, "", minimum, maximum, "mel bands");
}

// A registry entry, its identity told once: make() repeats it in the tagger's facts.
struct Identity {
  const char* name;
  const char* row_name;
  const char* paper;
  const char* source;
};

constexpr const char* kWonCode =
    "github.com/minzwon/sota-music-tagging-models, training/model.py (fork maahhi, commit 14f0f9b)";

constexpr Identity kFcn{"fcn", "FCN", "Choi, Fazekas, Sandler 2016; Won et al. 2020", kWonCode};
constexpr Identity kFcn128{"fcn_128", "FCN (with 128 Mel bins)", "Choi, Fazekas, Sandler 2016; Won et al. 2020",
                           kWonCode};
constexpr Identity kMusicnn{"musicnn", "Musicnn", "Pons et al. 2018; Won et al. 2020", kWonCode};
constexpr Identity kMusicnn128{"musicnn_128", "Musicnn (with 128 Mel bins)", "Pons et al. 2018; Won et al. 2020",
                               kWonCode};
constexpr Identity kSample{"sample", "Sample-level", "Lee, Park, Kim, Nam 2017; Won et al. 2020", kWonCode};
constexpr Identity kSe{"se", "Sample-level + SE", "Kim, Lee, Nam 2018; Won et al. 2020", kWonCode};
constexpr Identity kCrnn{"crnn", "CRNN", "Choi, Fazekas, Sandler, Cho 2017; Won et al. 2020", kWonCode};
constexpr Identity kCrnn128{"crnn_128", "CRNN (with 128 Mel bins)", "Choi, Fazekas, Sandler, Cho 2017; Won et al. 2020",
                            kWonCode};
constexpr Identity kAttention{"attention", "Self-attention", "Won, Chun, Serra 2019; Won et al. 2020", kWonCode};
constexpr Identity kHcnn{"hcnn", "Harmonic CNN", "Won, Chun, Nieto, Serra 2020; Won et al. 2020", kWonCode};
constexpr Identity kShort{"short", "Short-chunk CNN", "Won et al. 2020", kWonCode};
constexpr Identity kShortRes{"short_res", "Short-chunk CNN + Res", "Won et al. 2020", kWonCode};
constexpr Identity kVggMediaeval{"vgg_mediaeval", "VGG baseline (MediaEval)", "Bogdanov et al. 2019",
                                 "github.com/MTG/mtg-jamendo-dataset, scripts/baseline/model.py (commit 1b4fa8c)"};

TaggerFacts facts_of(const Identity& identity) {
  TaggerFacts facts;
  facts.name = identity.name;
  facts.row_name = identity.row_name;
  facts.paper = identity.paper;
  facts.source = identity.source;
  return facts;
}

template <const Identity& identity>
std::shared_ptr<Tagger> make_fcn(const Options& given, int64_t n_tags) {
  const FcnOptions options{given.integer("n_mels"), given.integer("n_channels"), n_tags};
  return std::make_shared<Fcn>(facts_of(identity), options);
}

template <const Identity& identity>
std::shared_ptr<Tagger> make_musicnn(const Options& given, int64_t n_tags) {
  const MusicnnOptions options{given.integer("n_mels"), given.integer("front_channels"), given.integer("n_channels"),
                               given.integer("n_dense"), n_tags};
  return std::make_shared<Musicnn>(facts_of(identity), options);
}

template <const Identity& identity, typename Model>
std::shared_ptr<Tagger> make_sample_level(const Options& given, int64_t n_tags) {
  return std::make_shared<Model>(facts_of(identity), SampleLevelOptions{given.integer("n_channels"), n_tags});
}

template <const Identity& identity>
std::shared_ptr<Tagger> make_crnn(const Options& given, int64_t n_tags) {
  const CrnnOptions options{given.integer("n_mels"), given.integer("n_channels"), n_tags};
  return std::make_shared<Crnn>(facts_of(identity), options);
}

std::shared_ptr<Tagger> make_attention(const Options& given, int64_t n_tags) {
  const AttentionOptions options{given.integer("n_mels"), given.integer("n_channels"), n_tags};
  return std::make_shared<Attention>(facts_of(kAttention), options);
}

std::shared_ptr<Tagger> make_hcnn(const Options& given, int64_t n_tags) {
  return std::make_shared<HarmonicCnn>(facts_of(kHcnn), HarmonicCnnOptions{given.integer("n_channels"), n_tags});
}

template <const Identity& identity, typename Model>
std::shared_ptr<Tagger> make_short_chunk(const Options& given, int64_t n_tags) {
  const ShortChunkOptions options{given.integer("n_mels"), given.integer("n_channels"), n_tags};
  return std::make_shared<Model>(facts_of(identity), options);
}

std::shared_ptr<Tagger> make_vgg_mediaeval(const Options& given, int64_t n_tags) {
  return std::make_shared<VggMediaeval>(facts_of(kVggMediaeval),
                                        VggMediaevalOptions{given.integer("n_channels"), n_tags});
}

ModelEntry entry(const Identity& identity, const char* summary, std::vector<OptionSpec> options,
                 std::shared_ptr<Tagger> (*make)(const Options&, int64_t), int64_t n_tags = 50) {
  return {identity.name, identity.row_name, summary, identity.paper, identity.source, std::move(options), make, n_tags};
}

std::vector<OptionSpec> fcn_options(const char* n_mels) {
  return {mels_option(n_mels, 96, 191),
          channels_option("64", "channels of the first and last layer; the ones between have twice as many")};
}

std::vector<OptionSpec> musicnn_options(const char* n_mels) {
  return {
      mels_option(n_mels, 67, 256),
      integer_option("front_channels", "128", "", 3, kMostChannels,
                     "front-end width: floor(1.6 times this) filters of each vertical shape, floor(0.4 times this) of "
                     "each horizontal one"),
      channels_option("64", "channels of the layers behind the front end (512 in the Million Song Dataset's models)"),
      integer_option("n_dense", "200", "", 1, kMostChannels,
                     "units of the hidden dense layer (500 in the Million Song Dataset's models)")};
}

std::vector<OptionSpec> sample_options() {
  return {channels_option("128", "channels of layers 1-3; twice as many in 4-9, four times in 10 and 11")};
}

std::vector<OptionSpec> crnn_options(const char* n_mels) {
  return {mels_option(n_mels, 96, 191),
          channels_option("64", "channels of the first layer; twice as many in the others, half as many GRU units", 2)};
}

}  // namespace

const std::vector<ModelEntry>& models() {
  static const std::vector<ModelEntry> entries = {
      entry(kFcn, "Fully convolutional network on 29 s log-mel spectrograms", fcn_options("96"), &make_fcn<kFcn>),
      entry(kFcn128, "FCN with 128 mel bands", fcn_options("128"), &make_fcn<kFcn128>),
      entry(kMusicnn, "Timbral and temporal filters on 3 s log-mel spectrograms", musicnn_options("96"),
            &make_musicnn<kMusicnn>),
      entry(kMusicnn128, "Musicnn with 128 mel bands", musicnn_options("128"), &make_musicnn<kMusicnn128>),
      entry(kSample, "Sample-level 1-D convolutions on 3.69 s of waveform", sample_options(),
            &make_sample_level<kSample, SampleCnn>),
      entry(kSe, "Sample-level CNN with residual squeeze-and-excitation blocks", sample_options(),
            &make_sample_level<kSe, SampleCnnSe>),
      entry(kCrnn, "Convolutions and a GRU on 29 s log-mel spectrograms", crnn_options("96"), &make_crnn<kCrnn>),
      entry(kCrnn128, "CRNN with 128 mel bands", crnn_options("128"), &make_crnn<kCrnn128>),
      entry(
          kAttention, "Residual convolutions and a transformer encoder on 15 s log-mel spectrograms",
          {mels_option("128", 8, 128),
           channels_option("128", "channels of layers 1 and 2, a multiple of 4; the transformer is twice as wide", 4)},
          &make_attention),
      entry(kHcnn, "Learned harmonic filters and residual convolutions on 5 s",
            {channels_option("128", "channels of layers 1-4; twice as many in 5-7")}, &make_hcnn),
      entry(kShort, "VGG-like network on 3.69 s log-mel spectrograms",
            {mels_option("128", 128, 255),
             channels_option("128", "channels of layers 1 and 2; twice as many in 3-6, four times in 7")},
            &make_short_chunk<kShort, ShortChunkCnn>),
      entry(kShortRes, "Short-chunk CNN with residual blocks",
            {mels_option("128", 8, 128),
             channels_option("128", "channels of layers 1 and 2; twice as many in 3-6, four times in 7")},
            &make_short_chunk<kShortRes, ShortChunkCnnRes>),
      entry(kVggMediaeval, "VGG-like baseline of the MTG-Jamendo dataset on 29.1 s at 12 kHz",
            {channels_option("64", "channels of the first and last layer; the ones between have twice as many")},
            &make_vgg_mediaeval, 56)};
  return entries;
}

const ModelEntry& find_model(std::string_view name) {
  return find_registered(models(), name, "model", [](const ModelEntry& model) { return model.name; });
}

}  // namespace tagbench
