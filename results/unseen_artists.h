#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tagbench {

// The test tracks of one split by artists that neither its training nor its validation part holds. Kept beside the
// cells, since the rows themselves know the test part only.
struct UnseenArtists {
  std::string dataset;
  std::string split;
  std::string split_sha256;
  int64_t n_test_tracks = 0;
  int64_t n_without_artist = 0;        // test tracks whose artist is not known: never counted as unseen
  std::vector<std::string> track_ids;  // of unseen artists, in the data set's order
};

}  // namespace tagbench
