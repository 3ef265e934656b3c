#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "harness/audio/audio_file.h"
#include "harness/cli/inputs.h"
#include "harness/cli/load_model.h"
#include "harness/cli/print.h"
#include "harness/cli/verbs.h"
#include "harness/core/errors.h"
#include "harness/core/log.h"
#include "harness/core/npy.h"
#include "harness/core/parallel.h"
#include "harness/core/text.h"
#include "harness/nn/device.h"
#include "harness/nn/inference.h"
#include "harness/run/scorer.h"

namespace tagbench {
namespace {

struct PredictFlags {
  LoadModelFlags model;
  std::string protocol = "won2020", device = "cpu", precision = "fp32", format = "table";
  std::string scores, logits, front_end;
  std::vector<std::string> inputs;
  int threads = 0;
  int top = 5;
};

ScorerOptions scorer_options(const PredictFlags& flags) {
  set_threads(flags.threads > 0 ? flags.threads : available_processors());
  return {parse_device(flags.device), parse_precision(flags.precision) == Precision::kBf16};
}

// Errors: DataError if one of the values, `what`, is not finite: files hold no NaN.
void require_finite(const torch::Tensor& values, const std::string& what, const LoadedModel& model) {
  const torch::Tensor bad = values.flatten(1).isfinite().all(1).logical_not().nonzero();
  if (bad.numel() == 0) return;
  throw DataError("predict: " + model.info.model + ": finite " + what + " were expected, found NaN or infinity in " +
                  std::to_string(bad.size(0)) + " of " + std::to_string(values.size(0)) +
                  " chunks, the first is chunk " + std::to_string(bad[0].item<int64_t>()) +
                  " (its weights are damaged, or training diverged)");
}

// What the front end gives, in batches that bound memory.
torch::Tensor front_end_output(Tagger& tagger, const torch::Tensor& chunks, const torch::Device& device) {
  const c10::InferenceMode inference;
  std::vector<torch::Tensor> parts;
  for (const torch::Tensor& batch : chunks.split(evaluation_batch(chunks.size(1))))
    parts.push_back(tagger.front_end_output(batch.to(device)).to(torch::kCPU, torch::kFloat32));
  return torch::cat(parts);
}

void save(const std::string& path, const torch::Tensor& tensor) {
  if (path.empty()) return;
  const torch::Tensor values = tensor.to(torch::kCPU, torch::kFloat32).contiguous();
  write_npy(path, values.sizes().vec(), values.data_ptr<float>());
}

std::vector<std::string> tags_or_numbers(const LoadedModel& model) {
  if (!model.tags.empty()) return model.tags;
  spdlog::info("the outputs have no names, as {} holds none; --tags FILE names them", model.info.model);
  std::vector<std::string> names;
  for (int64_t k = 0; k < model.n_tags; ++k) names.push_back("tag " + std::to_string(k));
  return names;
}

// Tags of one row of scores, best first; equal scores keep the tags' order.
std::vector<size_t> ranked(const float* scores, size_t n_tags, int top) {
  std::vector<size_t> order(n_tags);
  for (size_t k = 0; k < n_tags; ++k) order[k] = k;
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return scores[a] > scores[b]; });
  if (top > 0 && static_cast<size_t>(top) < n_tags) order.resize(static_cast<size_t>(top));
  return order;
}

// Ready chunks [B, T] at the model's rate.
int predict_chunks(const PredictFlags& flags, const LoadedModel& model) {
  const std::string& path = flags.inputs.front();
  const NpyArray array = read_npy(path);
  if (array.shape.size() != 2 || array.shape[0] < 1 || array.shape[1] < 1 || !array.is_floating()) {
    throw DataError(path + ": chunks [B, T] of floating-point samples were expected, found " + shape_text(array.shape) +
                    " of " + array.descr);
  }
  std::vector<float> samples = array.as_float();
  if (!std::all_of(samples.begin(), samples.end(), [](float x) { return std::isfinite(x); })) {
    throw DataError(path + ": finite samples were expected, found NaN or infinity");
  }
  const ScorerOptions options = scorer_options(flags);
  const torch::Tensor chunks = torch::from_blob(samples.data(), {array.shape[0], array.shape[1]}, torch::kFloat32);
  model.tagger->to(options.device);
  prepare_for_inference(*model.tagger);
  const torch::Tensor logits = chunk_logits(*model.tagger, chunks, options);
  const torch::Tensor scores = probabilities(logits, load_protocol(flags.protocol).softmax_scores()).contiguous();
  require_finite(logits, "logits", model);
  save(flags.logits, logits);
  save(flags.scores, scores);
  if (!flags.front_end.empty()) {
    const torch::Tensor features = front_end_output(*model.tagger, chunks, options.device);
    require_finite(features, "values of the front end", model);
    save(flags.front_end, features);
  }
  if (!flags.scores.empty() || !flags.logits.empty() || !flags.front_end.empty()) return 0;
  const std::vector<std::string> tags = tags_or_numbers(model);
  Listing listing({"chunk", "rank", "tag", "probability"});
  for (int64_t row = 0; row < scores.size(0); ++row) {
    const float* values = scores.data_ptr<float>() + row * model.n_tags;
    int rank = 0;
    for (const size_t k : ranked(values, tags.size(), flags.top))
      listing.add({row, ++rank, tags[k], static_cast<double>(values[k])});
  }
  listing.print(flags.format);
  return 0;
}

int predict_files(const PredictFlags& flags, const LoadedModel& model) {
  if (!flags.logits.empty() || !flags.front_end.empty()) {
    throw UsageError("predict: --logits and --front-end need ready chunks: one .npy of shape [B, T] as input");
  }
  const Protocol protocol = load_protocol(flags.protocol);
  const std::vector<std::string> tags = tags_or_numbers(model);
  const ScorerOptions options = scorer_options(flags);
  model.tagger->to(options.device);
  prepare_for_inference(*model.tagger);
  const Scorer scorer({model.tagger}, protocol, options);
  Listing listing({"file", "rank", "tag", "probability"});
  Json all = Json::array();
  std::vector<float> matrix;
  int64_t n_scored = 0;
  int64_t n_failed = 0;
  int64_t n_short = 0;
  for (const AudioInput& input : expand_audio_inputs(flags.inputs)) {
    const std::filesystem::path& file = input.path;
    try {
      const Waveform waveform = resample(decode_audio(file), model.tagger->facts().sample_rate_hz);
      const TrackScores scores =
          scorer.score({waveform.samples.data(), waveform.size()}, protocol.evaluation_chunks).front();
      matrix.insert(matrix.end(), scores.mean.begin(), scores.mean.end());
      ++n_scored;
      n_short += scores.is_short ? 1 : 0;
      Json item{{"file", file.string()},
                {"duration_s", waveform.duration_s()},
                {"n_chunks", protocol.evaluation_chunks},
                {"shorter_than_chunk", scores.is_short}};
      item["tags"] = Json::array();
      int rank = 0;
      for (const size_t k : ranked(scores.mean.data(), tags.size(), flags.top)) {
        listing.add({file.string(), ++rank, tags[k], static_cast<double>(scores.mean[k])});
        item["tags"].push_back({{"tag", tags[k]}, {"probability", static_cast<double>(scores.mean[k])}});
      }
      all.push_back(item);
    } catch (const DataError& error) {
      spdlog::error("{}", error.what());
      all.push_back({{"file", file.string()}, {"error", error.what()}});
      ++n_failed;
    }
  }
  if (n_scored == 0) throw DataError("predict: none of the " + std::to_string(n_failed) + " files could be scored");
  if (n_short > 0) {
    spdlog::info("{} of {} files are shorter than the network's chunk and were repeated cyclically to fill it", n_short,
                 n_scored);
  }
  if (!flags.scores.empty()) write_npy(flags.scores, {n_scored, model.n_tags}, matrix.data());
  if (flags.format == "json") {
    print_text(all.dump(2) + "\n");
  } else {
    listing.print(flags.format);
  }
  return n_failed > 0 ? 1 : 0;
}

int predict(const PredictFlags& flags) {
  const LoadedModel model = load_model(flags.model);
  const bool chunks = flags.inputs.size() == 1 && ends_with(to_lower(flags.inputs.front()), ".npy");
  return chunks ? predict_chunks(flags, model) : predict_files(flags, model);
}

}  // namespace

void add_predict(CLI::App& app, VerbContext& context) {
  CLI::App* verb = app.add_subcommand("predict", "Score audio files, or ready chunks in a .npy file, with a model");
  auto flags = std::make_shared<PredictFlags>();
  flags->model.add_to(*verb);
  verb->add_option("input", flags->inputs,
                   "Audio files and folders, or one .npy of shape [B, T]: ready chunks at the model's rate")
      ->required();
  verb->add_option("--scores", flags->scores, "Save the probabilities [B or files, tags] (.npy)");
  verb->add_option("--logits", flags->logits, "Save the logits [B, tags] (.npy; ready chunks only)");
  verb->add_option("--front-end", flags->front_end, "Save the front end's output (.npy; ready chunks only)");
  verb->add_option("--format", flags->format, "table (default), csv or json");
  verb->add_option("--top", flags->top, "How many tags per file; 0: all (default 5)")->check(CLI::Range(0, 1000000));
  verb->add_option("--protocol", flags->protocol, "Protocol that cuts and averages chunks (default won2020)");
  verb->add_option("--device", flags->device, "cpu, cuda or cuda:n (default cpu)");
  verb->add_option("--threads", flags->threads, "Threads; 0: all processors (default)")->check(CLI::Range(0, 4096));
  verb->add_option("--precision", flags->precision, "fp32 (default) or bf16");
  verb->callback([flags, &context] { context.action = [flags] { return predict(*flags); }; });
}

}  // namespace tagbench
