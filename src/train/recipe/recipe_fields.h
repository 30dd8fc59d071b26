/// The recipe's keys: for each its name, how a value is read and written, and where it is kept. The one table that
/// reading, writing, overriding and checking share.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "train/recipe/recipe.h"

namespace glimpse::train {

struct Field {
  std::string_view key;
  /// Takes a value over; relative paths are relative to `folder`. What comes back is empty, or what the value should
  /// have been: "a whole number from 1 to 9".
  std::function<std::string(std::string_view value, const std::filesystem::path& folder)> read;
  std::function<std::string(const std::filesystem::path& folder)> write;
  /// The paths held here of what must exist before training begins.
  std::function<std::vector<std::filesystem::path>()> inputs = [] { return std::vector<std::filesystem::path>(); };
};

/// In the order in which they are written; the first, "", holds the keys before any section.
const std::vector<std::string_view>& section_names();

/// Whether the recipe has `section`; all but the stages always are there.
bool has_section(const Recipe& recipe, std::string_view section);

/// Gives the recipe the stage `section` with its defaults; nothing for sections that always are there.
void add_section(Recipe& recipe, std::string_view section);

/// "distill.epochs", or "seed" of the keys before any section.
std::string full_key(std::string_view section, std::string_view key);

/// The keys of a section that the recipe has; they refer to `recipe`, which must outlive them.
std::vector<Field> section_fields(Recipe& recipe, std::string_view section);

}  // namespace glimpse::train
