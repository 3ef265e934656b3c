#pragma once

#include <sndfile.h>

#include <filesystem>
#include <string>
#include <vector>

#include "harness/core/waveform.h"

namespace tagbench::testing {

// A decaying chord with a click at the start of each quarter second: broadband, and unlike itself when shifted.
Waveform music_like(int sample_rate_hz, int64_t samples);

// Interleaved samples written by libsndfile. `format` as in sndfile.h. With variable_rate an MP3's bit rate varies.
void write_audio(const std::filesystem::path& path, int format, int sample_rate_hz, int channels,
                 const std::vector<float>& samples, bool variable_rate = false);

std::string read_bytes(const std::filesystem::path& path);
void write_bytes(const std::filesystem::path& path, const std::string& bytes);

// A 16-bit PCM WAV, byte by byte, so that no library stands between the numbers and the file.
std::string wav_bytes(int sample_rate_hz, int channels, const std::vector<int16_t>& samples);

// 10 log10 of the reference's energy over that of the difference, on [begin, end).
double snr_db(const std::vector<float>& reference, const std::vector<float>& signal, size_t begin, size_t end);

}  // namespace tagbench::testing
