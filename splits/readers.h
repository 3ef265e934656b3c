#pragma once

#include "splits/dataset.h"

// One entry per reader, each in a file of its own name. Adding a dataset: write splits/<name>.cc with <name>_entry(),
// name it here, in the list of dataset.cc and in CMakeLists.txt, and test it on a small corpus in the owner's layout
// (tests/splits).
namespace tagbench {

DatasetEntry synth_entry();
DatasetEntry folder_entry();
DatasetEntry magnatagatune_entry();
DatasetEntry msd_entry();
DatasetEntry mtg_jamendo_entry();
DatasetEntry openmic2018_entry();
DatasetEntry gtzan_entry();
DatasetEntry ballroom_entry();
DatasetEntry extended_ballroom_entry();
DatasetEntry urbansound8k_entry();
DatasetEntry irmas_entry();
DatasetEntry esc50_entry();
DatasetEntry multitrack_entry();

}  // namespace tagbench
