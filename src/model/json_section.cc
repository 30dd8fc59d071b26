#include "model/json_section.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/text.h"

namespace glimpse {
namespace {

using Json = nlohmann::ordered_json;

Json parse_text(std::string_view text, const std::string& file) {
  constexpr int kDeepest = 16;
  const auto check = [&](int depth, Json::parse_event_t, Json&) {
    if (depth > kDeepest) throw Error(ErrorCode::kModel, quote(file) + " is nested too deeply");
    return true;
  };
  try {
    return Json::parse(text, check);
  } catch (const Json::parse_error& error) {
    throw Error(ErrorCode::kModel,
                quote(file) + " is not JSON: it breaks off being so at byte " + std::to_string(error.byte));
  } catch (const Json::exception&) {
    throw Error(ErrorCode::kModel, quote(file) + " is not JSON: a number in it is out of range");
  }
}

const Json& value_at(const Json& json, std::string_view key, const JsonSection& section) {
  const auto found = json.find(key);
  if (found == json.end()) section.fail(key, "is missing");
  return *found;
}

int whole_number(const Json& value, std::string_view key, int least, int most, const JsonSection& section) {
  if (!value.is_number_integer() || value.get<std::int64_t>() < least || value.get<std::int64_t>() > most) {
    section.fail(key, "is " + value.dump(-1, ' ', true, Json::error_handler_t::replace).substr(0, 60) +
                          ", not a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return value.get<int>();
}

}  // namespace

struct JsonSection::Node {
  Json json;
};

JsonSection::JsonSection(std::shared_ptr<const Node> node, std::string file, std::string name)
    : node_(std::move(node)), file_(std::move(file)), name_(std::move(name)) {
  if (!node_->json.is_object()) fail("", "is not an object");
}

JsonSection JsonSection::parse(std::string_view text, const std::string& file) {
  return {std::make_shared<const Node>(Node{parse_text(text, file)}), file, ""};
}

void JsonSection::fail(std::string_view key, const std::string& what) const {
  std::string path = name_;
  if (!path.empty() && !key.empty()) path += '.';
  path += key;
  throw Error(ErrorCode::kModel,
              quote(file_) + ": " + (path.empty() ? "the model description" : quote(path)) + ' ' + what);
}

void JsonSection::check_version(int known) const {
  const auto version = node_->json.find("version");
  if (version == node_->json.end() || *version == known) return;
  fail("version", "is " + version->dump().substr(0, 20) + "; this glimpse reads version " + std::to_string(known) +
                      ", so a newer glimpse may be needed");
}

void JsonSection::allow_only(const std::vector<std::string_view>& keys) const {
  for (const auto& [key, unused] : node_->json.items()) {
    if (std::find(keys.begin(), keys.end(), key) != keys.end()) continue;
    const std::string_view near = nearest(key, keys);
    fail(key, "is not a known key" + (near.empty() ? std::string() : "; did you mean " + quote(near) + "?"));
  }
}

bool JsonSection::has(std::string_view key) const { return node_->json.contains(key); }

JsonSection JsonSection::section(std::string_view key) const {
  return {std::make_shared<const Node>(Node{value_at(node_->json, key, *this)}), file_,
          name_.empty() ? std::string(key) : name_ + '.' + std::string(key)};
}

std::string JsonSection::text(std::string_view key) const {
  const Json& value = value_at(node_->json, key, *this);
  if (!value.is_string() || value.get_ref<const std::string&>().empty()) fail(key, "is not a text");
  return value.get<std::string>();
}

std::vector<std::string> JsonSection::texts(std::string_view key) const {
  const Json& list = value_at(node_->json, key, *this);
  if (!list.is_array()) fail(key, "is not a list of texts");
  std::vector<std::string> values;
  for (const Json& value : list) {
    if (!value.is_string()) fail(key, "is not a list of texts");
    values.push_back(value.get<std::string>());
  }
  return values;
}

int JsonSection::whole(std::string_view key, int least, int most) const {
  return whole_number(value_at(node_->json, key, *this), key, least, most, *this);
}

std::vector<int> JsonSection::whole_list(std::string_view key, int least, int most) const {
  const Json& list = value_at(node_->json, key, *this);
  if (!list.is_array()) fail(key, "is not a list");
  std::vector<int> values;
  for (const Json& entry : list) values.push_back(whole_number(entry, key, least, most, *this));
  return values;
}

double JsonSection::real(std::string_view key, double least, double most) const {
  const Json& value = value_at(node_->json, key, *this);
  if (!value.is_number() || !(value.get<double>() >= least && value.get<double>() <= most)) {
    fail(key, "is no number from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return value.get<double>();
}

std::array<double, 3> JsonSection::triple(std::string_view key) const {
  const Json& list = value_at(node_->json, key, *this);
  if (!list.is_array() || list.size() != 3) fail(key, "is not a list of three numbers");
  std::array<double, 3> values = {};
  for (std::size_t i = 0; i < 3; ++i) {
    if (!list[i].is_number() || !std::isfinite(list[i].get<double>())) fail(key, "is not a list of three numbers");
    values[i] = list[i].get<double>();
  }
  return values;
}

std::string JsonSection::object(std::string_view key) const {
  const Json& value = value_at(node_->json, key, *this);
  if (!value.is_object()) fail(key, "is not an object");
  return value.dump();
}

}  // namespace glimpse
