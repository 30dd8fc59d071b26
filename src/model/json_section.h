/// Reads a model's JSON key by key; every error is an Error(kModel) with file, key and value. Shared by all kinds of
/// model.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/json.h"

namespace glimpse {

/// An enumerator and how a file spells it.
template <typename Enum>
struct Spelling {
  Enum value;
  std::string_view text;
};

template <typename Enum>
std::string_view spell(std::span<const Spelling<Enum>> table, Enum value) {
  for (const Spelling<Enum>& row : table)
    if (row.value == value) return row.text;
  return {};
}

/// One object of the file. A cheap handle.
class JsonSection {
 public:
  /// `text` is the whole description, `file` what messages call it.
  static JsonSection parse(std::string_view text, const std::string& file);

  [[noreturn]] void fail(std::string_view key, const std::string& what) const;

  /// A later version than `known` is refused, where the file says one.
  void check_version(int known) const;
  void allow_only(const std::vector<std::string_view>& keys) const;
  bool has(std::string_view key) const;
  JsonSection section(std::string_view key) const;
  std::string text(std::string_view key) const;  ///< not empty
  std::vector<std::string> texts(std::string_view key) const;
  int whole(std::string_view key, int least, int most) const;
  std::vector<int> whole_list(std::string_view key, int least, int most) const;
  double real(std::string_view key, double least, double most) const;
  std::array<double, 3> triple(std::string_view key) const;
  std::string object(std::string_view key) const;  ///< the object there, as JSON text

  template <typename Enum>
  Enum choice(std::string_view key, std::span<const Spelling<Enum>> table) const {
    const std::string value = text(key);
    std::string known;
    for (const Spelling<Enum>& row : table) {
      if (row.text == value) return row.value;
      known += (known.empty() ? "" : ", ") + quote(row.text);
    }
    fail(key, "is " + quote(value) + "; known are " + known);
  }

 private:
  JsonSection(std::shared_ptr<const Json> json, std::string file, std::string name);

  std::shared_ptr<const Json> json_;  ///< a part of the file's, which lives as long
  std::string file_;
  std::string name_;
};

}  // namespace glimpse
