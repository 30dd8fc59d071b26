/// JSON (RFC 8259, UTF-8) as glimpse reads and writes it. nlohmann/json does the work, in json.cc alone: a file that
/// includes it takes 3.4 s longer to compile, and its exceptions end there.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/error.h"

namespace glimpse {

/// How a value is written. Numbers that JSON does not have (NaN, infinities) become null.
struct JsonStyle {
  int indent = -1;       ///< spaces a level, or -1 for one line
  bool ascii = false;    ///< all else as \uXXXX, so that no reader can take it for another encoding
  bool lenient = false;  ///< bytes that are not UTF-8 become U+FFFD instead of an Error
};

/// A JSON value. Objects keep the order of their keys; of a key that stands there twice the last one counts.
class Json {
 public:
  struct Member;
  using List = std::vector<Json>;
  using Members = std::vector<Member>;

  Json();  ///< null
  Json(bool value);
  Json(int value);
  Json(long value);
  Json(long long value);
  Json(unsigned value);
  Json(unsigned long value);
  Json(unsigned long long value);
  Json(double value);
  Json(const char* text);
  Json(std::string text);
  Json(std::string_view text);
  Json(List items);
  Json(Members members);
  Json(std::initializer_list<Member> members);
  static Json object();
  static Json list(std::initializer_list<Json> items = {});
  template <typename Range>
  static Json list(const Range& values);

  ~Json();
  Json(const Json& other);
  Json(Json&& other) noexcept;
  Json& operator=(const Json& other);
  Json& operator=(Json&& other) noexcept;

  bool is_null() const;
  bool is_list() const;
  bool is_object() const;
  bool is_whole() const;  ///< a number without a fraction: 1, not 1.0

  /// The value as a bool, a number, a text or a std::vector of such; nothing where it is of another type. Whole numbers
  /// (1, not 1.0) have to fit into T; any number is a double.
  template <typename T>
  std::optional<T> get() const;

  const List& items() const;                     ///< of a list; none of any other value
  const Members& members() const;                ///< of an object; none of any other value
  const Json* find(std::string_view key) const;  ///< null where this is no object or lacks the key
  const Json& at(std::string_view key) const;    ///< JSON's null where `find` finds nothing

  /// The member of an object, made where it lacks one; null becomes an object.
  Json& operator[](std::string_view key);
  /// Null becomes a list.
  void push_back(Json item);

  /// Throws Error(kUsage) for text that is not UTF-8 where the style is not lenient.
  std::string dump(const JsonStyle& style = {}) const;

 private:
  bool read(bool& value) const;
  bool read(int& value) const;
  bool read(std::int64_t& value) const;
  bool read(std::uint64_t& value) const;
  bool read(double& value) const;
  bool read(std::string& value) const;
  template <typename T>
  bool read(std::vector<T>& values) const;

  std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, List, Members> value_;
};

struct Json::Member {
  std::string key;
  Json value;
};

/// Why a text is not JSON as it should be, and how many of its bytes had been read by then.
struct JsonFault {
  enum class Kind {
    kSyntax,
    kRange,  ///< a number that no double can hold
    kDepth,  ///< too many arrays and objects inside each other
  };
  Kind kind = Kind::kSyntax;
  std::size_t byte = 0;
};

/// How a text is spoken of, and what it may be.
struct JsonSource {
  ErrorCode code = ErrorCode::kUsage;  ///< of the errors
  int deepest = 16;                    ///< arrays and objects inside each other
  int first_line = 1;                  ///< the line of the file that the text begins on
};

/// Throws Error with `file` and the line where `text` breaks off being JSON, has a number that no double can hold, or
/// is nested too deeply.
Json parse_json(std::string_view text, const std::string& file, const JsonSource& source = {});

/// Nothing where the text is not JSON; `fault` then says why.
std::optional<Json> parse_json(std::string_view text, int deepest, JsonFault& fault);

/// The first key of the outermost object that is one of `keys`, or nothing. Reading stops there: what comes after it
/// need not be JSON.
std::string first_key(std::string_view text, const std::vector<std::string_view>& keys);

template <typename Range>
Json Json::list(const Range& values) {
  List items;
  for (const auto& value : values) items.emplace_back(value);
  return items;
}

template <typename T>
std::optional<T> Json::get() const {
  T value{};
  if (!read(value)) return std::nullopt;
  return value;
}

template <typename T>
bool Json::read(std::vector<T>& values) const {
  if (!is_list()) return false;
  for (const Json& item : items()) {
    if (!item.read(values.emplace_back())) return false;
  }
  return true;
}

}  // namespace glimpse
