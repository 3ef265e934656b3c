#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

namespace tagbench {

// A progress bar on stderr with count, rate and time left. Draws nothing unless stderr is a terminal without NO_COLOR;
// then a line in the log every half minute tells how far long work has come. Safe to use from several threads.
class Progress {
 public:
  Progress(std::string label, int64_t total, std::string unit);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void advance(int64_t count = 1);
  // Text behind the bar: "loss 0.241".
  void set_note(std::string note);
  // Erases a bar that stands on the current line, so that other text can be written there.
  static void clear_line();

 private:
  void draw();
  std::string describe() const;
  std::string label_;
  std::string unit_;
  std::string note_;
  int64_t total_;
  int64_t done_ = 0;
  bool decorated_;
  std::mutex mutex_;
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point last_drawn_;
};

// "1 h 02 min", "3 min 20 s", "12 s"
std::string duration_text(double seconds);

}  // namespace tagbench
