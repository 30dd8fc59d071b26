#include "autograd/attention_ops.h"
#include "autograd/row_ops.h"
#include "ops/families.h"
#include "ops/plan_context.h"
#include "ops/tape_context.h"

namespace glimpse::ops {
namespace {

using train::Variable;

constexpr std::int64_t kMaxScores = std::int64_t{1} << 30;

/// selfattention: heads= · eps=1e-5. An encoder layer's attention (Vaswani et al. 2017): norm(x +
/// out(attention(in(x)))), what every cell reads of all others, added to it. in_proj.weight [3·C, C] (queries, keys,
/// values), out_proj.weight [C, C], norm.weight [C]; biases.
class SelfAttention final : public Operation {
 public:
  std::string_view name() const override { return "selfattention"; }
  std::vector<AttributeRule> attributes() const override {
    return {{"heads", AttributeKind::kSmallCount},
            {"eps", AttributeKind::kEpsilon, "1e-5"},
            {"weights", AttributeKind::kPrefix, {}, true}};
  }

  Shape shape(const NodeView& view) const override {
    const Shape& src = view.src();
    const std::int64_t heads = view.attributes().count("heads");
    if (src[1] % heads != 0) {
      view.fail("heads=" + std::to_string(heads) + " must divide its " + std::to_string(src[1]) + " input channels");
    }
    // Every cell's scores of every other stand in memory at once.
    const std::int64_t cells = src[2] * src[3];
    if (cells > kMaxScores / cells || src[0] * heads > kMaxScores / (cells * cells)) {
      view.fail("a map of " + to_string(src) + " has too many cells to look at each other");
    }
    return src;
  }

  void tensors(const NodeView& view, TensorList& list) const override {
    const std::int64_t channels = view.src()[1];
    list.add_affine(".in_proj", {3 * channels, channels}, true);
    list.add_affine(".out_proj", {channels, channels}, true);
    list.add(".norm.weight", {channels}, TensorSpec::Role::kScale);
    list.add(".norm.bias", {channels}, TensorSpec::Role::kShift);
  }

  /// Four maps of each cell; scores and sums of each pair.
  std::int64_t multiply_adds(const NodeView& view) const override {
    const Shape& src = view.src();
    return src[0] * src[2] * src[3] * src[1] * (4 * src[1] + 2 * src[2] * src[3]);
  }

  dnn::Value plan(PlanContext& context) const override {
    const Attributes& a = context.attributes();
    const dnn::Value in = cellwise(context, ".in", context.src(), ".in_proj", std::nullopt);
    const dnn::Value read = context.builder.self_attention(context.name() + ".read", in, a.count("heads"));
    const dnn::Value sum = cellwise(context, ".out", read, ".out_proj", context.src());
    const Affine& norm = context.keep(context.affine(".norm", true));
    return context.builder.layer_norm(context.name(), sum, norm.weight, *norm.bias, a.number("eps"));
  }

  Variable tape(TapeContext& context) const override {
    const Attributes& a = context.attributes();
    train::Tape& tape = context.tape;
    const Shape shape = context.src().shape();
    const std::int64_t cells = shape[2] * shape[3];
    const auto layer = [&](const Variable& rows, const std::string& part) {
      return train::linear(tape, rows, context.tensor(part + ".weight"), context.tensor(part + ".bias"));
    };
    const Variable rows = train::reshape(tape, train::cells(tape, context.src()), {shape[0] * cells, shape[1]});
    const Variable read = train::self_attention(tape, layer(rows, ".in_proj"), cells, a.count("heads"));
    const Variable sum = train::add(tape, layer(read, ".out_proj"), rows);
    const Variable normalised =
        train::layer_norm(tape, sum, context.tensor(".norm.weight"), context.tensor(".norm.bias"), a.number("eps"));
    return train::map_of_cells(tape, normalised, shape);
  }

 private:
  /// A linear layer over each cell.
  static dnn::Value cellwise(PlanContext& context, const std::string& name, dnn::Value src, const std::string& part,
                             std::optional<dnn::Value> residual) {
    Affine affine = context.affine(part, true);
    affine.weight = Tensor({affine.weight.dim(0), affine.weight.dim(1), 1, 1}, affine.weight.values());
    const Affine& kept = context.keep(std::move(affine));
    return context.builder.convolution(context.name() + name, src, kept.weight, kept.bias, {}, residual);
  }
};

}  // namespace

const Operation& self_attention() {
  static const SelfAttention kOperation;
  return kOperation;
}

}  // namespace glimpse::ops
