#include <atomic>
#include <cmath>
#include <map>
#include <memory>
#include <stdexcept>

#include "harness/audio/audio_file.h"
#include "harness/cli/inputs.h"
#include "harness/cli/print.h"
#include "harness/cli/verbs.h"
#include "harness/core/errors.h"
#include "harness/core/hash.h"
#include "harness/core/interrupt.h"
#include "harness/core/log.h"
#include "harness/core/parallel.h"
#include "harness/core/progress.h"
#include "harness/core/text.h"
#include "perturbations/condition.h"

namespace tagbench {
namespace {

struct PerturbFlags {
  std::string spec, output, format = "table";
  std::vector<std::string> inputs;
  int sample_rate_hz = 0;
  int threads = 0;
  uint64_t seed = 0;
  bool round_to_16_bits = false;
};

// "music/a/b.mp3" of the folder "music" under "pitch_shift:semitones=1" becomes DIR/a/b.pitch_shift_semitones_1.wav. A
// name too long for file systems is cut, and a digest tells it from others that begin alike.
std::filesystem::path output_for(const std::filesystem::path& directory, const AudioInput& input,
                                 const std::string& label) {
  std::string suffix = label;
  for (char& c : suffix) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-' && c != '.' && c != '_') c = '_';
  }
  std::string name = input.relative.stem().string() + "." + suffix;
  const std::string extension = ".wav";
  // File systems allow 255 bytes, and a file that is being written has a longer name for the time.
  constexpr size_t kLongestNameBytes = 200;
  if (name.size() + extension.size() > kLongestNameBytes) {
    const std::string digest = "_" + sha256_hex(name).substr(0, 8);
    size_t end = kLongestNameBytes - extension.size() - digest.size();
    const auto continues = [&](size_t i) { return (static_cast<unsigned char>(name[i]) & 0xC0U) == 0x80U; };
    while (end > 0 && continues(end)) --end;
    name = name.substr(0, end) + digest;
  }
  return directory / input.relative.parent_path() / (name + extension);
}

struct Job {
  const AudioInput* input;
  const Condition* condition;
  std::filesystem::path output;
  Perturbed result;
  std::string error;
};

// What to write where. Errors: UsageError if one output would overwrite another, or an input.
std::vector<Job> plan(const PerturbFlags& flags, const std::vector<AudioInput>& inputs,
                      const std::vector<Condition>& conditions) {
  if (flags.output.empty()) throw UsageError("perturb: -o is required: a .wav file for one input, or a folder");
  const bool one_file = ends_with(to_lower(flags.output), ".wav");
  if (one_file && (inputs.size() > 1 || conditions.size() > 1)) {
    throw UsageError("perturb: -o " + flags.output + " takes one input under one condition, found " +
                     std::to_string(inputs.size()) + " under " + std::to_string(conditions.size()) + "; name a folder");
  }
  std::map<std::filesystem::path, std::string> taken;
  for (const AudioInput& input : inputs)
    taken.emplace(std::filesystem::weakly_canonical(input.path), input.path.string() + " itself");
  std::vector<Job> jobs;
  for (const AudioInput& input : inputs) {
    for (const Condition& condition : conditions) {
      const std::filesystem::path output =
          one_file ? std::filesystem::path(flags.output) : output_for(flags.output, input, condition.label());
      const std::string origin = input.path.string() + " under " + condition.label();
      const auto [other, is_new] = taken.emplace(std::filesystem::weakly_canonical(output), origin);
      if (!is_new) {
        throw UsageError("perturb: a file of its own was expected for each output, found two for " + output.string() +
                         ": " + other->second + ", and " + origin + " (rename one, or choose another output)");
      }
      jobs.push_back({&input, &condition, output, {}, ""});
    }
  }
  return jobs;
}

void note_failure(Job& job, const std::string& message) {
  const std::string path = job.input->path.string();
  job.error = message.find(path) == std::string::npos ? path + ": " + message : message;
}

int perturb(const PerturbFlags& flags) {
  std::vector<Condition> conditions = parse_conditions({flags.spec});
  if (conditions.size() == 1 && trim(flags.spec) != "clean") {
    throw UsageError("perturb: at least one perturbation was expected, '" + flags.spec +
                     "' names none (write clean for the unchanged track)");
  }
  // "clean" leads every list of test conditions; here the user wants what was asked for.
  if (conditions.size() > 1) conditions.erase(conditions.begin());
  for (const Condition& condition : conditions) {
    if (condition.needs_score()) {
      throw UsageError("perturb: " + condition.label() +
                       " plays a score anew, and sound files have none; use it in an experiment on the data set synth");
    }
  }
  const std::vector<AudioInput> inputs = expand_audio_inputs(flags.inputs);
  std::vector<Job> jobs = plan(flags, inputs, conditions);
  Progress progress("perturbing", static_cast<int64_t>(jobs.size()), "files");
  DecodeOptions decoding;
  decoding.round_to_16_bits = flags.round_to_16_bits;
  std::atomic<int64_t> n_written{0};
  const auto render = [&](int64_t i) {
    Job& job = jobs[static_cast<size_t>(i)];
    try {
      Waveform input = decode_audio(job.input->path, decoding);
      if (flags.sample_rate_hz > 0) input = resample(input, flags.sample_rate_hz);
      job.result = job.condition->apply(input, flags.seed, job.input->relative.generic_string());
      throw_if_interrupted();
      write_wav(job.output, job.result.waveform);
      ++n_written;
      job.result.waveform.samples.clear();
      job.result.waveform.samples.shrink_to_fit();
    } catch (const DataError& error) {
      note_failure(job, error.what());
    } catch (const Error&) {
      throw;
    } catch (const std::runtime_error& error) {
      // A library that failed on this file, a codec for instance, says nothing about the others.
      note_failure(job, error.what());
    }
    progress.advance();
  };
  // A signal lets a file that is being written be finished, so that none is left in part.
  handle_interrupts();
  try {
    parallel_for(static_cast<int64_t>(jobs.size()), flags.threads > 0 ? flags.threads : available_processors(), render);
  } catch (const Interrupted&) {
    throw Interrupted("perturb: interrupted; " + std::to_string(n_written) + " of " + std::to_string(jobs.size()) +
                      " files are written, each of them whole");
  }
  Listing listing({"output", "condition", "reached"});
  int64_t n_failed = 0;
  for (const Job& job : jobs) {
    if (!job.error.empty()) {
      spdlog::error("{}", job.error);
      ++n_failed;
      continue;
    }
    std::vector<std::string> reached;
    for (const auto& [name, value] : job.result.reached)
      reached.push_back(name + "=" + format_real(std::round(value * 1e6) / 1e6));
    listing.add({job.output.string(), job.condition->label(), join_text(reached, " ")});
  }
  if (n_failed == static_cast<int64_t>(jobs.size())) throw DataError("perturb: no file could be written");
  listing.print(flags.format);
  return n_failed > 0 ? 1 : 0;
}

}  // namespace

void add_perturb(CLI::App& app, VerbContext& context) {
  CLI::App* verb = app.add_subcommand(
      "perturb",
      "Render perturbed audio to listen to. Samples are taken as the file holds them (float files are neither rounded "
      "nor clipped), channels are averaged, and 32-bit float WAV is written");
  auto flags = std::make_shared<PerturbFlags>();
  verb->add_option("spec", flags->spec,
                   "Perturbation, chain, set or YAML list: pitch_shift:semitones=1, won2020, mine.yaml, ...")
      ->required();
  verb->add_option("input", flags->inputs, "Audio files and folders")->required();
  verb->add_option("-o,--output", flags->output, "A .wav file (one input), or a folder");
  verb->add_option("--sample-rate-hz", flags->sample_rate_hz,
                   "Resample before perturbing (default: the file's own rate)")
      ->check(CLI::Range(1000, 768000));
  verb->add_flag("--round-to-16-bits", flags->round_to_16_bits,
                 "Round and clip the input to 16 bits first, as experiments do");
  verb->add_option(
      "--seed", flags->seed,
      "Seed of random perturbations (default 0); each file draws its own numbers, by its path below the folder");
  verb->add_option("--threads", flags->threads, "Threads; 0: all processors (default)")->check(CLI::Range(0, 4096));
  verb->add_option("--format", flags->format, "Of the listing of what was reached: table (default), csv or json");
  verb->callback([flags, &context] { context.action = [flags] { return perturb(*flags); }; });
}

}  // namespace tagbench
