#pragma once

#include <memory>
#include <string>
#include <utility>

#include "perturbations/perturbation.h"

namespace tagbench {

// Registry entry of a class with a static function `described()` that gives its facts and a constructor from Options.
template <typename Kind>
PerturbationEntry entry_of() {
  return {Kind::described(),
          [](const Options& options) -> std::unique_ptr<Perturbation> { return std::make_unique<Kind>(options); }};
}

// A number without a default.
inline OptionSpec required_real(std::string name, std::string unit, double minimum, double maximum, std::string help) {
  OptionSpec option = real_option(std::move(name), "", std::move(unit), minimum, maximum, std::move(help));
  option.required = true;
  return option;
}

}  // namespace tagbench
