#pragma once

namespace tagbench {

// A change of the music itself: the score that a track was played from is changed and played anew.
struct ScoreChange {
  double semitones = 0.0;  // of the pitched parts, upwards if positive; percussion stays
  double rate = 1.0;       // 2 plays twice as fast and halves the duration
};

}  // namespace tagbench
