#include "results/row_groups.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "harness/core/hash.h"
#include "harness/core/text.h"

namespace tagbench {
namespace {

std::string short_hash(const std::string& sha256) {
  return sha256.substr(0, 12);
}

std::string split_with_hash(const Row& row) {
  return row.cell.split + " (" + short_hash(row.cell.split_sha256) + ")";
}

bool is_fold(const std::string& split) {
  return starts_with(split, "fold") && parse_integer(split.substr(4)).has_value();
}

RowSettings identity_of(const Row& row) {
  RowSettings identity = system_of(row);
  identity.emplace_back("data set", row.cell.dataset);
  const RowSettings setting = measured_under(row, split_with_hash(row));
  identity.insert(identity.end(), setting.begin(), setting.end());
  identity.emplace_back("condition", row.cell.condition_key);
  identity.emplace_back("perturbation seed", std::to_string(row.cell.perturbation_seed));
  return identity;
}

using CellName = std::tuple<std::string, std::string, std::string, std::string>;

CellName name_of(const Row& row) {
  return {row.cell.dataset, row.model_label, row.cell.split, row.cell.condition};
}

std::vector<RowDifference> differences(const SeedGroup& a, const SeedGroup& b) {
  std::vector<RowDifference> differs;
  for (size_t i = 0; i < a.identity.size(); ++i) {
    if (a.identity[i].second != b.identity[i].second)
      differs.push_back({a.identity[i].first, a.identity[i].second, b.identity[i].second});
  }
  return differs;
}

void tell_apart(const std::vector<SeedGroup*>& of_one_name) {
  for (SeedGroup* group : of_one_name) {
    std::vector<std::string> apart;
    for (size_t i = 0; i < group->identity.size(); ++i) {
      const auto& [name, value] = group->identity[i];
      const bool differs =
          std::any_of(of_one_name.begin(), of_one_name.end(),
                      [&, &own = value](const SeedGroup* other) { return other->identity[i].second != own; });
      if (differs) apart.push_back(name + " " + value);
    }
    group->apart = join_text(apart, ", ");
  }
}

struct SameName {
  std::vector<const SeedGroup*> a, b;
};

// The cells of `others` that no equal one has taken.
std::string ambiguity(const SeedGroup& group, const std::vector<const SeedGroup*>& others,
                      const std::set<const SeedGroup*>& taken, bool group_is_a) {
  for (const SeedGroup* other : others) {
    if (taken.count(other) > 0) continue;
    std::vector<std::string> texts;
    for (const RowDifference& each : group_is_a ? differences(group, *other) : differences(*other, group))
      texts.push_back(each.name + " " + (group_is_a ? each.a + " and not " + each.b : each.b + " and not " + each.a));
    return join_text(texts, ", ");
  }
  return "";
}

}  // namespace

RowSettings measured_under(const Row& row, const std::string& split) {
  return {{"task", row.cell.task},
          {"protocol", row.cell.protocol + " (" + short_hash(row.cell.protocol_sha256) + ")"},
          {"split", split},
          {"precision", row.cell.precision},
          {"audio", row.cell.audio},
          {"conformance", std::to_string(row.cell.conformance)},
          {"tags", std::to_string(row.tags.size()) + " (" + short_hash(sha256_hex(join_text(row.tags, "\n"))) + ")"}};
}

RowSettings system_of(const Row& row) {
  return {{"label", row.model_label},
          {"architecture", row.cell.model},
          {"options", row.cell.model_options},
          {"weights", row.cell.weights_sha256.empty() ? "trained in the run" : short_hash(row.cell.weights_sha256)}};
}

std::vector<RowGroup> group_rows(const std::vector<Row>& rows) {
  // A fold name with two hashes belongs to two assignments; which other folds belong to which cannot be known, so none
  // are averaged.
  std::map<std::tuple<std::string, std::string, std::string>, std::string> hashes;
  std::set<std::pair<std::string, std::string>> ambiguous;
  for (const Row& row : rows) {
    const auto [known, is_new] =
        hashes.emplace(std::make_tuple(row.cell.dataset, row.cell.protocol, row.cell.split), row.cell.split_sha256);
    if (known->second != row.cell.split_sha256) ambiguous.emplace(row.cell.dataset, row.cell.protocol);
  }
  using Owner = std::pair<std::string, std::string>;
  std::vector<std::pair<Owner, RowSettings>> keys;
  std::map<std::pair<Owner, RowSettings>, size_t> places;
  std::vector<RowGroup> groups;
  for (const Row& row : rows) {
    const Owner owner = {row.cell.dataset, row.cell.protocol};
    const bool averaged = is_fold(row.cell.split) && ambiguous.count(owner) == 0;
    const auto key = std::make_pair(owner, measured_under(row, averaged ? "folds" : split_with_hash(row)));
    const auto [place, is_new] = places.emplace(key, groups.size());
    if (is_new) {
      keys.push_back(key);
      groups.emplace_back();
    }
    groups[place->second].rows.push_back(&row);
  }
  for (size_t g = 0; g < groups.size(); ++g) {
    const auto& [owner, settings] = keys[g];
    for (size_t s = 0; s < settings.size(); ++s) {
      for (const auto& [other_owner, other] : keys) {
        if (other_owner != owner || other[s] == settings[s]) continue;
        groups[g].differs.push_back(settings[s].first + " " + settings[s].second);
        break;
      }
    }
  }
  return groups;
}

std::vector<SeedGroup> seed_groups(const std::vector<Row>& rows) {
  std::map<RowSettings, size_t> places;
  std::vector<SeedGroup> groups;
  for (const Row& row : rows) {
    RowSettings identity = identity_of(row);
    const auto [place, is_new] = places.emplace(identity, groups.size());
    if (is_new) groups.push_back({std::move(identity), {}, ""});
    groups[place->second].rows.push_back(&row);
  }
  std::map<CellName, std::vector<SeedGroup*>> of_names;
  for (SeedGroup& group : groups) of_names[name_of(group.any())].push_back(&group);
  for (const auto& [name, of_one_name] : of_names) tell_apart(of_one_name);
  return groups;
}

std::vector<CellMatch> match_cells(const std::vector<SeedGroup>& a, const std::vector<SeedGroup>& b) {
  std::map<CellName, SameName> of_names;
  std::map<RowSettings, const SeedGroup*> in_b;
  for (const SeedGroup& group : a) of_names[name_of(group.any())].a.push_back(&group);
  for (const SeedGroup& group : b) {
    of_names[name_of(group.any())].b.push_back(&group);
    in_b[group.identity] = &group;
  }
  std::set<const SeedGroup*> taken;
  for (const SeedGroup& group : a) {
    const auto equal = in_b.find(group.identity);
    if (equal != in_b.end()) taken.insert({&group, equal->second});
  }
  std::vector<CellMatch> matches;
  for (const SeedGroup& group : a) {
    const SameName& called = of_names.at(name_of(group.any()));
    if (taken.count(&group) > 0) {
      matches.push_back({&group, in_b.at(group.identity), {}, ""});
    } else if (called.a.size() == 1 && called.b.size() == 1 && taken.count(called.b.front()) == 0) {
      matches.push_back({&group, called.b.front(), differences(group, *called.b.front()), ""});
      taken.insert(called.b.front());
    } else {
      matches.push_back({&group, nullptr, {}, ambiguity(group, called.b, taken, true)});
    }
  }
  for (const SeedGroup& group : b) {
    if (taken.count(&group) > 0) continue;
    matches.push_back({nullptr, &group, {}, ambiguity(group, of_names.at(name_of(group.any())).a, taken, false)});
  }
  return matches;
}

std::string differences_text(const std::vector<RowDifference>& differs, const std::string& in_a,
                             const std::string& in_b) {
  std::vector<std::string> texts;
  for (const RowDifference& each : differs)
    texts.push_back(each.name + ": " + each.a + " " + in_a + ", " + each.b + " " + in_b);
  return join_text(texts, "; ");
}

}  // namespace tagbench
