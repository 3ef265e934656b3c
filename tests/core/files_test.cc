#include "harness/core/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "harness/core/errors.h"
#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using ::testing::HasSubstr;
using testing::message_of;
using testing::TemporaryDirectory;

size_t files_in(const std::filesystem::path& folder) {
  size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) count += entry.is_regular_file() ? 1 : 0;
  return count;
}

TEST(FilesTest, WritesAndReadsBytes) {
  const TemporaryDirectory folder;
  const std::string bytes("a\0b\r\n\xFF", 6);
  write_file_atomically(folder / "deep/er/a", bytes);
  EXPECT_EQ(read_text_file(folder / "deep/er/a"), bytes);
  write_file_atomically(folder / "deep/er/a", "");
  EXPECT_EQ(read_text_file(folder / "deep/er/a"), "");
  EXPECT_EQ(files_in(folder / "deep/er"), 1U);
}

TEST(FilesTest, ReadsNoMoreThanItIsAllowed) {
  const TemporaryDirectory folder;
  write_file_atomically(folder / "a", "12345");
  EXPECT_EQ(read_text_file(folder / "a", 5), "12345");
  EXPECT_THAT(message_of([&] { read_text_file(folder / "a", 4); }), HasSubstr("at most 4 bytes are accepted, found 5"));
  // Such files tell no size beforehand.
  EXPECT_THAT(message_of([] { read_text_file("/dev/zero", 1000); }), HasSubstr("more than 1000 bytes"));
}

TEST(FilesTest, NamesWhatItCannotReadOrWrite) {
  const TemporaryDirectory folder;
  EXPECT_THAT(message_of([&] { read_text_file(folder / "missing"); }), HasSubstr("missing for reading: No such file"));
  EXPECT_THAT(message_of([&] { read_text_file(folder.path()); }), HasSubstr("is a folder, a file was expected"));
  write_file_atomically(folder / "file", "x");
  EXPECT_THAT(message_of([&] { write_file_atomically(folder / "file/below", "x"); }),
              HasSubstr("cannot create folder"));
  std::filesystem::create_directory(folder / "folder");
  EXPECT_THROW(write_file_atomically(folder / "folder", "x"), DataError);
  EXPECT_EQ(files_in(folder.path()), 1U) << "a failed write leaves nothing behind";
}

TEST(AtomicFileTest, ShowsNothingUntilItIsCommitted) {
  const TemporaryDirectory folder;
  {
    const AtomicFile dropped(folder / "a");
    std::ofstream(dropped.temporary_path()) << "half";
  }
  EXPECT_EQ(files_in(folder.path()), 0U);
  for (const auto sync : {AtomicFile::Sync::kYes, AtomicFile::Sync::kNo}) {
    AtomicFile file(folder / "a");
    std::ofstream(file.temporary_path()) << "whole";
    file.commit(sync);
    EXPECT_EQ(read_text_file(folder / "a"), "whole");
  }
  EXPECT_EQ(files_in(folder.path()), 1U);
}

TEST(AtomicFileTest, WritesBehindLinksAndIntoPipes) {
  const testing::TemporaryDirectory folder;
  std::filesystem::create_directory(folder / "elsewhere");
  write_file_atomically(folder / "elsewhere/target", "old");
  std::filesystem::create_symlink("elsewhere/target", folder / "link");
  write_file_atomically(folder / "link", "new");
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link"));
  EXPECT_EQ(read_text_file(folder / "elsewhere/target"), "new");
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  std::string read;
  std::thread reader([&] {
    std::ifstream pipe(folder / "pipe");
    std::getline(pipe, read);
  });
  write_file_atomically(folder / "pipe", "through");
  reader.join();
  EXPECT_EQ(read, "through");
  EXPECT_TRUE(std::filesystem::is_fifo(folder / "pipe"));
}

TEST(AtomicFileTest, TwoWritersOfOneFileDoNotMeet) {
  const TemporaryDirectory folder;
  const AtomicFile a(folder / "a");
  const AtomicFile b(folder / "a");
  EXPECT_NE(a.temporary_path(), b.temporary_path());
}

TEST(AtomicFileTest, AReaderSeesOneVersionOrTheOther) {
  const TemporaryDirectory folder;
  const std::string a(50000, 'a');
  const std::string b(70000, 'b');
  write_file_atomically(folder / "f", a);
  std::thread writer([&] {
    for (int i = 0; i < 20; ++i) write_file_atomically(folder / "f", i % 2 == 0 ? b : a);
  });
  for (int i = 0; i < 200; ++i) {
    const std::string seen = read_text_file(folder / "f");
    EXPECT_TRUE(seen == a || seen == b);
  }
  writer.join();
}

TEST(FileLockTest, IsHeldByOneAtATime) {
  const TemporaryDirectory folder;
  {
    const auto held = FileLock::try_acquire(folder / "sub/lock");
    ASSERT_TRUE(held.has_value());
    EXPECT_FALSE(FileLock::try_acquire(folder / "sub/lock").has_value());
    EXPECT_TRUE(FileLock::try_acquire(folder / "other").has_value());
  }
  EXPECT_TRUE(FileLock::try_acquire(folder / "sub/lock").has_value());
}

TEST(FileLockTest, MovesWithItsOwner) {
  const TemporaryDirectory folder;
  FileLock first = FileLock::acquire(folder / "lock");
  const FileLock second = std::move(first);
  EXPECT_FALSE(FileLock::try_acquire(folder / "lock").has_value());
}

TEST(FileLockTest, IsFreeOnceItsProcessIsKilled) {
  const TemporaryDirectory folder;
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const FileLock held = FileLock::acquire(folder / "lock");
    if (::write(ready[1], "x", 1) != 1) ::_exit(1);
    ::pause();
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_FALSE(FileLock::try_acquire(folder / "lock").has_value());
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(FileLock::try_acquire(folder / "lock").has_value());
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST(FilesTest, ChecksThatAFolderCanBeWritten) {
  const TemporaryDirectory folder;
  require_writable_directory(folder / "new/one");
  EXPECT_TRUE(std::filesystem::is_directory(folder / "new/one"));
  EXPECT_EQ(files_in(folder / "new/one"), 0U);
  write_file_atomically(folder / "file", "x");
  EXPECT_THROW(require_writable_directory(folder / "file"), UsageError);
  EXPECT_THROW(require_writable_directory(folder / "file/below"), UsageError);
  EXPECT_THROW(require_writable_directory("/proc/nothing/can/be/made/here"), UsageError);
}

}  // namespace
}  // namespace tagbench
