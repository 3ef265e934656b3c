#pragma once

#include "harness/audio/codec.h"
#include "perturbations/perturbation.h"

namespace tagbench {

// `input` encoded and decoded at a bit rate, as long as before and aligned with it. Where Vorbis lacks the bit rate at
// the track's sample rate, it works at the nearest of 8, 16 and 44.1 kHz that has it. Reached: kbps (of what was
// encoded, container included) and codec_rate_hz. Errors: as through_codec.
Perturbed through_codec_at(const Waveform& input, Codec codec, double kbps);

}  // namespace tagbench
