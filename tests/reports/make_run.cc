#include <cstdio>
#include <exception>
#include <map>
#include <string>

#include "harness/core/errors.h"
#include "harness/core/parallel.h"
#include "harness/core/text.h"
#include "tests/results/synthetic_run.h"

namespace tagbench {
namespace {

// models, conditions (clean and steps of mp3, gain, ... five each), seeds, tags, tracks.
int make_run(const std::string& directory, std::map<std::string, int64_t> sizes) {
  const RunStore run = RunStore::create(directory);
  static const char* const kPerturbations[] = {"mp3", "gain", "opus", "low_pass", "high_pass", "white_noise"};
  std::vector<std::string> models, conditions = {"clean"};
  for (int64_t m = 0; m < sizes["models"]; ++m) models.push_back("model" + std::to_string(m));
  for (int64_t c = 1; c < sizes["conditions"]; ++c)
    conditions.push_back(std::string(kPerturbations[((c - 1) / 5) % 6]) + "@" + std::to_string((c - 1) % 5 + 1) +
                         (c > 30 ? ":engine=e" + std::to_string(c / 30) : ""));
  const int64_t n_seeds = sizes["seeds"];
  const auto n_conditions = static_cast<int64_t>(conditions.size());
  parallel_for(sizes["models"] * n_conditions * n_seeds, available_processors(), [&](int64_t i) {
    const int64_t model = i / (n_conditions * n_seeds);
    const int64_t condition = i / n_seeds % n_conditions;
    testing::SyntheticCell cell;
    cell.model = models[static_cast<size_t>(model)];
    cell.condition = conditions[static_cast<size_t>(condition)];
    cell.seed = i % n_seeds + 1;
    cell.skill = 0.4 + 0.02 * static_cast<double>(model % 20) - 0.01 * static_cast<double>(condition % 6);
    cell.n_tags = sizes["tags"];
    cell.n_tracks = sizes["tracks"];
    testing::add_cell(run, cell);
  });
  std::vector<ThroughputRow> throughput;
  for (size_t m = 0; m < models.size(); ++m) {
    ThroughputRow row;
    row.model_label = models[m];
    row.part = "whole";
    row.precision = "fp32";
    row.device = "cpu";
    row.threads = 2;
    row.batch = 16;
    row.clips_per_s = 5.0 + static_cast<double>(m * m);
    throughput.push_back(row);
  }
  run.write_throughput(throughput);
  testing::write_run_order(run, models, conditions);
  return 0;
}

}  // namespace
}  // namespace tagbench

int main(int argc, char** argv) {
  std::map<std::string, int64_t> sizes = {
      {"models", 3}, {"conditions", 6}, {"seeds", 1}, {"tags", 20}, {"tracks", 200}};
  bool good = argc >= 2;
  for (int i = 2; i < argc && good; ++i) {
    const auto parts = tagbench::split_text(argv[i], '=');
    const auto value = parts.size() == 2 ? tagbench::parse_integer(parts[1]) : std::nullopt;
    good = value && *value > 0 && sizes.count(parts[0]) > 0;
    if (good) sizes[parts[0]] = *value;
  }
  if (!good) {
    std::fputs("make_run DIRECTORY [models=3] [conditions=6] [seeds=1] [tags=20] [tracks=200]\n", stderr);
    return 2;
  }
  try {
    return tagbench::make_run(argv[1], sizes);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "make_run: %s\n", error.what());
    return 3;
  }
}
