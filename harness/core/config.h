#pragma once

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tagbench {

// A YAML document that knows where each value stands, so that every complaint names file and line.
class ConfigNode {
 public:
  // Errors: UsageError for syntax errors (with line), duplicate keys, and files over 1 MiB; DataError if unreadable.
  static ConfigNode load(const std::filesystem::path& path);
  static ConfigNode parse(const std::string& text, const std::string& source_name);

  bool defined() const { return node_.IsDefined() && !node_.IsNull(); }
  bool is_map() const { return defined() && node_.IsMap(); }
  bool is_sequence() const { return defined() && node_.IsSequence(); }
  bool is_scalar() const { return defined() && node_.IsScalar(); }

  bool has(const std::string& key) const;
  // The child, possibly undefined.
  ConfigNode operator[](const std::string& key) const;
  std::vector<ConfigNode> items() const;                            // of a sequence
  std::vector<std::pair<std::string, ConfigNode>> entries() const;  // of a map, in file order

  // Errors: UsageError "FILE:LINE: key must be ..., got ...".
  std::string text() const;
  double real() const;
  int64_t integer() const;
  bool flag() const;

  // Errors: UsageError naming file, line, the unknown key, the nearest known one and the known ones.
  void require_known_keys(const std::vector<std::string>& known) const;

  // "experiments/quick.yaml:12"; for what was set, the origin: "--set protocol.epochs".
  std::string where() const;
  // The dotted path of keys that led here: "dataset.root".
  const std::string& key_path() const { return key_path_; }
  [[noreturn]] void fail(const std::string& message) const;

  // Sets a value by dotted path ("dataset.root"), creating maps on the way; the value is parsed as YAML. `origin` names
  // the source in messages ("--set").
  void set(const std::string& dotted_path, const std::string& value, const std::string& origin);
  // The same with plain text, which is not parsed ("chain:[...]" stays text), and with a list of plain texts.
  void set_text(const std::string& dotted_path, const std::string& value);
  void set_texts(const std::string& dotted_path, const std::vector<std::string>& values);
  // The document as YAML text.
  std::string dump() const;

 private:
  using Origins = std::map<std::string, std::string>;  // of dotted paths: "--set protocol.epochs"
  ConfigNode(const YAML::Node& node, std::string source, std::string key_path, std::shared_ptr<Origins> origins)
      : node_(node), source_(std::move(source)), key_path_(std::move(key_path)), origins_(std::move(origins)) {}
  void assign(const std::string& dotted_path, const YAML::Node& value, const std::string& origin);
  YAML::Node node_;
  std::string source_;
  std::string key_path_;
  std::shared_ptr<Origins> origins_;  // of what was set, shared with the document's other nodes
};

}  // namespace tagbench
