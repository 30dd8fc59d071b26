/// Which attributes each op has, and how their text becomes values. Internal to net.
#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/graph.h"

namespace glimpse::net {

struct OpRule {
  Op op;
  std::string_view name;
  std::size_t min_inputs;
  std::size_t max_inputs;
  std::vector<std::string_view> required;
  std::vector<std::string_view> optional;
};

/// The rule of the op spelt `name`, or nothing.
const OpRule* find_rule(std::string_view name);
const OpRule& rule_of(Op op);
std::vector<std::string_view> op_names();

struct RawAttribute {
  std::string_view key;
  std::string_view value;
};

/// Sets what `raw` says and fills in defaults. A complaint comes back where something is unknown, missing, given twice,
/// malformed, out of range or in conflict; nothing where all is well.
std::optional<std::string> read_attributes(const OpRule& rule, const std::vector<RawAttribute>& raw,
                                           Attributes& attributes);

}  // namespace glimpse::net
