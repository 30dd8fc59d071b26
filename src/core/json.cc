#include "core/json.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

namespace glimpse {
namespace {

using Parser = nlohmann::ordered_json;

/// What the parser calls: builds the value, and breaks off before a nesting that would exhaust a stack and at a key of
/// the outermost object that is looked for.
class Builder {
 public:
  Builder(int deepest, const std::vector<std::string_view>& wanted)
      : deepest_(static_cast<std::size_t>(deepest)), wanted_(wanted) {}

  bool null() { return add({}); }
  bool boolean(bool value) { return add(value); }
  bool number_integer(std::int64_t value) { return add(value); }
  bool number_unsigned(std::uint64_t value) { return add(value); }
  bool number_float(double value, const std::string& /*text*/) { return add(value); }
  bool string(std::string& value) { return add(std::move(value)); }
  bool binary(Parser::binary_t& /*value*/) { return false; }  // never in a text
  bool start_object(std::size_t /*size*/) { return open(true); }
  bool start_array(std::size_t /*size*/) { return open(false); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool key(std::string& value) {
    open_.back().key = std::move(value);
    found_ = open_.size() == 1 && std::ranges::find(wanted_, open_.back().key) != wanted_.end();
    return !found_;
  }
  bool parse_error(std::size_t byte, const std::string& /*token*/, const Parser::exception& error) {
    const bool range = dynamic_cast<const Parser::out_of_range*>(&error) != nullptr;
    fault_ = {range ? JsonFault::Kind::kRange : JsonFault::Kind::kSyntax, byte};
    return false;
  }

  Json take() { return std::move(root_); }
  const JsonFault& fault() const { return fault_; }
  std::string found_key() const { return found_ ? open_.back().key : std::string(); }

 private:
  /// A list or an object whose end has not been read.
  struct Open {
    bool object = false;
    std::string key;
    Json::List items;
    Json::Members members;
  };

  bool add(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (open_.back().object) {
      open_.back().members.push_back({std::move(open_.back().key), std::move(value)});
    } else {
      open_.back().items.push_back(std::move(value));
    }
    return true;
  }
  bool open(bool object) {
    if (open_.size() == deepest_) {
      fault_.kind = JsonFault::Kind::kDepth;
      return false;
    }
    open_.push_back({object, {}, {}, {}});
    return true;
  }
  bool close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    return add(done.object ? Json(std::move(done.members)) : Json(std::move(done.items)));
  }

  std::size_t deepest_;
  const std::vector<std::string_view>& wanted_;
  Json root_;
  std::vector<Open> open_;
  bool found_ = false;
  JsonFault fault_;
};

template <typename Whole>
bool read_whole(const auto& stored, Whole& value) {
  const auto take = [&value](auto number) {
    if (!std::in_range<Whole>(number)) return false;
    value = static_cast<Whole>(number);
    return true;
  };
  if (const auto* number = std::get_if<std::int64_t>(&stored)) return take(*number);
  if (const auto* number = std::get_if<std::uint64_t>(&stored)) return take(*number);
  return false;
}

Parser to_parser(const Json& json) {
  if (json.is_list()) {
    Parser list = Parser::array();
    for (const Json& item : json.items()) list.push_back(to_parser(item));
    return list;
  }
  if (json.is_object()) {
    Parser object = Parser::object();
    for (const auto& [key, value] : json.members()) object[key] = to_parser(value);
    return object;
  }
  if (const auto flag = json.get<bool>()) return *flag;
  if (const auto whole = json.get<std::int64_t>()) return *whole;
  if (const auto whole = json.get<std::uint64_t>()) return *whole;
  if (const auto number = json.get<double>()) return *number;
  if (auto text = json.get<std::string>()) return *std::move(text);
  return nullptr;
}

}  // namespace

Json::Json() = default;
Json::Json(bool value) : value_(value) {}
Json::Json(int value) : value_(std::int64_t{value}) {}
Json::Json(long value) : value_(std::int64_t{value}) {}
Json::Json(long long value) : value_(std::int64_t{value}) {}
Json::Json(unsigned value) : value_(std::uint64_t{value}) {}
Json::Json(unsigned long value) : value_(std::uint64_t{value}) {}
Json::Json(unsigned long long value) : value_(std::uint64_t{value}) {}
Json::Json(double value) : value_(value) {}
Json::Json(const char* text) : value_(std::string(text)) {}
Json::Json(std::string text) : value_(std::move(text)) {}
Json::Json(std::string_view text) : value_(std::string(text)) {}
Json::Json(List items) : value_(std::move(items)) {}
Json::Json(Members members) : value_(std::move(members)) {}
Json::Json(std::initializer_list<Member> members) : value_(Members(members)) {}
Json Json::object() { return Members(); }
Json Json::list(std::initializer_list<Json> items) { return List(items); }

Json::~Json() = default;
Json::Json(const Json& other) = default;
Json::Json(Json&& other) noexcept = default;
Json& Json::operator=(const Json& other) = default;
Json& Json::operator=(Json&& other) noexcept = default;

bool Json::is_null() const { return std::holds_alternative<std::monostate>(value_); }
bool Json::is_list() const { return std::holds_alternative<List>(value_); }
bool Json::is_object() const { return std::holds_alternative<Members>(value_); }
bool Json::is_whole() const { return get<std::int64_t>() || get<std::uint64_t>(); }

bool Json::read(int& value) const { return read_whole(value_, value); }
bool Json::read(std::int64_t& value) const { return read_whole(value_, value); }
bool Json::read(std::uint64_t& value) const { return read_whole(value_, value); }

bool Json::read(bool& value) const {
  const bool* stored = std::get_if<bool>(&value_);
  if (stored != nullptr) value = *stored;
  return stored != nullptr;
}

bool Json::read(double& value) const {
  return std::visit(
      [&value](const auto& stored) {
        using Stored = std::decay_t<decltype(stored)>;
        constexpr bool kNumber = std::is_arithmetic_v<Stored> && !std::is_same_v<Stored, bool>;
        if constexpr (kNumber) value = static_cast<double>(stored);
        return kNumber;
      },
      value_);
}

bool Json::read(std::string& value) const {
  const std::string* stored = std::get_if<std::string>(&value_);
  if (stored != nullptr) value = *stored;
  return stored != nullptr;
}

const Json::List& Json::items() const {
  static const List kNone;
  const List* items = std::get_if<List>(&value_);
  return items == nullptr ? kNone : *items;
}

const Json::Members& Json::members() const {
  static const Members kNone;
  const Members* members = std::get_if<Members>(&value_);
  return members == nullptr ? kNone : *members;
}

const Json* Json::find(std::string_view key) const {
  const Members& all = members();
  const auto last = std::find_if(all.rbegin(), all.rend(), [key](const Member& member) { return member.key == key; });
  return last == all.rend() ? nullptr : &last->value;
}

const Json& Json::at(std::string_view key) const {
  static const Json kNull;
  const Json* found = find(key);
  return found == nullptr ? kNull : *found;
}

Json& Json::operator[](std::string_view key) {
  if (is_null()) value_ = Members();
  auto& all = std::get<Members>(value_);
  const auto there = std::ranges::find(all, key, &Member::key);
  return there == all.end() ? all.emplace_back(std::string(key), Json()).value : there->value;
}

void Json::push_back(Json item) {
  if (is_null()) value_ = List();
  std::get<List>(value_).push_back(std::move(item));
}

std::string Json::dump(const JsonStyle& style) const {
  const auto handler = style.lenient ? Parser::error_handler_t::replace : Parser::error_handler_t::strict;
  try {
    return to_parser(*this).dump(style.indent, ' ', style.ascii, handler);
  } catch (const Parser::exception&) {
    throw Error(ErrorCode::kUsage, "a text that is not UTF-8 cannot be written as JSON");
  }
}

std::optional<Json> parse_json(std::string_view text, int deepest, JsonFault& fault) {
  const std::vector<std::string_view> none;
  Builder builder(deepest, none);
  if (Parser::sax_parse(text, &builder)) return builder.take();
  fault = builder.fault();
  return std::nullopt;
}

Json parse_json(std::string_view text, const std::string& file, const JsonSource& source) {
  JsonFault fault;
  if (std::optional<Json> json = parse_json(text, source.deepest, fault)) return *std::move(json);
  if (fault.kind == JsonFault::Kind::kDepth) {
    throw Error(source.code,
                quote(file) + " is nested too deeply: more than " + std::to_string(source.deepest) + " levels");
  }
  const std::string_view read = text.substr(0, std::min(fault.byte, text.size()));
  // The byte that broke it is the last one read: a line break there still ends the line that is wrong.
  const std::string_view before = read.substr(0, read.empty() ? 0 : read.size() - 1);
  const auto line = source.first_line + std::ranges::count(before, '\n');
  throw Error(source.code,
              quote(file) + ", line " + std::to_string(line) +
                  (fault.kind == JsonFault::Kind::kRange ? ": a number is out of range" : ": not JSON from there on"));
}

std::string first_key(std::string_view text, const std::vector<std::string_view>& keys) {
  Builder builder(JsonSource().deepest, keys);
  Parser::sax_parse(text, &builder, Parser::input_format_t::json, false);
  return builder.found_key();
}

}  // namespace glimpse
