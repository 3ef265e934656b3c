#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace tagbench {

struct XmlElement {
  std::vector<std::string> path;  // names from the root down to this element
  std::vector<std::pair<std::string, std::string>> attributes;
  int64_t line = 0;

  // "" if the element has no such attribute.
  std::string attribute(const std::string& name) const;
};

// Calls `consume` for the start of each element, in order. Elements, attributes, comments, the declaration and the five
// named and the numeric references are understood; text is skipped; a document type (which could define entities) is
// refused. At most 64 MiB, 64 levels. Errors: DataError that names file and line: not well-formed, not UTF-8.
void read_xml(const std::filesystem::path& path, const std::function<void(const XmlElement&)>& consume);

}  // namespace tagbench
