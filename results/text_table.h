#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace tagbench {

// Rows of cells as aligned text. The first row is the head; `left_aligned` first columns are aligned left, the others
// right. Characters are counted, not bytes.
std::string aligned_markdown(const std::vector<std::vector<std::string>>& rows, size_t left_aligned);
// One line of plain text without anything Markdown would interpret.
std::string escape_markdown(const std::string& text);
// Bytes that are no UTF-8 (paths may hold any) become replacement characters.
std::string valid_utf8(const std::string& text);

}  // namespace tagbench
