#include "harness/audio/pcm_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <optional>
#include <thread>

#include "harness/core/errors.h"
#include "harness/core/parallel.h"
#include "tests/audio/fixtures.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using ::testing::HasSubstr;
using testing::message_of;
using testing::music_like;
using testing::read_bytes;
using testing::TemporaryDirectory;
using testing::wav_bytes;
using testing::write_bytes;

std::vector<std::filesystem::path> entries_in(const std::filesystem::path& folder, const std::string& suffix) {
  std::vector<std::filesystem::path> found;
  if (!std::filesystem::exists(folder)) return found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == suffix) found.push_back(entry.path());
  }
  return found;
}

std::vector<float> samples_of(const PcmClip& clip) {
  return {clip.data(), clip.data() + clip.size()};
}

class PcmCacheTest : public ::testing::Test {
 protected:
  // A WAV of 16 kHz whose samples all are `value`, last changed an hour ago.
  std::filesystem::path make(const std::string& name, int16_t value, size_t samples = 4000) {
    const auto path = folder_ / name;
    write_bytes(path, wav_bytes(16000, 1, std::vector<int16_t>(samples, value)));
    std::filesystem::last_write_time(path, std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
    return path;
  }
  std::filesystem::path cache_folder() const { return folder_ / "cache"; }
  PcmCacheOptions options() const {
    PcmCacheOptions options;
    options.directory = cache_folder();
    return options;
  }
  size_t stored() const { return entries_in(cache_folder(), ".pcm").size(); }
  TemporaryDirectory folder_;
};

TEST_F(PcmCacheTest, ServesWhatDecodingAndResamplingGive) {
  const auto path = folder_ / "a.flac";
  testing::write_audio(path, SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 44100, 1, music_like(44100, 30000).samples);
  const Waveform expected = resample(decode_audio(path), 16000);
  for (int run = 0; run < 2; ++run) {
    PcmCache cache(options());
    EXPECT_EQ(cache.contains(path, 16000), run == 1);
    for (int again = 0; again < 2; ++again) {
      const PcmClip clip = cache.get(path, 16000);
      EXPECT_EQ(clip.sample_rate_hz(), 16000);
      EXPECT_EQ(samples_of(clip), expected.samples);
    }
  }
  EXPECT_EQ(stored(), 1U);
}

TEST_F(PcmCacheTest, StoresNothingWithoutAFolder) {
  PcmCache cache(PcmCacheOptions{});
  const auto path = make("a.wav", 100);
  EXPECT_EQ(samples_of(cache.get(path, 16000)), std::vector<float>(4000, 100.0F / 32768.0F));
  EXPECT_FALSE(cache.contains(path, 16000));
  EXPECT_EQ(stored(), 0U);
}

TEST_F(PcmCacheTest, KeepsSettingsApart) {
  const auto path = make("a.wav", 100);
  PcmCache(options()).get(path, 16000);
  PcmCache(options()).get(path, 8000);
  PcmCacheOptions fastest = options();
  fastest.quality = ResampleQuality::kFastest;
  EXPECT_FALSE(PcmCache(fastest).contains(path, 8000));
  PcmCache(fastest).get(path, 8000);
  PcmCacheOptions exact = options();
  exact.decode.round_to_16_bits = false;
  PcmCache(exact).get(path, 16000);
  EXPECT_EQ(stored(), 4U);
}

TEST_F(PcmCacheTest, DecodesAnEditedFileAnew) {
  PcmCache cache(options());
  const auto path = make("a.wav", 100);
  EXPECT_EQ(cache.get(path, 16000).data()[0], 100.0F / 32768.0F);
  // Same name and size; written moments apart, then with an old time of its own.
  write_bytes(path, wav_bytes(16000, 1, std::vector<int16_t>(4000, 200)));
  EXPECT_FALSE(cache.contains(path, 16000));
  EXPECT_EQ(cache.get(path, 16000).data()[0], 200.0F / 32768.0F);
  write_bytes(path, wav_bytes(16000, 1, std::vector<int16_t>(4000, 300)));
  EXPECT_EQ(cache.get(path, 16000).data()[0], 300.0F / 32768.0F);
  std::filesystem::last_write_time(path, std::filesystem::file_time_type::clock::now() - std::chrono::hours(2));
  EXPECT_TRUE(cache.contains(path, 16000));
}

TEST_F(PcmCacheTest, KnowsAMovedFileByItsContent) {
  PcmCache cache(options());
  const auto path = make("a.wav", 100);
  cache.get(path, 16000);
  std::filesystem::rename(path, folder_ / "b.wav");
  EXPECT_TRUE(cache.contains(folder_ / "b.wav", 16000));
  EXPECT_FALSE(cache.contains(path, 16000));
  cache.get(folder_ / "b.wav", 16000);
  EXPECT_EQ(stored(), 1U);
  EXPECT_THROW(cache.get(path, 16000), DataError);
}

TEST_F(PcmCacheTest, HashesAFileOnlyOnce) {
  PcmCache cache(options());
  const auto path = make("a.wav", 100);
  cache.get(path, 16000);
  ASSERT_EQ(entries_in(cache_folder(), ".idx").size(), 1U);
  // Other content under the same size, time and inode is what the index cannot see: proof that the file was not read.
  const auto time = std::filesystem::last_write_time(path);
  std::fstream(path, std::ios::binary | std::ios::in | std::ios::out).seekp(100).write("xx", 2);
  std::filesystem::last_write_time(path, time);
  EXPECT_TRUE(cache.contains(path, 16000));
}

TEST_F(PcmCacheTest, IgnoresADamagedIndex) {
  const auto path = make("a.wav", 100);
  PcmCache(options()).get(path, 16000);
  const auto index = entries_in(cache_folder(), ".idx").at(0);
  const std::string good = read_bytes(index);
  for (const std::string& bad : {std::string(), good.substr(0, 10), good + "x", std::string(good.size(), '\0')}) {
    write_bytes(index, bad);
    EXPECT_TRUE(PcmCache(options()).contains(path, 16000));
    EXPECT_EQ(read_bytes(index), good);
  }
}

TEST_F(PcmCacheTest, ReplacesADamagedEntry) {
  const auto path = make("a.wav", 100);
  PcmCache(options()).get(path, 16000);
  const auto entry = entries_in(cache_folder(), ".pcm").at(0);
  const std::string good = read_bytes(entry);
  ASSERT_EQ(good.size(), 64U + 4000U * 4U);
  std::vector<std::string> damaged = {std::string(),        good.substr(0, 20), good.substr(0, 64),
                                      good.substr(0, 9000), good + "abcd",      std::string(good.size(), '\0')};
  for (const size_t at :
       {size_t{0}, size_t{7}, size_t{8}, size_t{16}, size_t{30}, size_t{64}, size_t{9000}, good.size() - 1}) {
    damaged.push_back(good);
    damaged.back()[at] = static_cast<char>(damaged.back()[at] ^ 1);
  }
  for (const std::string& bad : damaged) {
    write_bytes(entry, bad);
    PcmCache cache(options());
    EXPECT_FALSE(cache.contains(path, 16000));
    EXPECT_EQ(samples_of(cache.get(path, 16000)), std::vector<float>(4000, 100.0F / 32768.0F));
    EXPECT_EQ(read_bytes(entry), good);
  }
}

TEST_F(PcmCacheTest, RemovesWhatWasUsedLongestAgoBeyondItsSize) {
  // Each entry takes 64 + 40,000 bytes: ten blocks of 4 KiB, and an index entry of one.
  PcmCacheOptions small = options();
  small.max_bytes = 5 * 11 * 4096;
  PcmCache cache(small);
  std::vector<std::filesystem::path> files;
  for (int16_t i = 0; i < 5; ++i) files.push_back(make("a" + std::to_string(i) + ".wav", i, 10000));
  for (const auto& file : files) {
    cache.get(file, 16000);
    std::this_thread::sleep_for(std::chrono::milliseconds(15));
  }
  EXPECT_EQ(stored(), 5U);
  cache.get(files[0], 16000);
  std::this_thread::sleep_for(std::chrono::milliseconds(15));
  cache.get(make("new.wav", 77, 10000), 16000);
  EXPECT_TRUE(cache.contains(folder_ / "new.wav", 16000));
  EXPECT_TRUE(cache.contains(files[0], 16000));
  EXPECT_FALSE(cache.contains(files[1], 16000));
  for (int16_t i = 0; i < 40; ++i) {
    cache.get(make("b" + std::to_string(i) + ".wav", static_cast<int16_t>(100 + i), 10000), 16000);
    ASSERT_LE(stored(), 5U);
  }
}

TEST_F(PcmCacheTest, NeverRemovesAFileThatIsNotItsOwn) {
  const std::vector<std::filesystem::path> others = {
      cache_folder() / "pack.idx", cache_folder() / "repository/objects/p.idx", cache_folder() / "recording.pcm",
      cache_folder() / "pcm/notes.pcm", cache_folder() / "index/0123.tmp"};
  for (const auto& path : others) {
    std::filesystem::create_directories(path.parent_path());
    write_bytes(path, std::string(200000, 'x'));
  }
  PcmCacheOptions small = options();
  small.max_bytes = 20000;
  PcmCache cache(small);
  for (int16_t i = 0; i < 6; ++i) cache.get(make("a" + std::to_string(i) + ".wav", i), 16000);
  for (const auto& path : others) EXPECT_TRUE(std::filesystem::exists(path)) << path;
}

TEST_F(PcmCacheTest, ServesClipsLargerThanItself) {
  PcmCacheOptions tiny = options();
  tiny.max_bytes = 1000;
  PcmCache cache(tiny);
  const PcmClip clip = cache.get(make("a.wav", 100), 16000);
  EXPECT_EQ(samples_of(clip), std::vector<float>(4000, 100.0F / 32768.0F));
  EXPECT_EQ(stored(), 0U);
}

TEST_F(PcmCacheTest, AnOpenClipOutlivesItsEntryAndItsCache) {
  std::optional<PcmClip> clip;
  {
    PcmCache cache(options());
    clip = cache.get(make("a.wav", 100), 16000);
  }
  std::filesystem::remove_all(cache_folder());
  EXPECT_EQ(samples_of(*clip), std::vector<float>(4000, 100.0F / 32768.0F));
}

TEST_F(PcmCacheTest, HoldsNoMappingBeyondItsClips) {
  const auto mappings = [&] {
    std::ifstream maps("/proc/self/maps");
    int count = 0;
    for (std::string line; std::getline(maps, line);)
      count += line.find(cache_folder().string()) != std::string::npos ? 1 : 0;
    return count;
  };
  PcmCache cache(options());
  for (int16_t i = 0; i < 10; ++i) {
    const PcmClip clip = cache.get(make("a" + std::to_string(i) + ".wav", i), 16000);
    const PcmClip copy = clip;
    EXPECT_EQ(mappings(), 1);
  }
  EXPECT_EQ(mappings(), 0);
}

TEST_F(PcmCacheTest, ServesFromMemoryWhereItCannotWrite) {
  write_bytes(folder_ / "cache", "a file where the folder should be");
  PcmCache cache(options());
  for (int16_t i = 0; i < 3; ++i) {
    EXPECT_EQ(cache.get(make("a" + std::to_string(i) + ".wav", i), 16000).data()[0], static_cast<float>(i) / 32768.0F);
  }
}

TEST_F(PcmCacheTest, ServesFromMemoryWhenTheDiskIsFull) {
  PcmCache cache(options());
  const auto path = make("a.wav", 100);
  // A limit on file sizes fails a write half-way, as a full disk does.
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit limit = before;
  limit.rlim_cur = 5000;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  std::vector<float> samples;
  try {
    samples = samples_of(cache.get(path, 16000));
  } catch (...) {
    ::setrlimit(RLIMIT_FSIZE, &before);
    throw;
  }
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_EQ(samples, std::vector<float>(4000, 100.0F / 32768.0F));
  EXPECT_EQ(stored(), 0U);
  EXPECT_EQ(entries_in(cache_folder(), ".tmp").size(), 0U);
  EXPECT_EQ(samples_of(cache.get(path, 16000)), samples);
  EXPECT_EQ(stored(), 1U);
}

TEST_F(PcmCacheTest, TwoProcessesFillItAtOnce) {
  // So small that both also remove entries all the time.
  PcmCacheOptions small = options();
  small.max_bytes = 300'000;
  std::vector<std::filesystem::path> files;
  for (int16_t i = 0; i < 24; ++i) files.push_back(make("a" + std::to_string(i) + ".wav", i, 10000));
  std::vector<pid_t> children;
  for (int child = 0; child < 3; ++child) {
    const pid_t pid = ::fork();
    ASSERT_GE(pid, 0);
    if (pid == 0) {
      int wrong = 0;
      try {
        PcmCache cache(small);
        for (int round = 0; round < 3; ++round) {
          for (size_t i = 0; i < files.size(); ++i) {
            const size_t which = child == 1 ? files.size() - 1 - i : i;
            const PcmClip clip = cache.get(files[which], 16000);
            if (samples_of(clip) != std::vector<float>(10000, static_cast<float>(which) / 32768.0F)) ++wrong;
          }
        }
      } catch (...) {
        wrong = 100;
      }
      ::_exit(wrong);
    }
    children.push_back(pid);
  }
  for (const pid_t pid : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }
  EXPECT_EQ(entries_in(cache_folder(), ".tmp").size(), 0U);
  PcmCache cache(small);
  cache.get(make("last.wav", 99, 10000), 16000);
  EXPECT_LE(stored(), 8U);
}

TEST_F(PcmCacheTest, ManyThreadsShareIt) {
  PcmCache cache(options());
  for (int16_t i = 0; i < 6; ++i) make("a" + std::to_string(i) + ".wav", i);
  parallel_for(60, 4, [&](int64_t i) {
    const PcmClip clip = cache.get(folder_ / ("a" + std::to_string(i % 6) + ".wav"), 16000);
    if (samples_of(clip) != std::vector<float>(4000, static_cast<float>(i % 6) / 32768.0F))
      throw DataError("wrong samples");
  });
  EXPECT_EQ(stored(), 6U);
}

TEST_F(PcmCacheTest, KeepsMadeAudioWithItsNote) {
  PcmCache cache(options());
  EXPECT_FALSE(cache.find_made("key", 16000).has_value());
  const Waveform waveform = music_like(16000, 1600);
  cache.keep_made("key", waveform, "snr_db 19.99\n");
  cache.keep_made("no note", waveform, "");
  PcmCache later(options());
  const auto made = later.find_made("key", 16000);
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(samples_of(made->clip), waveform.samples);
  EXPECT_EQ(made->note, "snr_db 19.99\n");
  EXPECT_EQ(later.find_made("no note", 16000)->note, "");
  EXPECT_FALSE(later.find_made("key", 8000).has_value());
  EXPECT_FALSE(later.find_made("other key", 16000).has_value());
}

TEST_F(PcmCacheTest, ADamagedNoteIsNotFound) {
  const Waveform waveform = music_like(16000, 1600);
  PcmCache(options()).keep_made("key", waveform, "snr_db 19.99\n");
  const auto entries = entries_in(cache_folder(), ".pcm");
  ASSERT_EQ(entries.size(), 1U);
  std::string bytes = read_bytes(entries.front());
  bytes[bytes.size() - 2] = '8';
  write_bytes(entries.front(), bytes);
  EXPECT_FALSE(PcmCache(options()).find_made("key", 16000).has_value());
}

TEST_F(PcmCacheTest, SourceKeyFollowsContentAndSettings) {
  PcmCache cache(options());
  const auto path = make("a.wav", 100);
  const auto same = make("b.wav", 100);
  const auto other = make("c.wav", 101);
  EXPECT_EQ(cache.source_key(path, 16000), cache.source_key(same, 16000));
  EXPECT_NE(cache.source_key(path, 16000), cache.source_key(other, 16000));
  EXPECT_NE(cache.source_key(path, 16000), cache.source_key(path, 8000));
  EXPECT_THAT(message_of([&] { cache.source_key(folder_ / "none.wav", 16000); }), HasSubstr("none.wav"));
}

TEST_F(PcmCacheTest, TwoCachesInOneDirectoryKeepToTheirOwnLimits) {
  PcmCacheOptions outer = options();
  outer.max_bytes = 60000;
  PcmCacheOptions inner = options();
  inner.directory = cache_folder() / "rendered";
  PcmCache(inner).keep_made("key", music_like(16000, 32000), "");
  PcmCache cache(outer);
  for (int16_t value = 1; value <= 8; ++value) cache.get(make(std::to_string(value) + ".wav", value), 16000);
  EXPECT_TRUE(PcmCache(inner).find_made("key", 16000).has_value());
}

TEST_F(PcmCacheTest, TakesOneSampleAndRefusesLess) {
  PcmCache cache(options());
  const auto path = make("one.wav", 100, 1);
  EXPECT_EQ(samples_of(cache.get(path, 16000)), std::vector<float>{100.0F / 32768.0F});
  EXPECT_EQ(cache.get(path, 48000).size(), 3);
  EXPECT_THAT(message_of([&] { cache.get(path, 4000); }),
              HasSubstr("one.wav: audio was expected, the file is shorter than one sample at 4000 Hz"));
}

TEST_F(PcmCacheTest, PassesOnTheDecodersErrors) {
  PcmCache cache(options());
  EXPECT_THAT(message_of([&] { cache.get(folder_ / "missing.wav", 16000); }), HasSubstr("there is none"));
  EXPECT_THAT(message_of([&] { cache.get(folder_.path(), 16000); }), HasSubstr("this is a folder"));
  EXPECT_FALSE(cache.contains(folder_ / "missing.wav", 16000));
}

}  // namespace
}  // namespace tagbench
