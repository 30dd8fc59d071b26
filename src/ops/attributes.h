/// A node's attributes, `key=value` in the graph's text: which an operation has, and what a node says of them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dnn/plan/plan.h"

namespace glimpse::ops {

/// What the text of an attribute may be.
enum class AttributeKind {
  kCount,       ///< a whole number from 1 to 1048576
  kSmallCount,  ///< a whole number from 1 to 1024
  kGroups,      ///< a count, or `in`: one group a channel
  kPair,        ///< one number or rows,cols, each from 1 to 1024
  kPadding,     ///< one number or top,left,bottom,right, each from 0 to 1024
  kSwitch,      ///< 0 or 1
  kEpsilon,     ///< a number above 0, at most 1
  kNumber,      ///< a finite number
  kActivation,  ///< the name of an activation; brings lo= and hi= with it, which belong to clip
  kChoice,      ///< one of AttributeRule::choices
  kName,        ///< 0, 1, or names of tensors between commas
  kPrefix       ///< the start of tensor names
};

/// One attribute of an operation.
struct AttributeRule {
  std::string_view name;
  AttributeKind kind = AttributeKind::kCount;
  /// As the text would say it. None: the attribute is required, unless `optional`.
  std::string_view standard = {};
  bool optional = false;                       ///< may be absent without a standard; Attributes::has tells
  std::vector<std::string_view> choices = {};  ///< of kChoice
};

/// Groups of a convolution that has as many as its input has channels.
inline constexpr std::int64_t kGroupPerChannel = 0;

/// The values, standards filled in. Asking for an attribute that the operation's rules do not name, or for a value of
/// another kind, is a mistake in the operation's own code and throws Error(kInternal).
class Attributes {
 public:
  bool has(std::string_view name) const;  ///< given, or by standard
  std::int64_t count(std::string_view name) const { return at(name).numbers[0]; }
  bool flag(std::string_view name) const { return at(name).numbers[0] != 0; }
  std::array<std::int64_t, 2> pair(std::string_view name) const;  ///< rows, columns
  dnn::Padding padding() const;                                   ///< pad=
  float number(std::string_view name) const { return at(name).real; }
  const std::string& text(std::string_view name) const { return at(name).text; }
  dnn::Activation activation() const;                      ///< act=; kNone where the operation has none
  const std::string& weights() const { return weights_; }  ///< what the node's tensors' names start with

  void set_weights(std::string prefix) { weights_ = std::move(prefix); }
  void set_pair(std::string_view name, std::array<std::int64_t, 2> value);
  void set_padding(const dnn::Padding& padding);
  void set_count(std::string_view name, std::int64_t value);

 private:
  friend class AttributeReader;
  struct Value {
    std::string_view name;  // of the rule, which lives for ever
    std::array<std::int64_t, 4> numbers = {};
    float real = 0;
    std::string text;
  };
  const Value& at(std::string_view name) const;
  Value& slot(std::string_view name);

  std::vector<Value> values_;
  dnn::Activation activation_;
  std::string weights_;
};

struct RawAttribute {
  std::string_view key;
  std::string_view value;
};

/// Reads what `raw` says by `rules` and fills in standards. A complaint comes back where something is unknown, missing,
/// given twice, malformed, out of range or in conflict; nothing where all is well. `op` is what messages call it.
std::optional<std::string> read_attributes(std::string_view op, const std::vector<AttributeRule>& rules,
                                           const std::vector<RawAttribute>& raw, Attributes& attributes);

}  // namespace glimpse::ops
