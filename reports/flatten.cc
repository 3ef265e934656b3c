#include "reports/flatten.h"

#include <algorithm>
#include <vector>

namespace tagbench {

void flatten(const Json& json, const std::string& path, Settings& into) {
  if (json.is_object()) {
    for (const auto& [key, value] : json.items()) flatten(value, path.empty() ? key : path + "." + key, into);
  } else if (json.is_array() &&
             std::any_of(json.begin(), json.end(), [](const Json& value) { return value.is_structured(); })) {
    for (size_t i = 0; i < json.size(); ++i) flatten(json[i], path + "[" + std::to_string(i) + "]", into);
  } else {
    into[path] = json.is_string() ? json.get<std::string>() : json.dump();
  }
}

void flatten(const ConfigNode& node, const std::string& path, Settings& into) {
  if (node.is_map()) {
    for (const auto& [key, value] : node.entries()) flatten(value, path.empty() ? key : path + "." + key, into);
  } else if (node.is_sequence()) {
    const std::vector<ConfigNode> items = node.items();
    for (size_t i = 0; i < items.size(); ++i) flatten(items[i], path + "[" + std::to_string(i) + "]", into);
  } else {
    into[path] = node.defined() ? node.text() : "";
  }
}

}  // namespace tagbench
