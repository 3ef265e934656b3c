#pragma once

#include <string_view>
#include <vector>

namespace tagbench {

// A file that the build put into the program. tagbench_embed() writes the sources that hold their text.
struct EmbeddedText {
  std::string_view name;  // "won2020.csv"
  std::string_view text;
};

const std::vector<EmbeddedText>& published_files();  // results/published/*.csv
const std::vector<EmbeddedText>& page_files();       // reports/page/*

}  // namespace tagbench
