#include "tests/nn/weight_files.h"

#include <boost/crc.hpp>
#include <cstring>

namespace tagbench::testing {

std::string little_endian(uint64_t value, int bytes) {
  std::string result;
  for (int i = 0; i < bytes; ++i) result += static_cast<char>(value >> (8U * static_cast<unsigned>(i)));
  return result;
}

PickleWriter& PickleWriter::raw(const std::string& bytes) {
  bytes_ += bytes;
  return *this;
}

PickleWriter& PickleWriter::integer(int64_t value) {
  if (value >= 0 && value < 256) return raw("K" + little_endian(static_cast<uint64_t>(value), 1));
  if (value >= INT32_MIN && value <= INT32_MAX) return raw("J" + little_endian(static_cast<uint64_t>(value), 4));
  return raw("\x8a\x08" + little_endian(static_cast<uint64_t>(value), 8));
}

PickleWriter& PickleWriter::real(double value) {
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  const std::string little = little_endian(bits, 8);
  return raw("G" + std::string(little.rbegin(), little.rend()));
}

PickleWriter& PickleWriter::text(const std::string& value) {
  return raw("X" + little_endian(value.size(), 4) + value);
}

PickleWriter& PickleWriter::integers(const std::vector<int64_t>& values) {
  mark();
  for (const int64_t value : values) integer(value);
  return tuple();
}

PickleWriter& PickleWriter::storage(const std::string& type, const std::string& key, int64_t elements, int form) {
  mark().text("storage").global("torch", type).text(key).text("cuda:0").integer(elements);
  if (form == 6) none();
  return tuple().raw("Q");
}

PickleWriter& PickleWriter::tensor(const std::string& type, const std::string& key, int64_t elements, int64_t offset,
                                   const std::vector<int64_t>& sizes, const std::vector<int64_t>& strides, int form) {
  global("torch._utils", "_rebuild_tensor_v2").mark().storage(type, key, elements, form).integer(offset);
  return integers(sizes).integers(strides).flag(false).ordered_dict().tuple().reduce();
}

std::string zip_file(const std::vector<ZipEntry>& entries, const ZipFaults& faults) {
  std::string file;
  std::string directory;
  for (const ZipEntry& entry : entries) {
    boost::crc_32_type crc;
    crc.process_bytes(entry.bytes.data(), entry.bytes.size());
    const std::string checksum = little_endian(crc.checksum() ^ faults.crc_lie, 4);
    const uint64_t offset = file.size() + static_cast<uint64_t>(faults.offset_lie);
    const uint64_t size = entry.bytes.size() + static_cast<uint64_t>(faults.size_lie);
    const std::string common =
        little_endian(entry.flags, 2) + little_endian(entry.method, 2) + little_endian(0, 4) + checksum;
    file += "PK\x03\x04" + little_endian(20, 2) + common + little_endian(entry.bytes.size(), 4) +
            little_endian(entry.bytes.size(), 4) + little_endian(entry.name.size(), 2) + little_endian(0, 2) +
            entry.name + entry.bytes;
    const std::string extra = faults.zip64 ? little_endian(1, 2) + little_endian(24, 2) + little_endian(size, 8) +
                                                 little_endian(size, 8) + little_endian(offset, 8)
                                           : "";
    const std::string sizes = faults.zip64 ? std::string(8, '\xff') : little_endian(size, 4) + little_endian(size, 4);
    directory += "PK\x01\x02" + little_endian(20, 2) + little_endian(20, 2) + common + sizes +
                 little_endian(entry.name.size(), 2) + little_endian(extra.size(), 2) + little_endian(0, 2) +
                 little_endian(0, 2) + little_endian(0, 2) + little_endian(0, 4) +
                 (faults.zip64 ? std::string(4, '\xff') : little_endian(offset, 4)) + entry.name + extra;
  }
  const uint64_t directory_offset = file.size() + faults.directory_lie;
  const uint64_t count = entries.size() + faults.entry_count_lie;
  file += directory;
  if (faults.zip64) {
    const uint64_t end64 = file.size();
    file += "PK\x06\x06" + little_endian(44, 8) + little_endian(45, 2) + little_endian(45, 2) + little_endian(0, 8) +
            little_endian(count, 8) + little_endian(count, 8) + little_endian(directory.size(), 8) +
            little_endian(directory_offset, 8);
    file += "PK\x06\x07" + little_endian(0, 4) + little_endian(end64, 8) + little_endian(1, 4);
    return file + "PK\x05\x06" + std::string(4, '\0') + std::string(12, '\xff') + little_endian(0, 2);
  }
  return file + "PK\x05\x06" + std::string(4, '\0') + little_endian(count, 2) + little_endian(count, 2) +
         little_endian(directory.size(), 4) + little_endian(directory_offset, 4) + little_endian(0, 2);
}

std::string torch_zip_file(const std::string& object, const std::vector<std::pair<std::string, std::string>>& storages,
                           const ZipFaults& faults) {
  std::vector<ZipEntry> entries = {{"archive/data.pkl", object}};
  for (const auto& [key, bytes] : storages) entries.push_back({"archive/data/" + key, bytes});
  entries.push_back({"archive/version", "3\n"});
  return zip_file(entries, faults);
}

std::string stream_head(bool little_endian_machine) {
  PickleWriter head;
  head.proto().raw(std::string("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19")).stop();
  head.proto().raw("M\xe9\x03").stop();
  head.proto()
      .empty_dict()
      .mark()
      .text("protocol_version")
      .raw("M\xe9\x03")
      .text("little_endian")
      .flag(little_endian_machine);
  head.text("type_sizes").empty_dict().set_items().stop();
  return head.bytes();
}

std::string stream_tail(const std::vector<StreamStorage>& storages) {
  PickleWriter keys;
  keys.proto().empty_list().mark();
  for (const StreamStorage& storage : storages) keys.text(storage.key);
  std::string tail = keys.appends().stop().bytes();
  for (const StreamStorage& storage : storages) tail += little_endian(storage.elements, 8) + storage.bytes;
  return tail;
}

std::string safetensors_file(const std::string& header, const std::string& data) {
  return little_endian(header.size(), 8) + header + data;
}

std::string float_bytes(const std::vector<float>& values) {
  std::string bytes(values.size() * sizeof(float), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

std::string small_object(int form) {
  PickleWriter object;
  object.proto().ordered_dict().mark();
  object.text("weight").tensor("FloatStorage", "0", 6, 0, {2, 3}, {3, 1}, form);
  object.text("counter").tensor("LongStorage", "1", 1, 0, {}, {}, form);
  return object.set_items().stop().bytes();
}

std::string small_zip() {
  return torch_zip_file(small_object(), {{"0", float_bytes({0, 1, 2, 3, 4, 5})}, {"1", little_endian(7, 8)}});
}

std::string small_stream() {
  return stream_head() + small_object(6) +
         stream_tail({{"0", 6, float_bytes({0, 1, 2, 3, 4, 5})}, {"1", 1, little_endian(7, 8)}});
}

std::string small_safetensors() {
  return safetensors_file(
      R"({"weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"counter":{"dtype":"I64","shape":[],"data_offsets":[24,32]}})",
      float_bytes({0, 1, 2, 3, 4, 5}) + little_endian(7, 8));
}

}  // namespace tagbench::testing
