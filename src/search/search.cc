#include "search/search.h"

#include <algorithm>
#include <string>

#include "core/error.h"
#include "search/options.h"

namespace glimpse::search {
namespace {

void check_model_words(const StepModel& model, const SearchOptions& options) {
  const auto check = [&](const char* what, const std::vector<int>& ids) {
    for (const int id : ids) {
      if (id == model.end_id() || id == model.start_id()) throw_never_said(options, what, id);
    }
  };
  check("prefix", options.prefix);
  check("required", options.required);
  if (std::find(options.forbidden.begin(), options.forbidden.end(), model.end_id()) != options.forbidden.end()) {
    throw Error(ErrorCode::kUsage,
                "forbidden has " + name_of(options, model.end_id()) + ", the end of every caption; give words only");
  }
}

}  // namespace

std::vector<std::vector<Hypothesis>> search(StepModel& model, const SearchOptions& options) {
  validate(options, model.vocabulary_size());
  check_model_words(model, options);
  if (rows_needed(options) > model.rows_per_image()) {
    throw Error(ErrorCode::kUsage, "search needs " + std::to_string(rows_needed(options)) +
                                       " rows an image, its model was built with " +
                                       std::to_string(model.rows_per_image()));
  }
  if (!options.image_seeds.empty() && std::ssize(options.image_seeds) != model.images()) {
    throw Error(ErrorCode::kUsage, "search has " + std::to_string(options.image_seeds.size()) + " image seeds for " +
                                       std::to_string(model.images()) + " images");
  }
  return options.sampling ? sample(model, options) : beam_search(model, options);
}

}  // namespace glimpse::search
