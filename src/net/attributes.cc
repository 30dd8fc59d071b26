#include "net/attributes.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/error.h"
#include "core/text.h"

namespace glimpse::net {
namespace {

constexpr std::size_t kAnyNumber = std::numeric_limits<std::size_t>::max();

const std::vector<OpRule>& rules() {
  static const std::vector<OpRule> kRules = {
      {Op::kConv, "conv", 1, 1, {"out", "k"}, {"s", "pad", "dilation", "groups", "bias", "act", "lo", "hi", "weights"}},
      {Op::kBatchNorm, "batchnorm", 1, 1, {}, {"eps", "act", "lo", "hi", "weights"}},
      {Op::kAct, "act", 1, 1, {"act"}, {"lo", "hi"}},
      {Op::kMaxPool, "maxpool", 1, 1, {"k"}, {"s", "pad", "ceil"}},
      {Op::kAvgPool, "avgpool", 1, 1, {"k"}, {"s", "pad", "ceil", "count_pad"}},
      {Op::kGlobalAvgPool, "globalavgpool", 1, 1, {}, {}},
      {Op::kAdaptiveAvgPool, "adaptiveavgpool", 1, 1, {"size"}, {}},
      {Op::kAdd, "add", 2, 2, {}, {"act", "lo", "hi"}},
      {Op::kMul, "mul", 2, 2, {}, {"act", "lo", "hi"}},
      {Op::kConcat, "concat", 1, kAnyNumber, {}, {}},
      {Op::kLinear, "linear", 1, 1, {"out"}, {"bias", "act", "lo", "hi", "weights"}},
      {Op::kSe, "se", 1, 1, {}, {"squeeze", "r", "weights"}},
      {Op::kCbam, "cbam", 1, 1, {}, {"squeeze", "r", "k", "weights"}},
      {Op::kSelfAttention, "selfattention", 1, 1, {"heads"}, {"eps", "weights"}},
  };
  return kRules;
}

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

/// `count` numbers between commas.
bool read_list(std::string_view text, std::int64_t min, std::int64_t* values, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t comma = text.find(',');
    if ((comma == std::string_view::npos) != (i + 1 == count)) return false;
    if (!read_integer(text.substr(0, comma), min, kMaxExtent, values[i])) return false;
    if (comma != std::string_view::npos) text.remove_prefix(comma + 1);
  }
  return true;
}

bool read_pair(std::string_view text, std::array<std::int64_t, 2>& pair) {
  if (read_integer(text, 1, kMaxExtent, pair[0])) {
    pair[1] = pair[0];
    return true;
  }
  return read_list(text, 1, pair.data(), pair.size());
}

bool read_padding(std::string_view text, dnn::Padding& padding) {
  std::int64_t all = 0;
  if (read_integer(text, 0, kMaxExtent, all)) {
    padding = {all, all, all, all};
    return true;
  }
  std::array<std::int64_t, 4> sides = {};
  if (!read_list(text, 0, sides.data(), sides.size())) return false;
  padding = {sides[0], sides[1], sides[2], sides[3]};
  return true;
}

bool read_switch(std::string_view text, bool& value) {
  if (text != "0" && text != "1") return false;
  value = text == "1";
  return true;
}

struct ActivationName {
  std::string_view name;
  dnn::Activation::Kind kind;
};
constexpr std::array<ActivationName, 6> kActivations = {{{"none", dnn::Activation::Kind::kNone},
                                                         {"relu", dnn::Activation::Kind::kRelu},
                                                         {"clip", dnn::Activation::Kind::kClip},
                                                         {"sigmoid", dnn::Activation::Kind::kSigmoid},
                                                         {"tanh", dnn::Activation::Kind::kTanh},
                                                         {"hardswish", dnn::Activation::Kind::kHardSwish}}};

bool read_activation(std::string_view text, dnn::Activation& activation) {
  for (const ActivationName& known : kActivations) {
    if (known.name != text) continue;
    activation.kind = known.kind;
    return true;
  }
  return false;
}

struct AttributeRule {
  std::string_view name;
  bool (*read)(std::string_view text, Attributes& attributes);
  std::string_view expected;
};

constexpr std::string_view kChannels = "a whole number from 1 to 1048576";
constexpr std::string_view kPair = "a whole number from 1 to 1024, or two as rows,cols";

constexpr std::array<AttributeRule, 18> kAttributes = {{
    {"out", [](std::string_view t, Attributes& a) { return read_integer(t, 1, kMaxChannels, a.out); }, kChannels},
    {"k", [](std::string_view t, Attributes& a) { return read_pair(t, a.kernel); }, kPair},
    {"s", [](std::string_view t, Attributes& a) { return read_pair(t, a.stride); }, kPair},
    {"dilation", [](std::string_view t, Attributes& a) { return read_pair(t, a.dilation); }, kPair},
    {"size", [](std::string_view t, Attributes& a) { return read_pair(t, a.size); }, kPair},
    {"pad", [](std::string_view t, Attributes& a) { return read_padding(t, a.padding); },
     "a whole number from 0 to 1024, or four as top,left,bottom,right"},
    {"groups",
     [](std::string_view t, Attributes& a) {
       if (t != "in") return read_integer(t, 1, kMaxChannels, a.groups);
       a.groups = kGroupPerChannel;
       return true;
     },
     "a whole number from 1 to 1048576, or 'in' for as many as the input has channels"},
    {"bias", [](std::string_view t, Attributes& a) { return read_switch(t, a.bias); }, "0 or 1"},
    {"ceil", [](std::string_view t, Attributes& a) { return read_switch(t, a.ceil_mode); }, "0 or 1"},
    {"count_pad", [](std::string_view t, Attributes& a) { return read_switch(t, a.count_padding); }, "0 or 1"},
    {"squeeze", [](std::string_view t, Attributes& a) { return read_integer(t, 1, kMaxChannels, a.squeeze); },
     kChannels},
    {"r", [](std::string_view t, Attributes& a) { return read_integer(t, 1, kMaxChannels, a.reduction); }, kChannels},
    {"heads", [](std::string_view t, Attributes& a) { return read_integer(t, 1, kMaxExtent, a.heads); },
     "a whole number from 1 to 1024"},
    {"eps",
     [](std::string_view t, Attributes& a) { return read_float(t, a.epsilon) && a.epsilon > 0 && a.epsilon <= 1; },
     "a number above 0, at most 1"},
    {"act", [](std::string_view t, Attributes& a) { return read_activation(t, a.activation); },
     "none, relu, clip, sigmoid, tanh or hardswish"},
    {"lo", [](std::string_view t, Attributes& a) { return read_float(t, a.activation.lo); }, "a finite number"},
    {"hi", [](std::string_view t, Attributes& a) { return read_float(t, a.activation.hi); }, "a finite number"},
    {"weights",
     [](std::string_view t, Attributes& a) {
       a.weights = t;
       return !t.empty();
     },
     "the start of tensor names"},
}};

const AttributeRule& attribute_rule(std::string_view name) {
  return *std::find_if(kAttributes.begin(), kAttributes.end(),
                       [&](const AttributeRule& rule) { return rule.name == name; });
}

bool contains(const std::vector<std::string_view>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string unknown_attribute(const OpRule& rule, std::string_view key) {
  std::vector<std::string_view> names = rule.required;
  names.insert(names.end(), rule.optional.begin(), rule.optional.end());
  std::string complaint = std::string(rule.name) + " has no attribute " + quote(key);
  const std::string_view near = nearest(key, names);
  if (!near.empty()) return complaint + " (did you mean " + quote(near) + "?)";
  if (names.empty()) return complaint + ", nor any other";
  complaint += "; it has";
  for (const std::string_view name : names) complaint.append(" ").append(name);
  return complaint;
}

/// What single attributes cannot see: those that only make sense together.
std::optional<std::string> check_combination(Op op, const std::vector<std::string_view>& given, const Attributes& a) {
  const bool clips = a.activation.kind == dnn::Activation::Kind::kClip;
  for (const std::string_view bound : {"lo", "hi"}) {
    if (clips && !contains(given, bound)) return "act=clip needs " + std::string(bound) + "=";
    if (!clips && contains(given, bound)) return std::string(bound) + "= belongs to act=clip";
  }
  if (clips && !(a.activation.lo <= a.activation.hi)) return "lo= is greater than hi=";
  if (contains(given, "squeeze") && contains(given, "r")) return "squeeze= and r= exclude each other";
  if (op == Op::kCbam && (a.kernel[0] % 2 == 0 || a.kernel[1] % 2 == 0)) return "k= must be odd";
  if (op != Op::kMaxPool && op != Op::kAvgPool) return std::nullopt;
  // Every window must see some of the input: the mean or maximum of padding alone means nothing.
  const auto& pad = a.padding;
  if (std::max(pad.top, pad.bottom) >= a.kernel[0] || std::max(pad.left, pad.right) >= a.kernel[1]) {
    return "pad= must be less than k=";
  }
  return std::nullopt;
}

}  // namespace

const OpRule* find_rule(std::string_view name) {
  for (const OpRule& rule : rules())
    if (rule.name == name) return &rule;
  return nullptr;
}

const OpRule& rule_of(Op op) { return rules()[static_cast<std::size_t>(op)]; }

std::vector<std::string_view> op_names() {
  std::vector<std::string_view> names;
  for (const OpRule& rule : rules()) names.push_back(rule.name);
  return names;
}

std::optional<std::string> read_attributes(const OpRule& rule, const std::vector<RawAttribute>& raw,
                                           Attributes& attributes) {
  std::vector<std::string_view> given;
  if (rule.op == Op::kCbam) attributes.kernel = {7, 7};
  for (const auto& [key, value] : raw) {
    if (!contains(rule.required, key) && !contains(rule.optional, key)) return unknown_attribute(rule, key);
    if (contains(given, key)) return std::string(key) + "= is given twice";
    given.push_back(key);
    const AttributeRule& attribute = attribute_rule(key);
    if (!attribute.read(value, attributes)) {
      return std::string(key) + "= is " + quote(value) + ", must be " + std::string(attribute.expected);
    }
  }
  for (const std::string_view name : rule.required)
    if (!contains(given, name)) return std::string(rule.name) + " needs " + std::string(name) + "=";
  const bool pools = rule.op == Op::kMaxPool || rule.op == Op::kAvgPool;
  if (pools && !contains(given, "s")) attributes.stride = attributes.kernel;
  return check_combination(rule.op, given, attributes);
}

}  // namespace glimpse::net
