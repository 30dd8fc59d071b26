#include "train/recipe/recipe_terms.h"

#include <algorithm>
#include <array>

#include "core/error.h"
#include "train/recipe/recipe_fields.h"

namespace glimpse::train {
namespace {

/// Whether variants may differ in this key.
bool is_free(std::string_view section, std::string_view key) {
  constexpr std::array<std::string_view, 2> kOwn = {"name", "output"};
  constexpr std::array<std::string_view, 3> kOfEveryStage = {"epochs", "batch", "captions-per-photo"};
  if (section.empty()) return std::ranges::find(kOwn, key) != kOwn.end();
  if (section == "data" || section == "digits") return false;
  if (section == "encoder" || section == "decoder") return true;
  return std::ranges::find(kOfEveryStage, key) == kOfEveryStage.end();
}

std::string in_one_and_the_other(const std::string& what, const std::string& a, const std::string& b) {
  return what + " is " + quote(a) + " in one and " + quote(b) + " in the other";
}

}  // namespace

std::string unequal_terms(const Recipe& a, const Recipe& b) {
  Recipe first = a;
  Recipe second = b;
  for (const std::string_view section : section_names()) {
    const bool has = has_section(first, section);
    if (has != has_section(second, section)) return "stage [" + std::string(section) + "] stands in one only";
    if (!has) continue;
    const std::vector<Field> ours = section_fields(first, section);
    const std::vector<Field> theirs = section_fields(second, section);
    for (std::size_t i = 0; i < ours.size(); ++i) {
      if (is_free(section, ours[i].key)) continue;
      // Paths are compared whole, wherever the recipes stand.
      const std::string our_value = ours[i].write("/");
      const std::string their_value = theirs[i].write("/");
      if (our_value == their_value) continue;
      return in_one_and_the_other(quote(full_key(section, ours[i].key)), our_value, their_value);
    }
  }
  return {};
}

}  // namespace glimpse::train
