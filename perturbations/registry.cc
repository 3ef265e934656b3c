#include "perturbations/registry.h"

namespace tagbench {

// One line per perturbation: it declares `NAME_entry()` and registers it. (Objects that register themselves would be
// dropped by the linker, which takes from a static library only what something else names.)
#define TAGBENCH_FOR_EACH_PERTURBATION(ENTRY) \
  ENTRY(pitch_shift)                          \
  ENTRY(time_stretch)                         \
  ENTRY(vinyl_speed)                          \
  ENTRY(vibrato)                              \
  ENTRY(drc)                                  \
  ENTRY(gain)                                 \
  ENTRY(clipping)                             \
  ENTRY(tilt)                                 \
  ENTRY(low_pass)                             \
  ENTRY(high_pass)                            \
  ENTRY(telephone)                            \
  ENTRY(resample)                             \
  ENTRY(mp3)                                  \
  ENTRY(vorbis)                               \
  ENTRY(opus)                                 \
  ENTRY(white_noise)                          \
  ENTRY(pink_noise)                           \
  ENTRY(brown_noise)                          \
  ENTRY(noise_recording)                      \
  ENTRY(reverb)                               \
  ENTRY(impulse_response)                     \
  ENTRY(packet_loss)                          \
  ENTRY(phase_flip)                           \
  ENTRY(polarity)                             \
  ENTRY(time_offset)                          \
  ENTRY(oracle_pitch_shift)                   \
  ENTRY(oracle_time_stretch)

#define TAGBENCH_DECLARE(name) PerturbationEntry name##_entry();
TAGBENCH_FOR_EACH_PERTURBATION(TAGBENCH_DECLARE)
#undef TAGBENCH_DECLARE

const std::vector<PerturbationEntry>& perturbations() {
#define TAGBENCH_REGISTER(name) name##_entry(),
  static const std::vector<PerturbationEntry> entries = {TAGBENCH_FOR_EACH_PERTURBATION(TAGBENCH_REGISTER)};
#undef TAGBENCH_REGISTER
  return entries;
}

const PerturbationEntry& find_perturbation(std::string_view name) {
  return find_registered(perturbations(), name, "perturbation",
                         [](const PerturbationEntry& entry) { return entry.facts.name; });
}

}  // namespace tagbench
