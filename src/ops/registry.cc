#include <array>

#include "ops/families.h"

namespace glimpse::ops {
namespace {

/// All of them, in the order in which messages name them.
const auto& operations() {
  static const std::array kOperations = {&convolution(),
                                         &batch_norm(),
                                         &activate(),
                                         &max_pool(),
                                         &average_pool(),
                                         &global_average_pool(),
                                         &adaptive_average_pool(),
                                         &add(),
                                         &multiply(),
                                         &concat(),
                                         &linear(),
                                         &squeeze_excite(),
                                         &cbam(),
                                         &self_attention(),
                                         &mix(),
                                         &embed(),
                                         &memory(),
                                         &state(),
                                         &param(),
                                         &dropout(),
                                         &lstm(),
                                         &mean(),
                                         &attend(),
                                         &read(),
                                         &unit(),
                                         &scale(),
                                         &channel_weights(),
                                         &recall()};
  return kOperations;
}

}  // namespace

const Operation* find_operation(std::string_view name, Dialect dialect) {
  for (const Operation* operation : operations()) {
    if (operation->name() == name && operation->belongs_to(dialect)) return operation;
  }
  return nullptr;
}

std::vector<std::string_view> operation_names(Dialect dialect) {
  std::vector<std::string_view> names;
  for (const Operation* operation : operations()) {
    if (operation->belongs_to(dialect)) names.push_back(operation->name());
  }
  return names;
}

const Operation& part_operation() { return part(); }

}  // namespace glimpse::ops
