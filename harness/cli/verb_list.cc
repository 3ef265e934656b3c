#include <memory>

#include "harness/cli/print.h"
#include "harness/cli/verbs.h"
#include "harness/core/errors.h"
#include "harness/core/text.h"
#include "harness/nn/multiply_adds.h"
#include "harness/run/protocol.h"
#include "models/registry.h"
#include "perturbations/condition.h"
#include "perturbations/registry.h"
#include "reports/report.h"
#include "results/decision_metrics.h"
#include "results/published.h"
#include "results/row.h"
#include "splits/dataset.h"

namespace tagbench {
namespace {

struct ListFlags {
  std::string what;
  std::vector<std::string> names;
  std::string format = "table";
  // The single thing asked for, or "". Errors: UsageError for several.
  std::string name() const {
    if (names.size() > 1) throw UsageError("list: one name at a time");
    return names.empty() ? "" : names.front();
  }
};

const std::vector<std::string> kThings = {"models",  "datasets", "perturbations", "protocols",
                                          "metrics", "formats",  "published"};

void list_models(const ListFlags& flags) {
  Listing listing({"name", "paper_row", "parameters", "input_samples", "input_s", "sample_rate_hz", "front_end",
                   "multiply_adds", "receptive_field_samples", "paper", "source"});
  for (const ModelEntry& entry : models()) {
    const auto tagger = entry.make(Options(entry.name, entry.options, {}), entry.published_tags);
    const TaggerFacts& facts = tagger->facts();
    listing.add({entry.name, entry.row_name, count_parameters(*tagger), facts.input_samples,
                 static_cast<double>(facts.input_samples) / facts.sample_rate_hz, facts.sample_rate_hz, facts.front_end,
                 multiply_adds(*tagger), facts.receptive_field_samples, entry.paper, entry.source});
  }
  listing.print(flags.format);
}

std::string range_text(const OptionSpec& option) {
  if (!option.choices.empty()) return join_text(option.choices, " | ");
  if (option.kind == OptionKind::kFlag) return "true | false";
  if (option.kind == OptionKind::kText) return "text";
  return format_real(option.minimum) + " to " + format_real(option.maximum);
}

Json default_json(const OptionSpec& option) {
  return option.required ? Json("(required)") : Json(option.default_value);
}

void print_options(const std::vector<OptionSpec>& options, const std::string& format) {
  Listing listing({"option", "default", "unit", "range", "help"});
  for (const OptionSpec& option : options)
    listing.add({option.name, default_json(option), option.unit, range_text(option), option.help});
  listing.print(format);
}

void list_model(const ListFlags& flags) {
  const Spec spec = parse_spec(flags.name());
  const ModelEntry& entry = find_model(spec.name);
  const Options options(entry.name, entry.options, spec.options);
  const auto tagger = entry.make(options, entry.published_tags);
  if (flags.format == "table") {
    print_text(entry.name + (options.changed_text().empty() ? "" : " (" + options.changed_text() + ")") + ": " +
               entry.row_name + ". " + entry.summary + "\n" + entry.paper + "\n" + entry.source + "\n\n");
    print_options(entry.options, "table");
    print_text("\n");
  }
  Listing listing({"layer", "output_shape", "parameters", "multiply_adds"});
  for (const LayerShape& layer : model_layers(*tagger))
    listing.add({layer.name, layer.shape, layer.parameters, layer.multiply_adds});
  listing.print(flags.format);
}

// "1: semitones=0.25; 2: ..."
std::string numbered(const std::vector<std::string>& steps) {
  std::vector<std::string> texts;
  for (size_t i = 0; i < steps.size(); ++i) texts.push_back(std::to_string(i + 1) + ": " + steps[i]);
  return join_text(texts, "; ");
}

std::string or_none(const std::string& text) {
  return text.empty() ? "none" : text;
}

Json perturbation_json(const PerturbationFacts& facts) {
  Json parameters = Json::array();
  for (const OptionSpec& option : facts.parameters) {
    parameters.push_back({{"name", option.name},
                          {"default", option.required ? Json(nullptr) : Json(option.default_value)},
                          {"unit", option.unit},
                          {"range", range_text(option)},
                          {"help", option.help}});
  }
  return Json{{"name", facts.name},
              {"version", facts.version},
              {"summary", facts.summary},
              {"source", facts.source},
              {"parameters", parameters},
              {"ladder", facts.ladder},
              {"ladder_reason", facts.ladder_reason},
              {"published", facts.published},
              {"identity", facts.identity},
              {"random", facts.random},
              {"keeps_length", facts.length == LengthChange::kKept},
              {"from_score", facts.from_score},
              {"may_falsify", facts.may_falsify}};
}

void list_perturbation(const PerturbationFacts& facts, const std::string& format) {
  if (format == "json") return print_text(perturbation_json(facts).dump(2) + "\n");
  if (format == "table") {
    print_text(facts.name + " (version " + std::to_string(facts.version) + "): " + facts.summary + "\nsource: " +
               facts.source + "\nseverities (" + facts.name + "@1 to @" + std::to_string(facts.ladder.size()) +
               "): " + numbered(facts.ladder) + "\n  why these: " + facts.ladder_reason + "\npublished settings: " +
               or_none(join_text(facts.published, "; ")) + "\nchanges nothing with: " + or_none(facts.identity) +
               "\nrandom: " + (facts.random ? "yes, keyed by seed, setting and track" : "no") +
               "\nlength: " + (facts.length == LengthChange::kKept ? "kept" : "divided by rate") +
               "\nworks on: " + (facts.from_score ? "tracks with a score (data set synth)" : "any sound") +
               "\nmay falsify tags about: " + or_none(join_text(facts.may_falsify, ", ")) + "\n\n");
  }
  print_options(facts.parameters, format);
}

void list_perturbation_set(const PerturbationSet& set, const std::string& format) {
  if (format == "json") {
    print_text(Json{{"name", set.name}, {"summary", set.summary}, {"conditions", set.conditions}}.dump(2) + "\n");
    return;
  }
  if (format == "table") print_text(set.name + " (a set): " + set.summary + "\n\n");
  Listing listing({"condition"});
  for (const std::string& condition : set.conditions) listing.add({condition});
  listing.print(format);
}

void list_perturbations(const ListFlags& flags) {
  if (!flags.name().empty()) {
    if (const PerturbationSet* set = find_perturbation_set(flags.name()))
      return list_perturbation_set(*set, flags.format);
    return list_perturbation(find_perturbation(flags.name()).facts, flags.format);
  }
  const bool is_table = flags.format == "table";
  std::vector<std::string> columns = {"name",   "version",     "random",  "parameters",
                                      "ladder", "may_falsify", "summary", "source"};
  // The table shows the sets below; the other formats hold one list.
  if (!is_table) columns.insert(columns.end(), {"kind", "conditions"});
  Listing listing(columns);
  for (const PerturbationEntry& entry : perturbations()) {
    const PerturbationFacts& facts = entry.facts;
    std::vector<std::string> names;
    for (const OptionSpec& option : facts.parameters) names.push_back(option.name);
    std::vector<Json> values = {facts.name,
                                facts.version,
                                facts.random,
                                join_text(names, ", "),
                                join_text(facts.ladder, "; "),
                                join_text(facts.may_falsify, ", "),
                                facts.summary,
                                facts.source};
    if (!is_table) values.insert(values.end(), {"perturbation", nullptr});
    listing.add(std::move(values));
  }
  if (!is_table) {
    for (const PerturbationSet& set : perturbation_sets()) {
      listing.add({set.name, nullptr, nullptr, nullptr, nullptr, nullptr, set.summary, nullptr, "set",
                   join_text(set.conditions, "; ")});
    }
    listing.print(flags.format);
    return;
  }
  listing.print("table");
  print_text("\n");
  Listing sets({"set", "conditions", "summary"});
  for (const PerturbationSet& set : perturbation_sets())
    sets.add({set.name, join_text(set.conditions, "; "), set.summary});
  sets.print("table");
}

void list_datasets(const ListFlags& flags) {
  if (!flags.name().empty()) {
    const DatasetFacts& facts = find_dataset(flags.name()).facts;
    if (flags.format == "json") {
      Json json{{"name", facts.name},       {"summary", facts.summary}, {"source", facts.source},
                {"licence", facts.licence}, {"fetch", facts.fetch},     {"options", Json::array()}};
      for (const OptionSpec& option : facts.options) {
        json["options"].push_back({{"option", option.name},
                                   {"default", default_json(option)},
                                   {"unit", option.unit},
                                   {"range", range_text(option)},
                                   {"help", option.help}});
      }
      print_text(json.dump(2) + "\n");
      return;
    }
    if (flags.format == "table") {
      print_text(facts.name + ": " + facts.summary + "\nsource: " + facts.source + "\nlicence: " + facts.licence +
                 "\nget it: " + facts.fetch + "\n\n");
    }
    print_options(facts.options, flags.format);
    return;
  }
  // What to fetch is a paragraph each, too much for a table.
  const bool whole = flags.format != "table";
  std::vector<std::string> columns = {"name", "summary", "licence", "source"};
  if (whole) columns.emplace_back("fetch");
  Listing listing(columns);
  for (const DatasetEntry& entry : datasets()) {
    const DatasetFacts& facts = entry.facts;
    std::vector<Json> values = {facts.name, facts.summary, facts.licence, facts.source};
    if (whole) values.emplace_back(facts.fetch);
    listing.add(std::move(values));
  }
  listing.print(flags.format);
}

void list_protocols(const ListFlags& flags) {
  if (!flags.name().empty()) {
    print_text(load_protocol(flags.name()).to_json().dump(2) + "\n");
    return;
  }
  Listing listing({"name", "epochs", "batch_size", "loss", "selection", "evaluation_chunks", "source"});
  for (const std::string& name : protocol_names()) {
    const Protocol protocol = load_protocol(name);
    listing.add({name, protocol.epochs, protocol.batch_size, protocol.loss, protocol.selection,
                 protocol.evaluation_chunks, protocol.source});
  }
  listing.print(flags.format);
}

void list_metrics(const ListFlags& flags) {
  Listing listing({"name", "title", "definition"});
  std::vector<std::string> known = metric_names();
  known.insert(known.end(), decision_metric_names().begin(), decision_metric_names().end());
  const auto asked = [&](const std::string& name) {
    return flags.names.empty() || std::find(flags.names.begin(), flags.names.end(), name) != flags.names.end();
  };
  for (const std::string& name : flags.names) {
    if (std::find(known.begin(), known.end(), name) == known.end()) throw_unknown_name("metric", name, known);
  }
  for (const std::string& name : metric_names()) {
    if (asked(name)) listing.add({name, metric_title(name), metric_definition(name)});
  }
  for (const std::string& name : decision_metric_names()) {
    if (!asked(name)) continue;
    listing.add({name, name,
                 "Of yes-or-no decisions by a threshold; computed by 'tagbench check' for published values that state "
                 "how they decided"});
  }
  listing.print(flags.format);
}

void list_formats(const ListFlags& flags) {
  Listing listing({"name", "extension", "summary"});
  for (const ReportFormat& format : report_formats()) listing.add({format.name, format.extension, format.summary});
  listing.print(flags.format);
}

// Filters select values; one value may be long, so the table shows what identifies it.
void list_published(const ListFlags& flags) {
  const bool all_columns = flags.format != "table";
  Listing listing(all_columns ? published_columns()
                              : std::vector<std::string>{"source", "table", "model", "dataset", "variant", "tag",
                                                         "metric", "printed"});
  for (const PublishedValue& value : find_published(flags.names)) {
    if (all_columns) {
      std::vector<Json> fields;
      const Json json = value.to_json();
      for (const std::string& column : published_columns()) fields.emplace_back(json.at(column));
      listing.add(fields);
    } else {
      listing.add({value.source, value.table, value.model, value.dataset, value.variant, value.tag, value.metric,
                   value.printed});
    }
  }
  listing.print(flags.format);
}

int list(const ListFlags& flags) {
  if (flags.what == "models") {
    flags.name().empty() ? list_models(flags) : list_model(flags);
  } else if (flags.what == "perturbations") {
    list_perturbations(flags);
  } else if (flags.what == "datasets") {
    list_datasets(flags);
  } else if (flags.what == "protocols") {
    list_protocols(flags);
  } else if (flags.what == "metrics") {
    list_metrics(flags);
  } else if (flags.what == "formats") {
    list_formats(flags);
  } else if (flags.what == "published") {
    list_published(flags);
  } else {
    throw UsageError("list: unknown thing '" + flags.what + "'; " + suggestion(flags.what, kThings));
  }
  return 0;
}

}  // namespace

void add_list(CLI::App& app, VerbContext& context) {
  CLI::App* verb = app.add_subcommand(
      "list", "List models, datasets, perturbations, protocols, metrics, report formats or published numbers");
  auto flags = std::make_shared<ListFlags>();
  verb->add_option("what", flags->what, join_text(kThings, ", "))->required();
  verb->add_option("name", flags->names,
                   "One of them, in detail (a model with options, if wanted: fcn:n_channels=8); for published: "
                   "filters, field=text or "
                   "text");
  verb->add_option("--format", flags->format, "table (default), csv or json");
  verb->callback([flags, &context] { context.action = [flags] { return list(*flags); }; });
}

}  // namespace tagbench
