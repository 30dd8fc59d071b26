#include "model/json_section.h"

#include <algorithm>
#include <utility>

#include "core/text.h"

namespace glimpse {
namespace {

const Json& value_at(const Json& json, std::string_view key, const JsonSection& section) {
  const Json* found = json.find(key);
  if (found == nullptr) section.fail(key, "is missing");
  return *found;
}

int whole_number(const Json& value, std::string_view key, int least, int most, const JsonSection& section) {
  const auto whole = value.get<int>();
  if (!whole || *whole < least || *whole > most) {
    section.fail(key, "is " + value.dump({.ascii = true}).substr(0, 60) + ", not a whole number from " +
                          std::to_string(least) + " to " + std::to_string(most));
  }
  return *whole;
}

}  // namespace

JsonSection::JsonSection(std::shared_ptr<const Json> json, std::string file, std::string name)
    : json_(std::move(json)), file_(std::move(file)), name_(std::move(name)) {
  if (!json_->is_object()) fail("", "is not an object");
}

JsonSection JsonSection::parse(std::string_view text, const std::string& file) {
  return {std::make_shared<const Json>(parse_json(text, file, {.code = ErrorCode::kModel})), file, ""};
}

void JsonSection::fail(std::string_view key, const std::string& what) const {
  std::string path = name_;
  if (!path.empty() && !key.empty()) path += '.';
  path += key;
  throw Error(ErrorCode::kModel,
              quote(file_) + ": " + (path.empty() ? "the model description" : quote(path)) + ' ' + what);
}

void JsonSection::check_version(int known) const {
  const Json* version = json_->find("version");
  if (version == nullptr || version->get<int>() == known) return;
  fail("version", "is " + version->dump().substr(0, 20) + "; this glimpse reads version " + std::to_string(known) +
                      ", so a newer glimpse may be needed");
}

void JsonSection::allow_only(const std::vector<std::string_view>& keys) const {
  for (const auto& [key, unused] : json_->members()) {
    if (std::find(keys.begin(), keys.end(), key) != keys.end()) continue;
    const std::string_view near = nearest(key, keys);
    fail(key, "is not a known key" + (near.empty() ? std::string() : "; did you mean " + quote(near) + "?"));
  }
}

bool JsonSection::has(std::string_view key) const { return json_->find(key) != nullptr; }

JsonSection JsonSection::section(std::string_view key) const {
  return {std::shared_ptr<const Json>(json_, &value_at(*json_, key, *this)), file_,
          name_.empty() ? std::string(key) : name_ + '.' + std::string(key)};
}

std::string JsonSection::text(std::string_view key) const {
  const auto value = value_at(*json_, key, *this).get<std::string>();
  if (!value || value->empty()) fail(key, "is not a text");
  return *value;
}

std::vector<std::string> JsonSection::texts(std::string_view key) const {
  const auto values = value_at(*json_, key, *this).get<std::vector<std::string>>();
  if (!values) fail(key, "is not a list of texts");
  return *values;
}

int JsonSection::whole(std::string_view key, int least, int most) const {
  return whole_number(value_at(*json_, key, *this), key, least, most, *this);
}

std::vector<int> JsonSection::whole_list(std::string_view key, int least, int most) const {
  const Json& list = value_at(*json_, key, *this);
  if (!list.is_list()) fail(key, "is not a list");
  std::vector<int> values;
  for (const Json& entry : list.items()) values.push_back(whole_number(entry, key, least, most, *this));
  return values;
}

double JsonSection::real(std::string_view key, double least, double most) const {
  const auto value = value_at(*json_, key, *this).get<double>();
  if (!value || !(*value >= least && *value <= most)) {
    fail(key, "is no number from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return *value;
}

std::array<double, 3> JsonSection::triple(std::string_view key) const {
  const auto list = value_at(*json_, key, *this).get<std::vector<double>>();
  if (!list || list->size() != 3) fail(key, "is not a list of three numbers");
  return {(*list)[0], (*list)[1], (*list)[2]};
}

std::string JsonSection::object(std::string_view key) const {
  const Json& value = value_at(*json_, key, *this);
  if (!value.is_object()) fail(key, "is not an object");
  return value.dump();
}

}  // namespace glimpse
