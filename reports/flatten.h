#pragma once

#include <map>
#include <string>

#include "harness/core/config.h"
#include "harness/core/json.h"

namespace tagbench {

using Settings = std::map<std::string, std::string>;

// Every single value under its dotted path ("dataset.root", "models[1]"). Lists of single values in JSON stay one
// value.
void flatten(const Json& json, const std::string& path, Settings& into);
void flatten(const ConfigNode& node, const std::string& path, Settings& into);

}  // namespace tagbench
