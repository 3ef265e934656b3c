#include "harness/core/config.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "harness/core/errors.h"
#include "harness/core/files.h"
#include "harness/core/text.h"

namespace tagbench {
namespace {

constexpr uint64_t kMaxConfigBytes = uint64_t{1} << 20U;
constexpr int kMaxDepth = 32;
constexpr int64_t kMaxNodes = 1'000'000;

// Also bounds depth and number: aliases share nodes, so a tiny file could otherwise unfold without end.
void reject_duplicates(const YAML::Node& node, const std::string& source, int depth, int64_t& nodes) {
  if (++nodes > kMaxNodes)
    throw UsageError(source + ": more than " + std::to_string(kMaxNodes) + " values, aliases unfolded");
  if (depth > kMaxDepth) throw UsageError(source + ": nested deeper than " + std::to_string(kMaxDepth) + " levels");
  if (node.IsSequence()) {
    for (const auto& item : node) reject_duplicates(item, source, depth + 1, nodes);
  }
  if (!node.IsMap()) return;
  std::set<std::string> seen;
  for (const auto& entry : node) {
    const std::string where = source + ":" + std::to_string(entry.first.Mark().line + 1);
    if (!entry.first.IsScalar()) throw UsageError(where + ": keys must be plain text");
    if (!seen.insert(entry.first.Scalar()).second)
      throw UsageError(where + ": key '" + entry.first.Scalar() + "' is given twice");
    reject_duplicates(entry.second, source, depth + 1, nodes);
  }
}

}  // namespace

ConfigNode ConfigNode::parse(const std::string& text, const std::string& source_name) {
  try {
    YAML::Node node = YAML::Load(text);
    int64_t nodes = 0;
    reject_duplicates(node, source_name, 0, nodes);
    return {node, source_name, "", std::make_shared<Origins>()};
  } catch (const YAML::Exception& error) {
    throw UsageError(source_name + ":" + std::to_string(error.mark.line + 1) + ": not valid YAML: " + error.msg);
  }
}

ConfigNode ConfigNode::load(const std::filesystem::path& path) {
  const std::string text = read_text_file(path, kMaxConfigBytes);
  if (!is_valid_utf8(text)) throw UsageError(path.string() + ": not UTF-8 text");
  return parse(text, path.string());
}

bool ConfigNode::has(const std::string& key) const {
  return (*this)[key].defined();
}

ConfigNode ConfigNode::operator[](const std::string& key) const {
  const std::string path = key_path_.empty() ? key : key_path_ + "." + key;
  if (!is_map()) return {YAML::Node(YAML::NodeType::Undefined), source_, path, origins_};
  // The const operator[] does not create the key.
  const YAML::Node& constant = node_;
  return {constant[key], source_, path, origins_};
}

std::vector<ConfigNode> ConfigNode::items() const {
  if (!is_sequence()) fail("a list was expected");
  std::vector<ConfigNode> children;
  for (const auto& item : node_)
    children.push_back({item, source_, key_path_ + "[" + std::to_string(children.size()) + "]", origins_});
  return children;
}

std::vector<std::pair<std::string, ConfigNode>> ConfigNode::entries() const {
  if (!is_map()) fail("keys with values were expected");
  std::vector<std::pair<std::string, ConfigNode>> children;
  for (const auto& entry : node_) {
    const std::string key = entry.first.Scalar();
    children.emplace_back(key,
                          ConfigNode(entry.second, source_, key_path_.empty() ? key : key_path_ + "." + key, origins_));
  }
  return children;
}

std::string ConfigNode::text() const {
  if (!is_scalar()) fail("a single value was expected");
  return node_.Scalar();
}

double ConfigNode::real() const {
  const auto value = parse_real_expression(text());
  if (!value || !std::isfinite(*value)) fail("a finite number was expected, got '" + text() + "'");
  return *value;
}

int64_t ConfigNode::integer() const {
  const auto value = parse_integer(text());
  if (!value) fail("a whole number was expected, got '" + text() + "'");
  return *value;
}

bool ConfigNode::flag() const {
  const std::string lower = to_lower(text());
  if (lower == "true" || lower == "yes" || lower == "on") return true;
  if (lower == "false" || lower == "no" || lower == "off") return false;
  fail("true or false was expected, got '" + text() + "'");
}

void ConfigNode::require_known_keys(const std::vector<std::string>& known) const {
  for (const auto& [key, child] : entries()) {
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      throw UsageError(child.where() + ": unknown key '" + key + "'; " + suggestion(key, known));
    }
  }
}

std::string ConfigNode::where() const {
  // The path itself, or the longest that it lies below, as a[0].b lies below a[0] and a.
  for (std::string path = key_path_; !path.empty(); path.resize(path.find_last_of(".["))) {
    const auto origin = origins_->find(path);
    if (origin != origins_->end()) return origin->second;
    if (path.find_first_of(".[") == std::string::npos) break;
  }
  const int line = node_.IsDefined() ? node_.Mark().line : -1;
  return line < 0 ? source_ : source_ + ":" + std::to_string(line + 1);
}

void ConfigNode::fail(const std::string& message) const {
  throw UsageError(where() + ": " + (key_path_.empty() ? "" : key_path_ + ": ") + message);
}

void ConfigNode::set(const std::string& dotted_path, const std::string& value, const std::string& origin) {
  YAML::Node parsed;
  try {
    parsed = YAML::Load(value);
  } catch (const YAML::Exception& error) {
    throw UsageError(origin + " " + dotted_path + "=" + value + ": not valid YAML: " + error.msg);
  }
  assign(dotted_path, parsed, origin);
}

void ConfigNode::set_text(const std::string& dotted_path, const std::string& value) {
  assign(dotted_path, YAML::Node(value), "command line:");
}

void ConfigNode::set_texts(const std::string& dotted_path, const std::vector<std::string>& values) {
  YAML::Node list(YAML::NodeType::Sequence);
  for (const std::string& value : values) list.push_back(value);
  assign(dotted_path, list, "command line:");
}

void ConfigNode::assign(const std::string& dotted_path, const YAML::Node& value, const std::string& origin) {
  if (defined() && !is_map()) fail("keys and values were expected, found a single value or a list");
  YAML::Node node = node_;
  const std::vector<std::string> keys = split_text(dotted_path, '.');
  for (size_t i = 0; i + 1 < keys.size(); ++i) {
    YAML::Node child = node[keys[i]];
    if (!child.IsDefined() || child.IsNull()) {
      child = YAML::Node(YAML::NodeType::Map);
      node[keys[i]] = child;
    } else if (child.IsScalar()) {
      // "dataset: synth" with --set dataset.root=...: the short form names the thing.
      YAML::Node map(YAML::NodeType::Map);
      map["name"] = child.Scalar();
      node[keys[i]] = map;
      child = node[keys[i]];
    } else if (!child.IsMap()) {
      throw UsageError(origin + " " + dotted_path + ": '" + keys[i] + "' is a list, it has no keys");
    }
    // Node assignment would overwrite the parent's node; reset only moves the handle.
    node.reset(child);
  }
  node[keys.back()] = value;
  (*origins_)[dotted_path] = origin + " " + dotted_path;
}

std::string ConfigNode::dump() const {
  YAML::Emitter emitter;
  emitter << node_;
  return std::string(emitter.c_str()) + "\n";
}

}  // namespace tagbench
