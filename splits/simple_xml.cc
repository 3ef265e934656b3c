#include "splits/simple_xml.h"

#include <optional>
#include <string_view>

#include "harness/core/errors.h"
#include "harness/core/files.h"
#include "harness/core/text.h"
#include "splits/reader_support.h"

namespace tagbench {
namespace {

constexpr uint64_t kMaxXmlBytes = uint64_t{64} << 20U;
constexpr size_t kMaxDepth = 64;

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '.' || c == ':' || static_cast<unsigned char>(c) >= 0x80;
}

void append_utf8(std::string& text, int64_t code) {
  const auto put = [&](int64_t byte) { text += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6);
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

class XmlReader {
 public:
  XmlReader(const std::filesystem::path& path, const std::function<void(const XmlElement&)>& consume)
      : path_(path), consume_(consume), text_(read_text_file(path, kMaxXmlBytes)) {
    if (!is_valid_utf8(text_)) throw DataError(path.string() + ": not UTF-8 text (convert it, for example with iconv)");
  }

  void read() {
    bool has_root = false;
    while (true) {
      const size_t open = text_.find('<', at_);
      if (open == std::string::npos) break;
      advance_to(open);
      if (skip_if("<!--", "-->") || skip_if("<?", "?>") || skip_if("<![CDATA[", "]]>")) continue;
      if (starts_with(rest(), "<!")) fail("a document type is not accepted");
      if (starts_with(rest(), "</")) {
        close_element();
      } else {
        if (names_.empty() && has_root) fail("a second root element");
        has_root = true;
        open_element();
      }
    }
    if (!has_root) fail("an XML document was expected");
    if (!names_.empty()) fail("the file ends inside <" + names_.back() + ">; fetch it again");
  }

 private:
  [[noreturn]] void fail(const std::string& message) const { throw DataError(at_line(path_, line_) + ": " + message); }
  std::string_view rest() const { return std::string_view(text_).substr(at_); }

  void advance_to(size_t position) {
    for (; at_ < position; ++at_) line_ += text_[at_] == '\n' ? 1 : 0;
  }

  bool skip_if(std::string_view begin, std::string_view end) {
    if (!starts_with(rest(), begin)) return false;
    const size_t found = text_.find(end, at_ + begin.size());
    if (found == std::string::npos) fail("'" + std::string(end) + "' is missing");
    advance_to(found + end.size());
    return true;
  }

  char peek() const {
    if (at_ >= text_.size()) fail("the file ends inside a tag; fetch it again");
    return text_[at_];
  }
  void skip_blanks() {
    while (is_blank(peek())) advance_to(at_ + 1);
  }
  std::string name() {
    const size_t begin = at_;
    while (is_name(peek())) advance_to(at_ + 1);
    if (at_ == begin) fail("a name was expected");
    return text_.substr(begin, at_ - begin);
  }
  void expect(char c) {
    if (peek() != c) fail(std::string("'") + c + "' was expected");
    advance_to(at_ + 1);
  }

  void close_element() {
    advance_to(at_ + 2);
    const std::string closed = name();
    skip_blanks();
    expect('>');
    if (names_.empty() || names_.back() != closed) fail("</" + closed + "> closes no open element");
    names_.pop_back();
  }

  void open_element() {
    XmlElement element;
    element.line = line_;
    advance_to(at_ + 1);
    names_.push_back(name());
    if (names_.size() > kMaxDepth) fail("nested deeper than " + std::to_string(kMaxDepth) + " levels");
    while (true) {
      skip_blanks();
      if (peek() == '>' || peek() == '/') break;
      std::string key = name();
      skip_blanks();
      expect('=');
      skip_blanks();
      element.attributes.emplace_back(std::move(key), value());
    }
    element.path = names_;
    consume_(element);
    if (peek() == '/') {
      advance_to(at_ + 1);
      names_.pop_back();
    }
    expect('>');
  }

  std::string value() {
    const char quote = peek();
    if (quote != '"' && quote != '\'') fail("a quoted value was expected");
    advance_to(at_ + 1);
    std::string decoded;
    while (peek() != quote) {
      if (peek() == '<') fail("'<' inside a value");
      if (peek() == '&') {
        reference(decoded);
        continue;
      }
      decoded += peek();
      advance_to(at_ + 1);
    }
    advance_to(at_ + 1);
    return decoded;
  }

  void reference(std::string& decoded) {
    constexpr size_t kLongest = 12;
    const size_t end = text_.find(';', at_);
    if (end == std::string::npos || end - at_ > kLongest) fail("'&' begins no reference");
    const std::string_view inner = std::string_view(text_).substr(at_ + 1, end - at_ - 1);
    if (inner == "amp") {
      decoded += '&';
    } else if (inner == "lt") {
      decoded += '<';
    } else if (inner == "gt") {
      decoded += '>';
    } else if (inner == "quot") {
      decoded += '"';
    } else if (inner == "apos") {
      decoded += '\'';
    } else {
      const std::optional<int64_t> code = character_code(inner);
      if (!code) fail("unknown reference '&" + std::string(inner) + ";'");
      append_utf8(decoded, *code);
    }
    advance_to(end + 1);
  }

  // "#233" or "#xE9".
  static std::optional<int64_t> character_code(std::string_view text) {
    if (!starts_with(text, "#")) return std::nullopt;
    const bool hexadecimal = text.size() > 1 && text[1] == 'x';
    int64_t code = 0;
    const std::string digits = to_lower(text.substr(hexadecimal ? 2 : 1));
    for (const char c : digits) {
      const bool decimal = c >= '0' && c <= '9';
      if (!decimal && !(hexadecimal && c >= 'a' && c <= 'f')) return std::nullopt;
      code = code * (hexadecimal ? 16 : 10) + (decimal ? c - '0' : c - 'a' + 10);
      if (code > 0x10FFFF) return std::nullopt;
    }
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    if (digits.empty() || code == 0 || surrogate) return std::nullopt;
    return code;
  }

  const std::filesystem::path& path_;
  const std::function<void(const XmlElement&)>& consume_;
  std::string text_;
  size_t at_ = 0;
  int64_t line_ = 1;
  std::vector<std::string> names_;
};

}  // namespace

std::string XmlElement::attribute(const std::string& name) const {
  for (const auto& [key, value] : attributes) {
    if (key == name) return value;
  }
  return {};
}

void read_xml(const std::filesystem::path& path, const std::function<void(const XmlElement&)>& consume) {
  XmlReader(path, consume).read();
}

}  // namespace tagbench
