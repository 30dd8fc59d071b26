#include "ops/attributes.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>

#include "core/error.h"
#include "core/text.h"
#include "dnn/math/activation.h"

namespace glimpse::ops {
namespace {

// Larger than any network needs, small enough that no product of a few of them overflows.
constexpr std::int64_t kMaxChannels = 1 << 20;
constexpr std::int64_t kMaxExtent = 1024;

bool read_integer(std::string_view text, std::int64_t min, std::int64_t max, std::int64_t& value) {
  std::int64_t parsed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), parsed);
  if (error != std::errc() || end != text.data() + text.size() || parsed < min || parsed > max) return false;
  value = parsed;
  return true;
}

bool read_float(std::string_view text, float& value) {
  float parsed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), parsed);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(parsed)) return false;
  value = parsed;
  return true;
}

/// One number for all of `count`, or as many as that between commas.
bool read_list(std::string_view text, std::int64_t min, std::int64_t* values, std::size_t count) {
  if (read_integer(text, min, kMaxExtent, values[0])) {
    std::fill_n(values + 1, count - 1, values[0]);
    return true;
  }
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t comma = text.find(',');
    if ((comma == std::string_view::npos) != (i + 1 == count)) return false;
    if (!read_integer(text.substr(0, comma), min, kMaxExtent, values[i])) return false;
    if (comma != std::string_view::npos) text.remove_prefix(comma + 1);
  }
  return true;
}

std::string listed(const std::vector<std::string_view>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " or " : ", ";
    text += names[i];
  }
  return text;
}

std::string expected(const AttributeRule& rule) {
  switch (rule.kind) {
    case AttributeKind::kCount:
      return "a whole number from 1 to 1048576";
    case AttributeKind::kSmallCount:
      return "a whole number from 1 to 1024";
    case AttributeKind::kGroups:
      return "a whole number from 1 to 1048576, or 'in' for as many as the input has channels";
    case AttributeKind::kPair:
      return "a whole number from 1 to 1024, or two as rows,cols";
    case AttributeKind::kPadding:
      return "a whole number from 0 to 1024, or four as top,left,bottom,right";
    case AttributeKind::kSwitch:
      return "0 or 1";
    case AttributeKind::kEpsilon:
      return "a number above 0, at most 1";
    case AttributeKind::kNumber:
      return "a finite number";
    case AttributeKind::kActivation:
      return listed(dnn::activation_names());
    case AttributeKind::kChoice:
      return listed(rule.choices);
    case AttributeKind::kName:
      return "0, 1 or the name of a tensor";
    case AttributeKind::kPrefix:
      return "the start of tensor names";
  }
  return {};
}

}  // namespace

/// Fills an Attributes from text.
class AttributeReader {
 public:
  AttributeReader(std::string_view op, const std::vector<AttributeRule>& rules, Attributes& attributes)
      : op_(op), rules_(rules), attributes_(attributes) {
    for (const AttributeRule& rule : rules) {
      names_.push_back(rule.name);
      if (rule.kind == AttributeKind::kActivation) names_.insert(names_.end(), {"lo", "hi"});
    }
  }

  std::optional<std::string> read(const std::vector<RawAttribute>& raw) {
    for (const auto& [key, value] : raw) {
      if (std::find(names_.begin(), names_.end(), key) == names_.end()) return unknown(key);
      if (given(key)) return std::string(key) + "= is given twice";
      given_.push_back(key);
      if (auto complaint = set(key, value)) return complaint;
    }
    for (const AttributeRule& rule : rules_) {
      if (given(rule.name)) continue;
      if (!rule.standard.empty()) {
        store(rule, rule.standard);
      } else if (!rule.optional) {
        return std::string(op_) + " needs " + std::string(rule.name) + "=";
      }
    }
    return check_bounds();
  }

 private:
  bool given(std::string_view key) const { return std::find(given_.begin(), given_.end(), key) != given_.end(); }

  std::optional<std::string> set(std::string_view key, std::string_view value) {
    if (key == "lo" || key == "hi") {
      if (read_float(value, key == "lo" ? attributes_.activation_.lo : attributes_.activation_.hi)) return std::nullopt;
      return std::string(key) + "= is " + quote(value) + ", must be a finite number";
    }
    const AttributeRule& rule =
        *std::find_if(rules_.begin(), rules_.end(), [&](const AttributeRule& known) { return known.name == key; });
    if (store(rule, value)) return std::nullopt;
    return std::string(key) + "= is " + quote(value) + ", must be " + expected(rule);
  }

  bool store(const AttributeRule& rule, std::string_view text) {
    if (rule.kind == AttributeKind::kActivation) {
      const auto kind = dnn::activation_named(text);
      if (kind) attributes_.activation_.kind = *kind;
      return kind.has_value();
    }
    if (rule.kind == AttributeKind::kPrefix) {
      attributes_.weights_ = text;
      return !text.empty();
    }
    Attributes::Value& value = attributes_.slot(rule.name);
    std::int64_t* numbers = value.numbers.data();
    switch (rule.kind) {
      case AttributeKind::kCount:
        return read_integer(text, 1, kMaxChannels, numbers[0]);
      case AttributeKind::kSmallCount:
        return read_integer(text, 1, kMaxExtent, numbers[0]);
      case AttributeKind::kGroups:
        numbers[0] = kGroupPerChannel;
        return text == "in" || read_integer(text, 1, kMaxChannels, numbers[0]);
      case AttributeKind::kPair:
        return read_list(text, 1, numbers, 2);
      case AttributeKind::kPadding:
        return read_list(text, 0, numbers, 4);
      case AttributeKind::kSwitch:
        numbers[0] = text == "1" ? 1 : 0;
        return text == "0" || text == "1";
      case AttributeKind::kEpsilon:
        return read_float(text, value.real) && value.real > 0 && value.real <= 1;
      case AttributeKind::kNumber:
        return read_float(text, value.real);
      case AttributeKind::kName:
        value.text = text;
        return text == "0" || text == "1" || (!text.empty() && std::isalpha(static_cast<unsigned char>(text[0])) != 0);
      case AttributeKind::kChoice:
        value.text = text;
        return std::find(rule.choices.begin(), rule.choices.end(), text) != rule.choices.end();
      default:
        return false;
    }
  }

  std::string unknown(std::string_view key) const {
    std::string complaint = std::string(op_) + " has no attribute " + quote(key);
    const std::string_view near = nearest(key, names_);
    if (!near.empty()) return complaint + " (did you mean " + quote(near) + "?)";
    if (names_.empty()) return complaint + ", nor any other";
    complaint += "; it has";
    for (const std::string_view name : names_) complaint.append(" ").append(name);
    return complaint;
  }

  /// lo= and hi= belong to act=clip.
  std::optional<std::string> check_bounds() const {
    const dnn::Activation& activation = attributes_.activation_;
    const bool clips = activation.kind == dnn::Activation::Kind::kClip;
    for (const std::string_view bound : {"lo", "hi"}) {
      if (clips && !given(bound)) return "act=clip needs " + std::string(bound) + "=";
      if (!clips && given(bound)) return std::string(bound) + "= belongs to act=clip";
    }
    if (clips && !(activation.lo <= activation.hi)) return "lo= is greater than hi=";
    return std::nullopt;
  }

  std::string_view op_;
  const std::vector<AttributeRule>& rules_;
  Attributes& attributes_;
  std::vector<std::string_view> names_;
  std::vector<std::string_view> given_;
};

std::optional<std::string> read_attributes(std::string_view op, const std::vector<AttributeRule>& rules,
                                           const std::vector<RawAttribute>& raw, Attributes& attributes) {
  return AttributeReader(op, rules, attributes).read(raw);
}

bool Attributes::has(std::string_view name) const {
  return std::any_of(values_.begin(), values_.end(), [&](const Value& value) { return value.name == name; });
}

const Attributes::Value& Attributes::at(std::string_view name) const {
  for (const Value& value : values_) {
    if (value.name == name) return value;
  }
  throw Error(ErrorCode::kInternal, "an operation asks for an attribute " + quote(name) + " that it does not have");
}

Attributes::Value& Attributes::slot(std::string_view name) {
  for (Value& value : values_) {
    if (value.name == name) return value;
  }
  values_.push_back({name, {}, 0, {}});
  return values_.back();
}

std::array<std::int64_t, 2> Attributes::pair(std::string_view name) const {
  const Value& value = at(name);
  return {value.numbers[0], value.numbers[1]};
}

dnn::Padding Attributes::padding() const {
  const auto& sides = at("pad").numbers;
  return {sides[0], sides[1], sides[2], sides[3]};
}

dnn::Activation Attributes::activation() const { return activation_; }

void Attributes::set_pair(std::string_view name, std::array<std::int64_t, 2> value) {
  slot(name).numbers = {value[0], value[1], 0, 0};
}

void Attributes::set_padding(const dnn::Padding& padding) {
  slot("pad").numbers = {padding.top, padding.left, padding.bottom, padding.right};
}

void Attributes::set_count(std::string_view name, std::int64_t value) { slot(name).numbers[0] = value; }

}  // namespace glimpse::ops
