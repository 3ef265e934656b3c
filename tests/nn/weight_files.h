#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

// Files of weights made byte by byte, so that tests can make them wrong in every way.
namespace tagbench::testing {

// Little-endian bytes of `value`.
std::string little_endian(uint64_t value, int bytes);

// Pickle opcodes, one after another, as torch.save writes them (protocol 2).
class PickleWriter {
 public:
  PickleWriter& raw(const std::string& bytes);
  PickleWriter& proto() { return raw("\x80\x02"); }
  PickleWriter& stop() { return raw("."); }
  PickleWriter& mark() { return raw("("); }
  PickleWriter& none() { return raw("N"); }
  PickleWriter& flag(bool value) { return raw(value ? "\x88" : "\x89"); }
  PickleWriter& integer(int64_t value);
  PickleWriter& real(double value);
  PickleWriter& text(const std::string& value);
  PickleWriter& global(const std::string& module, const std::string& name) {
    return raw("c" + module + "\n" + name + "\n");
  }
  PickleWriter& tuple() { return raw("t"); }
  PickleWriter& empty_tuple() { return raw(")"); }
  PickleWriter& empty_dict() { return raw("}"); }
  PickleWriter& empty_list() { return raw("]"); }
  PickleWriter& set_items() { return raw("u"); }
  PickleWriter& appends() { return raw("e"); }
  PickleWriter& reduce() { return raw("R"); }
  PickleWriter& build() { return raw("b"); }
  PickleWriter& put(uint8_t slot) { return raw(std::string("q") + static_cast<char>(slot)); }
  PickleWriter& get(uint8_t slot) { return raw(std::string("h") + static_cast<char>(slot)); }
  // An empty collections.OrderedDict.
  PickleWriter& ordered_dict() { return global("collections", "OrderedDict").empty_tuple().reduce(); }
  PickleWriter& integers(const std::vector<int64_t>& values);
  // A storage by its persistent id; `form` 5 is that of zip files, 6 that of stream files.
  PickleWriter& storage(const std::string& type, const std::string& key, int64_t elements, int form = 5);
  // A call of _rebuild_tensor_v2.
  PickleWriter& tensor(const std::string& type, const std::string& key, int64_t elements, int64_t offset,
                       const std::vector<int64_t>& sizes, const std::vector<int64_t>& strides, int form = 5);

  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

struct ZipEntry {
  std::string name;
  std::string bytes;
  uint16_t method = 0;
  uint16_t flags = 0;
};

// Ways in which a zip file may differ from what torch.save writes.
struct ZipFaults {
  bool zip64 = false;            // a correct zip64 file: sizes and offsets in extra fields, zip64 end records
  int64_t size_lie = 0;          // added to the sizes in the table of contents
  int64_t offset_lie = 0;        // added to the offsets in the table of contents
  uint32_t crc_lie = 0;          // xored with the checksums
  uint64_t entry_count_lie = 0;  // added to the number of entries
  uint64_t directory_lie = 0;    // added to the place of the table of contents
};
std::string zip_file(const std::vector<ZipEntry>& entries, const ZipFaults& faults = {});

// A torch.save zip with the given object and storages.
std::string torch_zip_file(const std::string& object, const std::vector<std::pair<std::string, std::string>>& storages,
                           const ZipFaults& faults = {});

// The mark, protocol and machine description that begin the stream form.
std::string stream_head(bool little_endian_machine = true);
// The list of storage keys and the storages (element count, bytes) that end it.
struct StreamStorage {
  std::string key;
  uint64_t elements = 0;
  std::string bytes;
};
std::string stream_tail(const std::vector<StreamStorage>& storages);

std::string safetensors_file(const std::string& header, const std::string& data);

// The bytes of float32 values.
std::string float_bytes(const std::vector<float>& values);

// A state dict {"weight": float32 [2, 3] = 0..5, "counter": int64 scalar 7} in each container.
std::string small_object(int form = 5);
std::string small_zip();
std::string small_stream();
std::string small_safetensors();

}  // namespace tagbench::testing
