#pragma once

#include <filesystem>
#include <string>

#include "splits/dataset.h"

// What `data verify --state` and `data audit --state` have in common: the first line of a file that remembers finished
// work on one copy of a corpus.
namespace tagbench {

// The first line, without its end. `format` names the verb and what follows ("tagbench verify state 2"). Variants of
// one corpus share their work: the options of the dataset's name are left out.
std::string state_header(const std::string& format, const Dataset& dataset);

// True if `path` begins with the header; false if it is to be begun: absent, empty, or stopped within the header. Makes
// the folder. Errors: UsageError for a file with any other content, which is never overwritten, and for a path where no
// file can be. `who` begins the message.
bool has_state(const std::string& who, const std::filesystem::path& path, const std::string& header);

}  // namespace tagbench
