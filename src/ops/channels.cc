#include <algorithm>

#include "autograd/channel_ops.h"
#include "autograd/row_ops.h"
#include "dnn/math/vector_math.h"
#include "ops/families.h"
#include "ops/step_context.h"
#include "ops/tape_step.h"

namespace glimpse::ops {
namespace {

using train::Variable;

/// channelweights < VALUES QUERY: weights for the channels of what is looked at, by what they hold and by the state of
/// the decoder that looks (SCA-CNN, Chen et al. 2017, equations 4 and 5). Of the numbers v [C] that stand for the
/// channels, b[c] = tanh(key v[c] + query), β = softmax_c(score · b[c]), with key, query and b[c] in R^k.
///
/// β is given back C times as large, so that its mean is 1 whatever the count of channels: a softmax over hundreds of
/// channels would leave next to nothing of what they are multiplied by. The authors' code rescales by C and, with the
/// weights of the L cells, by C · L; the mean over cells of such a product V[i, c] · C β[c] · L α[i] is C β[c] Σ_i α[i]
/// V[i, c], which is what a decoder takes for its context here.
///
/// P.key.weight [k, 1], P.score.weight [1, k]; key's bias is the query's.
class ChannelWeights final : public Operation {
 public:
  std::string_view name() const override { return "channelweights"; }
  bool belongs_to(Dialect dialect) const override { return dialect == Dialect::kStep; }
  std::size_t min_inputs() const override { return 2; }
  std::vector<AttributeRule> attributes() const override { return {{"weights", AttributeKind::kPrefix, {}, true}}; }
  Shape shape(const NodeView& view) const override {
    for (const Shape& src : view.srcs) {
      if (src.size() != 2) view.fail("takes vectors, not " + to_string(src));
    }
    return view.src();
  }
  void tensors(const NodeView& view, TensorList& list) const override {
    const std::int64_t size = view.srcs[1][1];
    list.add(".key.weight", {size, 1}, TensorSpec::Role::kWeight);
    list.add(".score.weight", {1, size}, TensorSpec::Role::kWeight);
  }

  std::unique_ptr<PackedStep> pack(std::span<const PackContext> nodes) const override {
    const std::int64_t size = nodes.front().view.srcs[1][1];
    const auto key = std::make_shared<const Tensor>(nodes.front().tensor(".key.weight", {size, 1}));
    const auto score = std::make_shared<const Tensor>(nodes.front().tensor(".score.weight", {1, size}));
    return std::make_unique<Unweighted>([=](StepBinding& binding) {
      const StepView values = binding.src(0);
      const StepView query = binding.src(1);
      const StepView dst = binding.make(values.width);
      const std::int64_t repeated = values.of_picture ? binding.sizes().rows_per_image : 1;
      binding.each_item(StepPart::kAttention, values.width * size, [=](std::int64_t row) {
        dnn::ChannelScores scores;
        scores.values = values.item(row / repeated);
        scores.slope = key->data();
        scores.shift = query.item(row);
        scores.weight = score->data();
        scores.scores = dst.item(row);
        scores.channels = values.width;
        scores.size = size;
        dnn::channel_scores(scores);
        const std::span<float> all(dst.item(row), static_cast<std::size_t>(dst.width));
        dnn::softmax_in_place(all);
        dnn::scale(all, static_cast<float>(dst.width), dst.item(row));
      });
      binding.give(dst);
    });
  }

  void teach(std::span<TapeStep* const> nodes) const override {
    TapeStep& step = *nodes.front();
    if (step.is_zero(0)) return step.give_zero(step.width(0));
    const Variable values = step.src(0);
    const Variable scores = train::channel_scores(step.tape, values, step.piece(1), step.tensor(".key.weight"),
                                                  step.tensor(".score.weight"));
    step.give(train::scaled(step.tape, train::softmax(step.tape, scores),
                            number(step.tape, static_cast<float>(values.dim(1)))));
  }
};

/// recall < STATE: size=. Additive attention over the decoder's own past: of the states h[1..t−1] of a row's hypothesis
/// and h[t], scores P.score · tanh(P.key(h[i]) + P.query(h[t])), their softmax, the weighted sum r[t] = Σ_i α[i] h[i]
/// (Ke et al. 2019, Reflective Decoding Network; intra-decoder attention of Paulus et al. 2018, whose first sum is
/// zeros as well). P.key.weight, P.query.weight [size, n], P.key.bias [size], P.score.weight [1, size].
class Recall final : public Operation {
 public:
  std::string_view name() const override { return "recall"; }
  bool belongs_to(Dialect dialect) const override { return dialect == Dialect::kStep; }
  std::vector<AttributeRule> attributes() const override {
    return {{"size", AttributeKind::kCount}, {"weights", AttributeKind::kPrefix, {}, true}};
  }
  Shape shape(const NodeView& view) const override {
    if (view.src().size() != 2) view.fail("takes a vector, not " + to_string(view.src()));
    return view.src();
  }
  void tensors(const NodeView& view, TensorList& list) const override {
    const std::int64_t size = view.attributes().count("size");
    list.add_affine(".key", {size, view.src()[1]}, true);
    list.add_affine(".query", {size, view.src()[1]}, false);
    list.add(".score.weight", {1, size}, TensorSpec::Role::kWeight);
  }

  std::unique_ptr<PackedStep> pack(std::span<const PackContext> nodes) const override {
    return pack_recall(nodes.front());
  }

  void teach(std::span<TapeStep* const> nodes) const override {
    TapeStep& step = *nodes.front();
    train::Past past;
    past.states = step.src();
    past.keys = train::linear(step.tape, past.states, step.tensor(".key.weight"), step.tensor(".key.bias"));
    past.queries = train::linear(step.tape, past.states, step.tensor(".query.weight"), {});
    past.weight = step.tensor(".score.weight");
    step.give(train::past_attention(step.tape, past, step.lesson.alive));
  }
};

}  // namespace

Variable number(train::Tape& tape, float value) {
  const dnn::Array array = tape.kernels().take({1, 1});
  array.data()[0] = value;
  return tape.constant(array);
}

const Operation& channel_weights() {
  static const ChannelWeights kOperation;
  return kOperation;
}

const Operation& recall() {
  static const Recall kOperation;
  return kOperation;
}

}  // namespace glimpse::ops
