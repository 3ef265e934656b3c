#include <atomic>
#include <cmath>
#include <memory>

#include "harness/audio/audio_file.h"
#include "harness/cli/inputs.h"
#include "harness/cli/print.h"
#include "harness/cli/verbs.h"
#include "harness/core/errors.h"
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
};

// "a/b.mp3" under "won2020" becomes DIR/b.pitch_shift_semitones_1.wav.
std::filesystem::path output_for(const std::filesystem::path& directory, const std::filesystem::path& input,
                                 const std::string& label) {
  std::string suffix = label;
  for (char& c : suffix) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-' && c != '.' && c != '_') c = '_';
  }
  return directory / (input.stem().string() + "." + suffix + ".wav");
}

int perturb(const PerturbFlags& flags) {
  std::vector<Condition> conditions = parse_conditions({flags.spec});
  // "clean" leads every list of test conditions; here the user wants what was asked for.
  if (conditions.size() > 1) conditions.erase(conditions.begin());
  const std::vector<std::filesystem::path> files = expand_audio_inputs(flags.inputs);
  const bool one_file = files.size() == 1 && conditions.size() == 1 && ends_with(to_lower(flags.output), ".wav");
  if (flags.output.empty()) throw UsageError("perturb: -o is required: a .wav file for one input, or a folder");

  struct Job {
    const std::filesystem::path* input;
    const Condition* condition;
    std::filesystem::path output;
    Perturbed result;
    std::string error;
  };
  std::vector<Job> jobs;
  for (const auto& file : files) {
    for (const Condition& condition : conditions) {
      jobs.push_back(
          {&file,
           &condition,
           one_file ? std::filesystem::path(flags.output) : output_for(flags.output, file, condition.label()),
           {},
           ""});
    }
  }
  Progress progress("perturbing", static_cast<int64_t>(jobs.size()), "files");
  std::atomic<int64_t> n_written{0};
  const auto render = [&](int64_t i) {
    Job& job = jobs[static_cast<size_t>(i)];
    try {
      Waveform input = decode_audio(*job.input);
      if (flags.sample_rate_hz > 0) input = resample(input, flags.sample_rate_hz);
      job.result = job.condition->apply(input, flags.seed, job.input->stem().string());
      throw_if_interrupted();
      write_wav(job.output, job.result.waveform);
      ++n_written;
      job.result.waveform.samples.clear();
      job.result.waveform.samples.shrink_to_fit();
    } catch (const DataError& error) {
      job.error = error.what();
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
  CLI::App* verb = app.add_subcommand("perturb", "Render perturbed audio to listen to");
  auto flags = std::make_shared<PerturbFlags>();
  verb->add_option("spec", flags->spec, "Perturbation, chain or set: pitch_shift:semitones=1, won2020, ...")
      ->required();
  verb->add_option("input", flags->inputs, "Audio files and folders")->required();
  verb->add_option("-o,--output", flags->output, "A .wav file (one input), or a folder");
  verb->add_option("--sample-rate-hz", flags->sample_rate_hz,
                   "Resample before perturbing (default: the file's own rate)")
      ->check(CLI::Range(1000, 768000));
  verb->add_option("--seed", flags->seed, "Seed of random perturbations (default 0)");
  verb->add_option("--threads", flags->threads, "Threads; 0: all processors (default)")->check(CLI::Range(0, 4096));
  verb->add_option("--format", flags->format, "Of the listing of what was reached: table (default), csv or json");
  verb->callback([flags, &context] { context.action = [flags] { return perturb(*flags); }; });
}

}  // namespace tagbench
