#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Small text helpers: splitting, numbers, and "did you mean".
namespace tagbench {

std::vector<std::string> split_text(std::string_view text, char separator);
std::string join_text(const std::vector<std::string>& parts, std::string_view separator);
// Removes blanks, tabs, CR and LF at both ends.
std::string trim(std::string_view text);
std::string to_lower(std::string_view text);
bool starts_with(std::string_view text, std::string_view prefix);
bool ends_with(std::string_view text, std::string_view suffix);

// The whole text as a number, or nothing. Locale-independent; accepts "nan" and "inf" (callers decide).
std::optional<double> parse_real(std::string_view text);
std::optional<int64_t> parse_integer(std::string_view text);
// parse_real, and powers written "2^-0.5".
std::optional<double> parse_real_expression(std::string_view text);

// Shortest decimal text that reads back as the same double.
std::string format_real(double value);
// Fixed number of decimals, locale-independent.
std::string format_fixed(double value, int decimals);

// True if the bytes are well-formed UTF-8.
bool is_valid_utf8(std::string_view text);

// The known names that may be meant, three at most: the one with the smallest edit distance, if it is near enough to be
// a typing error; else those of which `name` is a part at the limits of words ("noise" of "white_noise"), or which are
// such a part of it.
std::vector<std::string> near_names(std::string_view name, const std::vector<std::string>& known);
// The first of near_names.
std::optional<std::string> nearest_name(std::string_view name, const std::vector<std::string>& known);
// "did you mean 'x' or 'y'? known: x, y, z" (the first half only when something is near). Long lists are cut, and
// counted.
std::string suggestion(std::string_view name, const std::vector<std::string>& known);

// For text and quoted attributes of XML 1.0 and HTML. Line ends and tabs are kept, as numbers; other control characters
// cannot stand in XML at all and become question marks.
std::string escape_markup(std::string_view text);

}  // namespace tagbench
