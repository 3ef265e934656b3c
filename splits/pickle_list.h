#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace tagbench {

// A list of byte strings as Python 2 pickles it in protocol 0, a text form: "(lp1", then per string "S'...'", "pN",
// "a". Nothing else that a pickle can hold is accepted, and nothing is executed. At most 64 MiB; strings of at most
// 4,096 bytes. `lines` gets the line of each string, for messages. Errors: DataError that names file and line of the
// first thing that is no such list.
std::vector<std::string> read_pickled_strings(const std::filesystem::path& path, std::vector<int64_t>* lines = nullptr);

}  // namespace tagbench
