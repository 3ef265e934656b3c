#include "harness/run/sweep.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <thread>

#include "harness/core/errors.h"
#include "harness/core/interrupt.h"
#include "harness/core/log.h"
#include "harness/core/progress.h"

namespace tagbench {
namespace {

// One track under the condition at every sample rate that the taggers want, or why it could not be made.
struct Rendered {
  std::map<int, Perturbed> by_rate;
  std::string failure;

  size_t bytes() const {
    size_t total = 0;
    for (const auto& [rate, audio] : by_rate) total += audio.waveform.samples.size() * sizeof(float);
    return total;
  }
};

// Waveforms that wait for the networks take at most this, beside one track, however long the tracks are.
constexpr size_t kMaxWaitingBytes = size_t{256} << 20U;

// Renders tracks 0, 1, 2, ... on worker threads, at most `window` ahead of the consumer, which takes them in order.
class RenderAhead {
 public:
  RenderAhead(int64_t count, int threads, std::function<Rendered(int64_t)> render)
      : count_(count), window_(2 * static_cast<int64_t>(threads) + 1), render_(std::move(render)) {
    for (int t = 0; t < threads; ++t) workers_.emplace_back([this] { work(); });
  }

  ~RenderAhead() {
    {
      const std::lock_guard<std::mutex> guard(mutex_);
      stop_ = true;
    }
    changed_.notify_all();
    for (std::thread& worker : workers_) worker.join();
  }

  Rendered take() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return error_ || ready_.count(taken_) > 0; });
    if (error_) std::rethrow_exception(error_);
    Rendered rendered = std::move(ready_.at(taken_));
    ready_.erase(taken_++);
    waiting_bytes_ -= rendered.bytes();
    lock.unlock();
    changed_.notify_all();
    return rendered;
  }

 private:
  // Tracks in the making are taken to be as long as the longest so far. The next one to be taken is always made.
  bool may_begin() const {
    if (next_ == taken_) return true;
    const size_t expected = waiting_bytes_ + static_cast<size_t>(in_the_making_ + 1) * largest_bytes_;
    return next_ < taken_ + window_ && expected <= kMaxWaitingBytes;
  }

  void work() {
    while (true) {
      int64_t index = 0;
      {
        std::unique_lock<std::mutex> lock(mutex_);
        changed_.wait(lock, [&] { return stop_ || next_ >= count_ || may_begin(); });
        if (stop_ || next_ >= count_) return;
        index = next_++;
        ++in_the_making_;
      }
      try {
        Rendered rendered = render_(index);
        const std::lock_guard<std::mutex> guard(mutex_);
        --in_the_making_;
        waiting_bytes_ += rendered.bytes();
        largest_bytes_ = std::max(largest_bytes_, rendered.bytes());
        ready_.emplace(index, std::move(rendered));
      } catch (...) {
        const std::lock_guard<std::mutex> guard(mutex_);
        if (!error_) error_ = std::current_exception();
        stop_ = true;
      }
      changed_.notify_all();
    }
  }

  int64_t count_;
  int64_t window_;
  std::function<Rendered(int64_t)> render_;
  std::vector<std::thread> workers_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<int64_t, Rendered> ready_;
  int64_t next_ = 0;
  int64_t taken_ = 0;
  int64_t in_the_making_ = 0;
  size_t waiting_bytes_ = 0;  // of ready_
  size_t largest_bytes_ = 0;
  bool stop_ = false;
  std::exception_ptr error_;
};

void add_reached(const std::map<std::string, double>& values, std::map<std::string, ReachedSummary>& summaries) {
  for (const auto& [name, value] : values) {
    auto [found, is_new] = summaries.try_emplace(name, ReachedSummary{0, 0.0, value, value});
    ReachedSummary& summary = found->second;
    summary.minimum = std::min(summary.minimum, value);
    summary.maximum = std::max(summary.maximum, value);
    summary.mean += (value - summary.mean) / static_cast<double>(++summary.n);
  }
}

}  // namespace

std::vector<SweepResult> sweep(const std::vector<std::shared_ptr<Tagger>>& taggers, const SweepTask& task) {
  std::vector<SweepResult> results(taggers.size());
  if (taggers.empty()) return results;
  std::map<int, std::vector<size_t>> taggers_by_rate;
  for (size_t m = 0; m < taggers.size(); ++m) taggers_by_rate[taggers[m]->facts().sample_rate_hz].push_back(m);

  const auto render = [&](int64_t index) {
    Rendered rendered;
    const int64_t track = task.tracks[static_cast<size_t>(index)];
    try {
      for (const auto& entry : taggers_by_rate) {
        rendered.by_rate[entry.first] =
            task.rendered.render(task.audio, track, entry.first, task.condition, task.perturbation_seed);
      }
    } catch (const DataError& error) {
      if (task.strict) throw;
      rendered.failure = error.what();
    } catch (const Error&) {
      throw;
    } catch (const std::runtime_error& error) {
      // A library that failed on this track, a codec for instance, says nothing about the others.
      if (task.strict) throw DataError(error.what());
      rendered.failure = error.what();
    }
    return rendered;
  };

  // Scorers are made one per tagger group; a tagger that fails is left out of its group from then on.
  std::map<int, std::vector<size_t>> active = taggers_by_rate;
  const auto make_scorer = [&](const std::vector<size_t>& members) {
    std::vector<std::shared_ptr<Tagger>> group;
    for (const size_t m : members) group.push_back(taggers[m]);
    return Scorer(group, task.protocol, task.scorer);
  };

  Progress progress(task.label, static_cast<int64_t>(task.tracks.size()), "tracks");
  RenderAhead ahead(static_cast<int64_t>(task.tracks.size()), std::max(1, task.threads), render);
  for (size_t i = 0; i < task.tracks.size(); ++i) {
    throw_if_interrupted();
    const Rendered rendered = ahead.take();
    progress.advance();
    const std::string& id = task.audio.dataset().tracks[static_cast<size_t>(task.tracks[i])].id;
    if (!rendered.failure.empty()) {
      spdlog::warn("left out: {}", rendered.failure);
      for (SweepResult& result : results) result.failures.push_back({id, rendered.failure});
      continue;
    }
    for (auto& [rate, members] : active) {
      const Perturbed& audio = rendered.by_rate.at(rate);
      const SampleSpan span{audio.waveform.samples.data(), audio.waveform.size()};
      const auto keep = [&](size_t m, const TrackScores& scores) {
        SweepResult& result = results[m];
        result.tracks.push_back(task.tracks[i]);
        result.scores.insert(result.scores.end(), scores.mean.begin(), scores.mean.end());
        result.n_short_tracks += scores.is_short ? 1 : 0;
        add_reached(audio.reached, result.reached);
      };
      try {
        const std::vector<TrackScores> scores = make_scorer(members).score(span, task.protocol.evaluation_chunks);
        for (size_t g = 0; g < members.size(); ++g) keep(members[g], scores[g]);
        continue;
      } catch (const Error&) {
      } catch (const c10::Error&) {
      }
      // One of the group failed: each alone, to learn which.
      std::vector<size_t> remaining;
      for (const size_t m : members) {
        try {
          keep(m, make_scorer({m}).score(span, task.protocol.evaluation_chunks).front());
          remaining.push_back(m);
        } catch (const Error& error) {
          results[m].error = "track " + id + ": " + error.what();
        } catch (const c10::Error& error) {
          results[m].error = "track " + id + ": " + error.what_without_backtrace();
        }
      }
      members = remaining;
    }
  }
  return results;
}

}  // namespace tagbench
