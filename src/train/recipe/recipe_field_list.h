/// Reads and writes a recipe's values by type: the fields of a section's table.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include "train/recipe/recipe_fields.h"

namespace glimpse::train {

using Path = std::filesystem::path;

/// An enumerator and how a recipe spells it.
template <typename Enum>
struct Spelling {
  Enum value;
  std::string_view text;
};

/// The shortest text that reads back as `value`.
template <typename Number>
std::string in_short(Number value) {
  std::array<char, 32> buffer = {};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return {buffer.data(), end};
}

template <typename Number>
bool parse_number(std::string_view text, Number& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

std::string join(const std::vector<std::string>& parts);          ///< with ", " between them
std::vector<std::string_view> split_list(std::string_view text);  ///< at commas, without white space around

/// Collects a section's fields.
class FieldList {
 public:
  std::vector<Field> take() { return std::move(fields_); }

  void text(std::string_view key, std::string& member);
  void texts(std::string_view key, std::vector<std::string>& member);
  void output(std::string_view key, Path& member);               ///< a path that training writes
  void input(std::string_view key, Path& member);                ///< a path that training reads
  void inputs(std::string_view key, std::vector<Path>& member);  ///< several
  void flag(std::string_view key, bool& member);                 ///< yes or no
  void fixed(std::string_view key, const std::string& member);   ///< only the text that it has already is right

  template <typename Number>
  void number(std::string_view key, Number& member, Number least, Number most) {
    constexpr bool kWhole = std::is_integral_v<Number>;
    add(
        key,
        [&member, least, most](std::string_view text, const Path&) {
          Number value = {};
          if (!parse_number(text, value) || !(value >= least && value <= most)) {
            return std::string(kWhole ? "a whole number from " : "a number from ") + in_short(least) + " to " +
                   in_short(most);
          }
          member = value;
          return std::string();
        },
        [&member](const Path&) { return in_short(member); });
  }

  template <typename Enum>
  void choice(std::string_view key, Enum& member, std::span<const Spelling<Enum>> table) {
    add(
        key,
        [&member, table](std::string_view text, const Path&) {
          std::string known;
          for (const Spelling<Enum>& row : table) {
            if (row.text == text) {
              member = row.value;
              return std::string();
            }
            known += (known.empty() ? "" : " or ") + std::string(row.text);
          }
          return known;
        },
        [&member, table](const Path&) {
          const auto found =
              std::find_if(table.begin(), table.end(), [&](const auto& row) { return row.value == member; });
          return std::string(found->text);
        });
  }

  /// `wanted` says what the numbers must be, and `is_right` whether they are.
  template <std::size_t Count>
  void numbers(std::string_view key, std::array<double*, Count> members, const std::string& wanted,
               std::function<bool(const std::array<double, Count>&)> is_right) {
    add(
        key,
        [members, wanted, is_right = std::move(is_right)](std::string_view text, const Path&) {
          const std::vector<std::string_view> parts = split_list(text);
          std::array<double, Count> values = {};
          if (parts.size() != Count) return wanted;
          for (std::size_t i = 0; i < Count; ++i) {
            if (!parse_number(parts[i], values[i]) || !std::isfinite(values[i])) return wanted;
          }
          if (!is_right(values)) return wanted;
          for (std::size_t i = 0; i < Count; ++i) *members[i] = values[i];
          return std::string();
        },
        [members](const Path&) {
          std::vector<std::string> parts;
          parts.reserve(Count);
          for (const double* member : members) parts.push_back(in_short(*member));
          return join(parts);
        });
  }

 private:
  void add(std::string_view key, decltype(Field::read) read, decltype(Field::write) write);

  std::vector<Field> fields_;
};

}  // namespace glimpse::train
