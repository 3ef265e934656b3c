#include "splits/pickle_list.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "harness/core/errors.h"
#include "harness/core/files.h"
#include "splits/reader_support.h"

namespace tagbench {
namespace {

constexpr uint64_t kMaxPickleBytes = uint64_t{64} << 20U;
constexpr size_t kMaxStringBytes = 4096;

class PickledListReader {
 public:
  explicit PickledListReader(const std::filesystem::path& path)
      : path_(path), bytes_(read_text_file(path, kMaxPickleBytes)), rest_(bytes_) {}

  std::vector<std::string> read(std::vector<int64_t>* lines) {
    if (rest_.substr(0, 2) != "(l") fail("a Python 2 pickle of a list of strings (protocol 0) was expected");
    rest_.remove_prefix(2);
    skip_memo();
    std::vector<std::string> strings;
    while (peek() != '.') {
      if (lines != nullptr) lines->push_back(line_);
      strings.push_back(string_item());
      skip_memo();
      if (peek() != 'a') fail("'a' was expected after a string");
      rest_.remove_prefix(1);
    }
    rest_.remove_prefix(1);
    if (rest_.find_first_not_of("\r\n") != std::string_view::npos) fail("the list has ended, but the file goes on");
    return strings;
  }

 private:
  [[noreturn]] void fail(const std::string& message) const { throw DataError(at_line(path_, line_) + ": " + message); }

  char peek() const {
    if (rest_.empty()) fail("the file ends in the middle of the list; fetch it again");
    return rest_.front();
  }

  std::string_view take_line() {
    const size_t end = rest_.find('\n');
    if (end == std::string_view::npos) fail("the file ends in the middle of the list; fetch it again");
    std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    ++line_;
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    return line;
  }

  // "p12": where Python remembers the value, of no use here.
  void skip_memo() {
    if (peek() != 'p') return;
    const std::string_view line = take_line().substr(1);
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (line.empty() || !std::all_of(line.begin(), line.end(), is_digit)) fail("'p' and a number were expected");
  }

  std::string string_item() {
    if (peek() != 'S') fail("a string ('S') was expected; only lists of strings are read");
    const std::string_view line = take_line().substr(1);
    const bool quoted =
        line.size() >= 2 && (line.front() == '\'' || line.front() == '"') && line.back() == line.front();
    if (!quoted) fail("a quoted string was expected");
    if (line.size() > kMaxStringBytes)
      fail("a string of at most " + std::to_string(kMaxStringBytes) + " bytes was expected");
    return unescaped(line.substr(1, line.size() - 2));
  }

  std::string unescaped(std::string_view text) const {
    std::string bytes;
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] != '\\') {
        bytes += text[i];
        continue;
      }
      if (++i == text.size()) fail("a string ends within an escape");
      switch (text[i]) {
        case '\\':
        case '\'':
        case '"':
          bytes += text[i];
          break;
        case 'n':
          bytes += '\n';
          break;
        case 'r':
          bytes += '\r';
          break;
        case 't':
          bytes += '\t';
          break;
        case 'x': {
          const auto high = digit(text, i + 1);
          const auto low = digit(text, i + 2);
          if (!high || !low) fail("two hexadecimal digits were expected after \\x");
          bytes += static_cast<char>(*high * 16 + *low);
          i += 2;
          break;
        }
        default:
          fail(std::string("unknown escape '\\") + text[i] + "'");
      }
    }
    return bytes;
  }

  static std::optional<int> digit(std::string_view text, size_t i) {
    if (i >= text.size()) return std::nullopt;
    const char c = text[i];
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return std::nullopt;
  }

  const std::filesystem::path& path_;
  std::string bytes_;
  std::string_view rest_;
  int64_t line_ = 1;
};

}  // namespace

std::vector<std::string> read_pickled_strings(const std::filesystem::path& path, std::vector<int64_t>* lines) {
  return PickledListReader(path).read(lines);
}

}  // namespace tagbench
