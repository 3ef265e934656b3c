#include "splits/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "harness/audio/audio_file.h"
#include "harness/core/errors.h"
#include "harness/core/files.h"
#include "harness/core/text.h"
#include "tests/splits/small_corpus.h"

namespace tagbench {
namespace {

using ::testing::HasSubstr;
using testing::write_stub;
using testing::write_text;

// Four files as `folder` reads them: one good, one that is no audio, one empty, one missing.
class VerifyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    write_wav(folder_ / "good.wav", testing::made_music(1, 1.0, 16000));
    write_text(folder_ / "noise.wav", "this is no audio");
    write_text(folder_ / "empty.wav", "");
    write_text(folder_ / "labels.csv",
               "path,x,split\ngood.wav,1,train\nnoise.wav,0,train\nempty.wav,0,test\nmissing.wav,1,test\n");
  }
  Dataset dataset() { return testing::load("folder", folder_, {{"missing", "keep"}}); }
  testing::TemporaryDirectory folder_;
};

TEST_F(VerifyTest, TellsGoodBrokenAndMissingFilesApart) {
  const Dataset loaded = dataset();
  const VerifyReport report = verify_dataset(loaded, {});
  EXPECT_FALSE(report.good());
  EXPECT_EQ(report.count(FileState::kGood), 1);
  EXPECT_EQ(report.count(FileState::kBroken), 1);
  EXPECT_EQ(report.count(FileState::kMissing), 2);
  ASSERT_EQ(report.verdicts.size(), 3U);
  EXPECT_THAT(report.verdicts[0].message, HasSubstr("noise.wav"));
  EXPECT_THAT(report.verdicts[1].message, HasSubstr("empty.wav is empty"));
  EXPECT_THAT(report.verdicts[2].message, HasSubstr("missing.wav is not there"));
  EXPECT_NEAR(report.hours, 1.0 / 3600.0, 1e-9);
  EXPECT_EQ(report.sample_rates_hz.at(16000), 1);
  EXPECT_EQ(report.channels.at(1), 1);
}

TEST_F(VerifyTest, ReportsAsJsonAndText) {
  const Dataset loaded = dataset();
  const VerifyReport report = verify_dataset(loaded, {});
  const Json json = verify_json(report, loaded);
  EXPECT_EQ(json["good"], false);
  EXPECT_EQ(json["files"]["missing"], 2);
  EXPECT_EQ(json["not_good"][0]["id"], "noise.wav");
  EXPECT_EQ(json["not_good"][0]["state"], "broken");
  EXPECT_TRUE(json["splits"][0]["as_published"].is_null());
  const std::string text = verify_text(report, loaded);
  EXPECT_THAT(text, HasSubstr("folder: 4 files, 1 good, 0 suspicious, 0 known to be broken, 1 broken, 2 missing\n"));
  EXPECT_THAT(text, HasSubstr("missing\tmissing.wav\tmissing.wav is not there\n"));
}

TEST_F(VerifyTest, NamesFilesThatBelongToNoTrack) {
  EXPECT_TRUE(verify_dataset(dataset(), {}).files_of_no_track.empty());
  write_stub(folder_ / "extra.WAV");
  write_stub(folder_ / "another.wav");
  for (const char* other : {".hidden.wav", "notes.txt", "elsewhere/far.wav"}) write_stub(folder_ / other);
  const Dataset loaded = dataset();
  const VerifyReport report = verify_dataset(loaded, {});
  EXPECT_THAT(report.files_of_no_track, ::testing::ElementsAre("another.wav", "extra.WAV"));
  EXPECT_EQ(verify_json(report, loaded)["files_of_no_track"], Json::array({"another.wav", "extra.WAV"}));
  EXPECT_THAT(verify_text(report, loaded), HasSubstr("2 files beside those of the tracks belong to none"));
}

TEST_F(VerifyTest, RemembersFinishedFilesAndChecksChangedOnesAgain) {
  VerifyOptions options;
  options.state = folder_ / "state/verify.jsonl";
  const Dataset loaded = dataset();
  verify_dataset(loaded, options);
  // What is remembered is believed: a finished call that finds nothing changed decodes nothing.
  std::string state = read_text_file(options.state);
  const size_t at = state.find("\"duration_s\":1.0");
  ASSERT_NE(at, std::string::npos);
  state.replace(at, 16, "\"duration_s\":7.0");
  // A line cut short, as a killed process leaves it.
  write_text(options.state, state + "{\"id\":\"good.w");
  EXPECT_NEAR(verify_dataset(loaded, options).hours, 7.0 / 3600.0, 1e-9);
  write_wav(folder_ / "good.wav", testing::made_music(1, 2.0, 16000));
  EXPECT_NEAR(verify_dataset(loaded, options).hours, 2.0 / 3600.0, 1e-9);
  EXPECT_NEAR(verify_dataset(loaded, options).hours, 2.0 / 3600.0, 1e-9);
}

TEST_F(VerifyTest, AnotherCopysStateIsRefusedAndKept) {
  VerifyOptions options;
  options.state = folder_ / "verify.jsonl";
  verify_dataset(dataset(), options);
  const std::string state = read_text_file(options.state);
  const testing::TemporaryDirectory other;
  std::filesystem::copy_file(folder_ / "good.wav", other / "good.wav");
  write_text(other / "labels.csv", "path,x,split\ngood.wav,1,train\n");
  const Dataset copy = testing::load("folder", other);
  EXPECT_THAT(testing::message_of([&] { verify_dataset(copy, options); }),
              ::testing::AllOf(HasSubstr("work on folder below " + std::filesystem::canonical(other.path()).string() +
                                         " was expected, found that on folder below " +
                                         std::filesystem::canonical(folder_.path()).string()),
                               HasSubstr("name another file")));
  EXPECT_EQ(read_text_file(options.state), state);
  // A variant of the same corpus shares the work, by whatever path the root is named.
  Dataset variant = dataset();
  variant.name = "folder:label=variant";
  variant.root = folder_.path() / "." / "../" / folder_.path().filename();
  EXPECT_EQ(verify_dataset(variant, options).count(FileState::kGood), 1);
  EXPECT_EQ(trim(read_text_file(options.state)), trim(state));
}

TEST_F(VerifyTest, NoOtherFileIsTakenForAState) {
  const Dataset loaded = dataset();
  VerifyOptions options;
  const auto complaint = [&](const std::filesystem::path& path) {
    options.state = path;
    EXPECT_THROW(verify_dataset(loaded, options), UsageError);
    return testing::message_of([&] { verify_dataset(loaded, options); });
  };
  const std::string labels = read_text_file(folder_ / "labels.csv");
  EXPECT_THAT(
      complaint(folder_ / "labels.csv"),
      HasSubstr("'tagbench verify state 2' was expected, found a file that begins 'path,x,split'; name another"));
  EXPECT_EQ(read_text_file(folder_ / "labels.csv"), labels);
  EXPECT_THAT(complaint(folder_ / "good.wav"), HasSubstr("found a file that begins 'RIFF"));
  EXPECT_THAT(complaint(folder_.path()), HasSubstr("is a folder, a file was expected"));
  EXPECT_THAT(complaint(folder_ / "good.wav/state"), HasSubstr("cannot be made: "));
  options.state = folder_ / "whole";
  verify_dataset(loaded, options);
  // Stopped before the first line was whole.
  write_text(folder_ / "begun", read_text_file(folder_ / "whole").substr(0, 20));
  options.state = folder_ / "begun";
  EXPECT_EQ(verify_dataset(loaded, options).count(FileState::kGood), 1);
}

TEST_F(VerifyTest, ReportsNamesThatAreNotUtf8) {
  write_text(folder_ / "labels.csv", "path,x,split\ngood.wav,1,train\nmissing.wav,0,test\n");
  Dataset loaded = dataset();
  loaded.tracks[1].audio = "caf\xE9.wav";
  loaded.name = "folder:label=caf\xE9";
  EXPECT_THAT(verify_json(verify_dataset(loaded, {}), loaded).dump(), HasSubstr("caf%E9.wav is not there"));
}

TEST(VerifyOwnersTest, KnowsLengthsRatesAndDamageAsDistributed) {
  const testing::TemporaryDirectory folder;
  write_text(folder / "train_filtered.txt", "blues/blues.00029.wav\njazz/jazz.00054.wav\n");
  write_text(folder / "valid_filtered.txt", "rock/rock.00001.wav\n");
  write_text(folder / "test_filtered.txt", "pop/pop.00003.wav\n");
  write_wav(folder / "blues/blues.00029.wav", testing::made_music(1, 30.2, 22050));
  write_text(folder / "jazz/jazz.00054.wav", "RIFF");
  write_wav(folder / "rock/rock.00001.wav", testing::made_music(2, 3.0, 22050));
  write_wav(folder / "pop/pop.00003.wav", testing::made_music(3, 30.0, 16000));
  const Dataset dataset = testing::load("gtzan", folder);
  const VerifyReport report = verify_dataset(dataset, {});
  EXPECT_EQ(report.count(FileState::kGood), 1);
  EXPECT_EQ(report.count(FileState::kMissing), 0);
  EXPECT_EQ(report.count(FileState::kKnownBroken), 1);
  EXPECT_EQ(report.count(FileState::kSuspicious), 2);
  const std::string text = verify_text(report, dataset);
  EXPECT_THAT(text, HasSubstr("known_broken\tjazz/jazz.00054"));
  EXPECT_THAT(text, HasSubstr("suspicious\trock/rock.00001\t30.00 s were expected, found 3.00 s"));
  EXPECT_THAT(text, HasSubstr("suspicious\tpop/pop.00003\t22050 Hz were expected, found 16000 Hz"));
  EXPECT_THAT(text, HasSubstr("split default is not as published"));
  EXPECT_FALSE(report.good());
  // What is known is said of the .wav alone, and of one that is there.
  std::filesystem::remove(folder / "jazz/jazz.00054.wav");
  EXPECT_EQ(verify_dataset(testing::load("gtzan", folder), {}).count(FileState::kMissing), 1);
  write_text(folder / "jazz/jazz.00054.au", ".snd");
  EXPECT_EQ(verify_dataset(testing::load("gtzan", folder), {}).count(FileState::kBroken), 1);
}

TEST(VerifyOwnersTest, TellsClipsThatAreCutShort) {
  const testing::TemporaryDirectory folder;
  for (int recording = 0; recording < 4; ++recording) {
    const double seconds = recording == 0 ? 2.05 : recording == 1 ? 2.75 : 3.0;
    write_wav(folder / ("IRMAS-TrainingData/cel/[cel]000" + std::to_string(recording) + "__1.wav"),
              testing::made_music(static_cast<uint64_t>(recording), seconds, 44100));
  }
  const Dataset irmas = testing::load("irmas", folder);
  const VerifyReport report = verify_dataset(irmas, {});
  EXPECT_EQ(report.count(FileState::kGood), 3);
  EXPECT_THAT(verify_text(report, irmas), HasSubstr("__1\t3.00 s were expected, found 2.05 s"));
  // Slices are cut to the millisecond.
  write_text(folder / "metadata/UrbanSound8K.csv",
             "slice_file_name,fsID,start,end,salience,fold,classID,class\n"
             "1-3-0-0.wav,1,0,4,1,1,3,dog_bark\n2-3-0-0.wav,2,0,0.06,1,2,3,dog_bark\n");
  write_wav(folder / "audio/fold1/1-3-0-0.wav", testing::made_music(1, 3.9, 44100));
  write_wav(folder / "audio/fold2/2-3-0-0.wav", testing::made_music(1, 0.07, 44100));
  EXPECT_EQ(verify_dataset(testing::load("urbansound8k", folder), {}).count(FileState::kSuspicious), 1);
}

TEST(VerifyOwnersTest, ComparesTheOwnersChecksums) {
  const testing::TemporaryDirectory folder;
  write_wav(folder / "Waltz/1.mp3", testing::made_music(1, 30.0, 16000));
  write_wav(folder / "Waltz/2.mp3", testing::made_music(2, 30.0, 16000));
  std::string xml = "<a><Waltz>";
  for (int i = 1; i <= 12; ++i) {
    const std::string file = "Waltz/" + std::to_string(i) + ".mp3";
    const std::string md5 = i == 1 ? file_digest_hex(folder / file, "md5") : "00000000000000000000000000000000";
    xml += "<song id=\"" + std::to_string(i) + "\" hash=\"" + md5 + "\"/>";
  }
  write_text(folder / "extendedballroom_v1.1.xml", xml + "</Waltz></a>");
  const Dataset dataset = testing::load("extended_ballroom", folder, {{"missing", "keep"}});
  const VerifyReport report = verify_dataset(dataset, {});
  EXPECT_EQ(report.count(FileState::kGood), 1);
  EXPECT_EQ(report.count(FileState::kBroken), 1);
  EXPECT_EQ(report.count(FileState::kMissing), 10);
  EXPECT_EQ(report.n_checksums, 2);
  EXPECT_THAT(verify_text(report, dataset), HasSubstr("broken\t2\tanother md5 than the owner's: fetch the file again"));
  VerifyOptions without;
  without.checksums = false;
  EXPECT_EQ(verify_dataset(dataset, without).count(FileState::kGood), 2);
}

TEST(VerifyOwnersTest, DigestsAreThoseOfTheCommonTools) {
  const testing::TemporaryDirectory folder;
  write_text(folder / "abc", "abc");
  EXPECT_EQ(file_digest_hex(folder / "abc", "md5"), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(file_digest_hex(folder / "abc", "sha1"), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(file_digest_hex(folder / "abc", "sha256"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(VerifyRealTest, TheRealEsc10IsWholeAndAsPublished) {
  TAGBENCH_REQUIRE_SHARED("data/esc10");
  const Dataset dataset =
      load_dataset("esc50", {{"root", testing::shared_path("data/esc10").string()}, {"subset", "esc10"}});
  const VerifyReport report = verify_dataset(dataset, {});
  EXPECT_TRUE(report.good()) << verify_text(report, dataset);
  // Three clips of the Ogg distribution are not 5 s long.
  EXPECT_EQ(report.count(FileState::kGood), 397) << verify_text(report, dataset);
  EXPECT_THAT(verify_text(report, dataset), HasSubstr("suspicious\t1-17808-B-12\t5.00 s were expected, found 7.24 s"));
  for (const SplitCheck& check : report.splits) EXPECT_TRUE(check.matches) << check.message;
}

}  // namespace
}  // namespace tagbench
