#include "harness/core/progress.h"

#include <atomic>
#include <cmath>
#include <cstdio>

#include "harness/core/log.h"
#include "harness/core/text.h"

namespace tagbench {
namespace {

std::atomic<bool> bar_on_line{false};
constexpr double kSecondsBetweenBars = 0.1;
constexpr double kSecondsBetweenLogLines = 30.0;

}  // namespace

Progress::Progress(std::string label, int64_t total, std::string unit)
    : label_(std::move(label)),
      unit_(std::move(unit)),
      total_(total),
      decorated_(stderr_is_decorated()),
      start_(std::chrono::steady_clock::now()),
      last_drawn_(start_) {}

Progress::~Progress() {
  clear_line();
}

void Progress::advance(int64_t count) {
  const std::lock_guard<std::mutex> guard(mutex_);
  done_ += count;
  const double since = std::chrono::duration<double>(std::chrono::steady_clock::now() - last_drawn_).count();
  if (since < (decorated_ ? kSecondsBetweenBars : kSecondsBetweenLogLines)) return;
  last_drawn_ = std::chrono::steady_clock::now();
  draw();
}

void Progress::set_note(std::string note) {
  const std::lock_guard<std::mutex> guard(mutex_);
  note_ = std::move(note);
}

std::string Progress::describe() const {
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  const double rate = seconds > 0 ? static_cast<double>(done_) / seconds : 0.0;
  std::string text = label_ + " " + std::to_string(done_) + "/" + std::to_string(total_) + " " + unit_ + ", " +
                     format_fixed(rate, rate < 10 ? 2 : 0) + "/s";
  if (rate > 0 && total_ > done_) text += ", " + duration_text(static_cast<double>(total_ - done_) / rate) + " left";
  if (!note_.empty()) text += ", " + note_;
  return text;
}

void Progress::draw() {
  if (!decorated_) {
    spdlog::info("{}", describe());
    return;
  }
  constexpr int kBarWidth = 24;
  const int filled = total_ > 0 ? static_cast<int>(kBarWidth * done_ / total_) : 0;
  std::string bar(static_cast<size_t>(filled), '=');
  bar.resize(kBarWidth, ' ');
  std::fprintf(stderr, "\r\033[K[%s] %s", bar.c_str(), describe().c_str());
  std::fflush(stderr);
  bar_on_line = true;
}

void Progress::clear_line() {
  if (!bar_on_line.exchange(false)) return;
  std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
}

std::string duration_text(double seconds) {
  const int64_t whole = std::llround(seconds);
  const auto two_digits = [](int64_t value) { return (value < 10 ? "0" : "") + std::to_string(value); };
  if (whole >= 3600) return std::to_string(whole / 3600) + " h " + two_digits(whole / 60 % 60) + " min";
  if (whole >= 60) return std::to_string(whole / 60) + " min " + two_digits(whole % 60) + " s";
  return std::to_string(whole) + " s";
}

}  // namespace tagbench
