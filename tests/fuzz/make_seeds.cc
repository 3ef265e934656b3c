#include <filesystem>
#include <iostream>

#include "harness/core/files.h"
#include "harness/core/npy.h"
#include "tests/nn/weight_files.h"

// make_seeds FOLDER: one small good file of each kind, from which the fuzzers set out.
int main(int argc, char** argv) {
  using namespace tagbench;
  if (argc != 2) {
    std::cerr << "usage: make_seeds FOLDER\n";
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  write_file_atomically(folder / "safetensors" / "small", testing::small_safetensors());
  write_file_atomically(
      folder / "safetensors" / "metadata",
      testing::safetensors_file(R"({"__metadata__":{"a":"b"},"x":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}})",
                                "\x01"));
  write_file_atomically(folder / "torch_zip" / "small", testing::small_zip());
  testing::ZipFaults zip64;
  zip64.zip64 = true;
  write_file_atomically(folder / "torch_zip" / "zip64",
                        testing::torch_zip_file(testing::small_object(), {{"0", std::string(24, '\0')}}, zip64));
  write_file_atomically(folder / "torch_stream" / "small", testing::small_stream());
  write_file_atomically(folder / "torch_object" / "state_dict", "0" + testing::small_object());
  testing::PickleWriter module;
  module.proto().global("__torch__", "Net").empty_tuple().raw("\x81").empty_dict().mark().text("training").flag(false);
  module.text("child").global("__torch__", "Layer").empty_tuple().raw("\x81").empty_dict().mark();
  module.text("weight")
      .tensor("FloatStorage", "0", 6, 0, {2, 3}, {3, 1})
      .set_items()
      .build()
      .set_items()
      .build()
      .stop();
  write_file_atomically(folder / "torch_object" / "module", "1" + module.bytes());
  const float values[6] = {0, 1, 2, 3, 4, 5};
  write_npy(folder / "npy" / "small", {2, 3}, values);
  write_file_atomically(folder / "csv" / "small", "id,\"tag, name\"\r\na,1\nb,\"x\"\"y\"\n");
  write_file_atomically(folder / "config" / "small",
                        "seed: 3\ndataset:\n  root: /x\n  list: [1, 2.5, yes]\nanchor: &a {b: c}\n");
  return 0;
}
