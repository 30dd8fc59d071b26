#include "core/json_check.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace glimpse {
namespace {

using Json = nlohmann::json;

/// Takes part in parsing without keeping anything.
class Gate : public nlohmann::json_sax<Json> {
 public:
  explicit Gate(int deepest) : deepest_(deepest) {}

  bool null() override { return true; }
  bool boolean(bool /*value*/) override { return true; }
  bool number_integer(number_integer_t /*value*/) override { return true; }
  bool number_unsigned(number_unsigned_t /*value*/) override { return true; }
  bool number_float(number_float_t /*value*/, const string_t& /*text*/) override { return true; }
  bool string(string_t& /*value*/) override { return true; }
  bool binary(binary_t& /*value*/) override { return true; }
  bool start_object(std::size_t /*elements*/) override { return deeper(); }
  bool key(string_t& /*value*/) override { return true; }
  bool end_object() override { return shallower(); }
  bool start_array(std::size_t /*elements*/) override { return deeper(); }
  bool end_array() override { return shallower(); }
  bool parse_error(std::size_t position, const std::string& /*token*/, const Json::exception& error) override {
    position_ = position;
    out_of_range_ = dynamic_cast<const Json::out_of_range*>(&error) != nullptr;
    return false;
  }

  bool too_deep() const { return depth_ > deepest_; }
  bool out_of_range() const { return out_of_range_; }
  std::size_t position() const { return position_; }  ///< bytes read when it broke off

 private:
  bool deeper() { return ++depth_ <= deepest_; }
  bool shallower() {
    --depth_;
    return true;
  }

  int deepest_;
  int depth_ = 0;
  bool out_of_range_ = false;
  std::size_t position_ = 0;
};

}  // namespace

void check_json(std::string_view text, const std::string& file, const JsonCheck& check) {
  Gate gate(check.deepest);
  if (Json::sax_parse(text, &gate)) return;
  if (gate.too_deep()) {
    throw Error(check.code,
                quote(file) + " is nested too deeply: more than " + std::to_string(check.deepest) + " levels");
  }
  const std::string_view read = text.substr(0, std::min(gate.position(), text.size()));
  // The byte that broke it is the last one read: a line break there still ends the line that is wrong.
  const std::string_view before = read.substr(0, read.empty() ? 0 : read.size() - 1);
  const auto line = check.first_line + std::count(before.begin(), before.end(), '\n');
  throw Error(check.code, quote(file) + ", line " + std::to_string(line) +
                              (gate.out_of_range() ? ": a number is out of range" : ": not JSON from there on"));
}

}  // namespace glimpse
