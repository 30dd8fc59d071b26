#include <algorithm>
#include <utility>

#include "autograd/row_ops.h"
#include "dnn/math/activation.h"
#include "dnn/products/linear.h"
#include "ops/families.h"
#include "ops/plan_context.h"
#include "ops/step_context.h"
#include "ops/tape_context.h"
#include "ops/tape_step.h"

namespace glimpse::ops {
namespace {

using train::Piece;
using train::Variable;

/// A linear layer of a decoder: what it is called and how large it is.
struct Layer {
  std::vector<std::string> weights;  ///< one of all inputs side by side, or one an input
  std::string bias;                  ///< empty: none
  std::int64_t out = 0;
  std::vector<std::int64_t> widths;  ///< of the inputs

  std::int64_t in() const {
    std::int64_t sum = 0;
    for (const std::int64_t width : widths) sum += width;
    return sum;
  }
};

std::vector<std::string> split_names(const std::string& text) {
  std::vector<std::string> names;
  for (std::size_t from = 0; from <= text.size();) {
    const std::size_t comma = std::min(text.find(',', from), text.size());
    names.push_back(text.substr(from, comma - from));
    from = comma + 1;
  }
  return names;
}

Layer layer_of(const Attributes& a, std::vector<std::int64_t> widths) {
  Layer layer;
  layer.weights = a.has("weight") ? split_names(a.text("weight")) : std::vector{a.weights() + ".weight"};
  if (a.text("bias") != "0") layer.bias = a.text("bias") == "1" ? a.weights() + ".bias" : a.text("bias");
  layer.out = a.count("out");
  layer.widths = std::move(widths);
  return layer;
}

/// Several layers that read the same values, as one product: their rows one below the other.
class PackedLinears final : public PackedStep {
 public:
  explicit PackedLinears(std::span<const PackContext> nodes) {
    std::int64_t out = 0;
    bool biased = false;
    std::string name;
    for (const PackContext& node : nodes) {
      std::vector<std::int64_t> widths;
      for (const Shape& src : node.view.srcs) widths.push_back(src.back());
      layers_.push_back(layer_of(node.view.attributes(), std::move(widths)));
      activations_.push_back(node.view.attributes().activation());
      out += layers_.back().out;
      biased = biased || !layers_.back().bias.empty();
      name += (name.empty() ? "" : ", ") + node.view.node.name;
    }
    const std::int64_t in = layers_.front().in();
    Tensor weight(Shape{out, in});
    Tensor bias(Shape{out});
    std::ranges::fill(bias.values(), 0.0F);
    std::int64_t row = 0;
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      load(layers_[i], nodes[i], row, weight, bias);
      row += layers_[i].out;
    }
    linear_ = dnn::Linear(name, weight, biased ? std::as_const(bias).values() : std::span<const float>());
  }

  const dnn::Linear& linear() const { return linear_; }

  void bind(std::span<StepBinding* const> bindings) const override {
    StepBinding& first = *bindings.front();
    const std::int64_t cells = first.src().cells;
    const StepView src = gathered(first);
    // Of a step all rows at once, of pictures one after the other.
    const std::int64_t rows = (first.in_step() ? first.items() : 1) * std::max<std::int64_t>(1, cells);
    const bool relu = layers_.size() == 1 && activations_.front().kind == dnn::Activation::Kind::kRelu;
    const auto kernel = std::make_shared<dnn::LinearKernel>(linear_, rows, relu);
    const StepView all = first.make(linear_.out(), cells);
    if (first.in_step()) {
      first.each_step(StepPart::kProducts, [=](const StepRun&) { kernel->run(src.data, all.data); });
    } else {
      first.each_picture([=](const StepRun&, std::int64_t image) { kernel->run(src.item(image), all.item(image)); });
    }
    std::int64_t column = 0;
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      StepView part = all;
      part.data += column;
      part.width = layers_[i].out;
      column += part.width;
      if (!relu) activate(*bindings[i], part, activations_[i]);
      bindings[i]->give(part);
    }
  }

 private:
  static void load(const Layer& layer, const PackContext& node, std::int64_t row, Tensor& weight, Tensor& bias) {
    const std::int64_t in = layer.in();
    std::int64_t column = 0;
    for (std::size_t i = 0; i < layer.weights.size(); ++i) {
      const std::int64_t width = layer.weights.size() == 1 ? in : layer.widths[i];
      const Tensor part = node.load(layer.weights[i], {layer.out, width});
      for (std::int64_t r = 0; r < layer.out; ++r) {
        std::copy_n(part.data() + r * width, width, weight.data() + (row + r) * in + column);
      }
      column += width;
    }
    if (!layer.bias.empty()) std::ranges::copy(node.load(layer.bias, {layer.out}).values(), bias.data() + row);
  }

  /// The sources side by side, as the product reads them.
  static StepView gathered(StepBinding& binding) {
    if (binding.src_count() == 1 && binding.src().dense() && binding.src().of_picture == !binding.in_step()) {
      return binding.src();
    }
    std::int64_t width = 0;
    for (std::size_t i = 0; i < binding.src_count(); ++i) width += binding.src(i).width;
    const std::int64_t cells = binding.src().cells;
    const StepView all = binding.make(width, cells);
    std::int64_t column = 0;
    for (std::size_t i = 0; i < binding.src_count(); ++i) {
      const StepView src = binding.src(i);
      StepView part = all;
      part.data += column;
      column += src.width;
      const std::int64_t repeated = src.of_picture && binding.in_step() ? binding.sizes().rows_per_image : 1;
      binding.each_item(StepPart::kGather, src.floats(), [=](std::int64_t item) {
        for (std::int64_t r = 0; r < std::max<std::int64_t>(1, cells); ++r) {
          std::copy_n(src.item(item / repeated) + r * src.stride, src.width, part.item(item) + r * part.stride);
        }
      });
    }
    return all;
  }

  static void activate(StepBinding& binding, const StepView& part, const dnn::Activation& activation) {
    if (activation.kind == dnn::Activation::Kind::kNone) return;
    const auto forward = dnn::function_of(activation.kind).forward;
    binding.each_item(StepPart::kGates, part.floats(), [=](std::int64_t item) {
      for (std::int64_t r = 0; r < std::max<std::int64_t>(1, part.cells); ++r) {
        float* row = part.item(item) + r * part.stride;
        forward(activation, row, row, part.width);
      }
    });
  }

  std::vector<Layer> layers_;
  std::vector<dnn::Activation> activations_;
  dnn::Linear linear_;
};

/// linear: out= · bias=1 act=. Of a network: flattens [N,C,H,W], gives [N,out,1,1]; weight [out, in], bias [out]. Of a
/// decoder: of one input or several side by side, each row or cell; `weight=` names the tensor of all inputs, or one an
/// input between commas, in place of P.weight; `bias=` is 0, 1 or a tensor's name; start=lstm: the bias is of an LSTM's
/// gates.
class Linear final : public Operation {
 public:
  std::string_view name() const override { return "linear"; }
  bool belongs_to(Dialect) const override { return true; }
  std::size_t max_inputs() const override { return kAnyNumber; }
  std::vector<AttributeRule> attributes() const override {
    return {{"out", AttributeKind::kCount},
            {"bias", AttributeKind::kName, "1"},
            {"act", AttributeKind::kActivation, "none"},
            {"weights", AttributeKind::kPrefix, {}, true},
            {"weight", AttributeKind::kName, {}, true},
            {"start", AttributeKind::kChoice, "plain", false, {"plain", "lstm"}}};
  }
  Fusion fusion() const override { return {Fusion::Part::kNothing, true, false, true}; }
  bool merges() const override { return true; }

  Shape shape(const NodeView& view) const override {
    const std::int64_t out = view.attributes().count("out");
    if (view.src().size() == 4) {
      if (view.srcs.size() != 1) view.fail("takes 1 input, " + std::to_string(view.srcs.size()) + " given");
      return {view.src()[0], out, 1, 1};
    }
    const Layer layer = described(view);
    if (layer.weights.size() != 1 && layer.weights.size() != view.srcs.size()) {
      view.fail("weight= names " + std::to_string(layer.weights.size()) + " tensors for " +
                std::to_string(view.srcs.size()) + " inputs");
    }
    Shape shape = view.src();
    for (const Shape& src : view.srcs) {
      if (src.size() != shape.size()) {
        view.fail("its inputs " + to_string(shape) + " and " + to_string(src) + " differ in rank");
      }
    }
    shape.back() = out;
    return shape;
  }

  void tensors(const NodeView& view, TensorList& list) const override {
    const Shape& src = view.src();
    if (src.size() == 4) {
      const std::int64_t out = view.attributes().count("out");
      list.add_affine("", {out, src[1] * src[2] * src[3]}, view.attributes().text("bias") != "0");
      return;
    }
    const Layer layer = described(view);
    for (std::size_t i = 0; i < layer.weights.size(); ++i) {
      const std::int64_t in = layer.weights.size() == 1 ? layer.in() : layer.widths[i];
      list.add_named(layer.weights[i], {layer.out, in}, TensorSpec::Role::kWeight);
    }
    const bool gates = view.attributes().text("start") == "lstm";
    if (layer.bias.empty()) return;
    list.add_named(layer.bias, {layer.out}, gates ? TensorSpec::Role::kGateBias : TensorSpec::Role::kBias);
  }

  std::int64_t multiply_adds(const NodeView& view) const override {
    std::int64_t inputs = 0;
    for (const Shape& src : view.srcs) inputs += element_count(src);
    return inputs * view.attributes().count("out");
  }

  dnn::Value plan(PlanContext& context) const override {
    Affine affine = context.affine("", context.attributes().text("bias") != "0");
    context.fold_norm(affine);
    const Affine& kept = context.keep(std::move(affine));
    return context.builder.linear(context.name(), context.src(), kept.weight, kept.bias, context.activation());
  }

  Variable tape(TapeContext& context) const override {
    const Variable bias = context.attributes().text("bias") != "0" ? context.tensor(".bias") : Variable();
    return context.activated(train::dense(context.tape, context.src(), context.tensor(".weight"), bias));
  }

  std::unique_ptr<PackedStep> pack(std::span<const PackContext> nodes) const override {
    return std::make_unique<PackedLinears>(nodes);
  }

  std::optional<StepProductSpec> product(const NodeView& view, std::int64_t images,
                                         std::int64_t rows_per_image) const override {
    const std::int64_t cells = view.src().size() == 3 ? view.src()[1] : 1;
    return StepProductSpec{{}, 1, images * rows_per_image * cells, described(view).in(), view.dst.back(), true};
  }

  void teach(std::span<TapeStep* const> nodes) const override {
    if (nodes.front()->place().level == TapeLevel::kSteps) {
      teach_steps(nodes);
      return;
    }
    for (TapeStep* node : nodes) teach_at_once(*node);
  }

 private:
  static Layer described(const NodeView& view) {
    std::vector<std::int64_t> widths;
    for (const Shape& src : view.srcs) widths.push_back(src.back());
    return layer_of(view.attributes(), std::move(widths));
  }
  static Layer described(const TapeStep& step) {
    std::vector<std::int64_t> widths;
    for (std::size_t i = 0; i < step.src_count(); ++i) widths.push_back(step.width(i));
    return layer_of(step.attributes(), std::move(widths));
  }

  /// The columns of the weight that meet input `index`.
  static Variable weight_of(const TapeStep& step, const Layer& layer, std::size_t index) {
    if (layer.weights.size() > 1) return step.parameter(layer.weights[index]);
    const Variable weight = step.parameter(layer.weights.front());
    if (layer.widths.size() == 1) return weight;
    std::int64_t column = 0;
    for (std::size_t i = 0; i < index; ++i) column += layer.widths[i];
    return train::slice_columns(step.tape, weight, column, layer.widths[index]);
  }

  static void finish(TapeStep& step, const Variable& sum, std::int64_t out) {
    const bool map = step.is_map(0);
    const dnn::Activation activation = step.attributes().activation();
    if (!sum) return step.give_zero(out);
    const Variable value = train::activation_in_place(step.tape, sum, activation);
    map ? step.give_map(value) : step.give(value);
  }

  /// Where all rows are there at once.
  static void teach_at_once(TapeStep& step) {
    const Layer layer = described(step);
    Variable bias = layer.bias.empty() ? Variable() : step.parameter(layer.bias);
    Variable sum;
    for (std::size_t i = 0; i < step.src_count(); ++i) {
      if (step.is_zero(i)) continue;
      const Variable term = train::linear(step.tape, step.src(i), weight_of(step, layer, i), std::exchange(bias, {}));
      sum = sum ? train::add(step.tape, sum, term) : term;
    }
    finish(step, sum, layer.out);
  }

  /// What all steps share: the products of the words, once for all of them, and the layers of what a step makes.
  struct Shared {
    std::vector<Variable> of_words;                                      // [words, out] a layer; none
    std::vector<std::pair<std::size_t, train::RepeatedLinear>> of_step;  // by input, all layers side by side
  };

  static Shared share(std::span<TapeStep* const> nodes, const std::vector<Layer>& layers) {
    TapeStep& first = *nodes.front();
    Shared shared;
    shared.of_words.resize(nodes.size());
    bool biased = std::ranges::any_of(layers, [](const Layer& layer) { return !layer.bias.empty(); });
    // Those of a step first: they take the biases where there are such.
    for (const bool of_words : {false, true}) {
      for (std::size_t i = 0; i < first.src_count(); ++i) {
        if (first.is_zero(i) || (first.level(i) == TapeLevel::kWords) != of_words) continue;
        std::vector<Variable> weights;
        std::vector<Variable> biases(nodes.size());
        for (std::size_t n = 0; n < nodes.size(); ++n) {
          weights.push_back(weight_of(*nodes[n], layers[n], i));
          if (!biased) continue;
          biases[n] = layers[n].bias.empty() ? first.tape.constant(first.tape.kernels().zeros({layers[n].out}))
                                             : first.parameter(layers[n].bias);
        }
        if (of_words) {
          for (std::size_t n = 0; n < nodes.size(); ++n) {
            const Variable term = train::linear(first.tape, first.shared_src(i), weights[n], biases[n]);
            shared.of_words[n] = shared.of_words[n] ? train::add(first.tape, shared.of_words[n], term) : term;
          }
        } else {
          const bool one = nodes.size() == 1;
          const Variable weight = one ? weights[0] : train::concat_rows(first.tape, weights);
          const Variable bias = !biased || one ? biases[0] : train::concat_rows(first.tape, biases);
          shared.of_step.emplace_back(i, train::RepeatedLinear(first.tape, weight, bias));
        }
        biased = false;
      }
    }
    return shared;
  }

  static void teach_steps(std::span<TapeStep* const> nodes) {
    TapeStep& first = *nodes.front();
    std::vector<Layer> layers;
    for (const TapeStep* node : nodes) layers.push_back(described(*node));
    const Shared& shared = first.shared<Shared>([&] { return share(nodes, layers); });
    std::vector<std::vector<Piece>> pieces(nodes.size());
    for (const auto& [index, layer] : shared.of_step) {
      const Variable all = layer(first.src(index));
      std::int64_t column = 0;
      for (std::size_t n = 0; n < nodes.size(); ++n) {
        pieces[n].push_back({all, {0, column}});
        column += layers[n].out;
      }
    }
    for (std::size_t n = 0; n < nodes.size(); ++n) {
      if (shared.of_words[n]) pieces[n].push_back({shared.of_words[n], {first.place().word, 0}});
      const bool activated = nodes[n]->attributes().activation().kind != dnn::Activation::Kind::kNone;
      if (first.is_map(0) || activated) {
        finish(*nodes[n], sum_of(first, pieces[n], layers[n].out, first.is_map(0)), layers[n].out);
      } else {
        nodes[n]->give_sum(std::move(pieces[n]), layers[n].out);
      }
    }
  }

  static Variable sum_of(const TapeStep& step, const std::vector<Piece>& pieces, std::int64_t out, bool map) {
    const std::int64_t rows = step.rows() * (map ? step.lesson.cell_count() : 1);
    Variable sum;
    for (const Piece& piece : pieces) {
      const bool whole = piece.matrix.dim(0) == rows && piece.matrix.dim(1) == out;
      const Variable part = whole ? piece.matrix : train::rectangle(step.tape, piece.matrix, piece.corner, rows, out);
      sum = sum ? train::add(step.tape, sum, part) : part;
    }
    return sum;
  }
};

}  // namespace

const Operation& linear() {
  static const Linear kOperation;
  return kOperation;
}

}  // namespace glimpse::ops
