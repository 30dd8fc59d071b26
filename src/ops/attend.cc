#include "ops/attend.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <optional>

#include "autograd/attention_ops.h"
#include "autograd/channel_ops.h"
#include "autograd/map_ops.h"
#include "autograd/row_ops.h"
#include "core/random.h"
#include "core/seed.h"
#include "ops/families.h"
#include "ops/tape_step.h"

namespace glimpse::ops {
namespace {

using dnn::Array;
using train::Gaze;
using train::Piece;
using train::Variable;

dnn::ScoreFunction score_function(Score score) {
  if (score == Score::kAdditiveTanh) return dnn::ScoreFunction::kTanh;
  return score == Score::kAdditiveRelu ? dnn::ScoreFunction::kRelu : dnn::ScoreFunction::kDot;
}

/// Every row of a step at a map of its own.
Gaze own_gaze(const TapeStep& step) {
  Gaze own = {step.lesson.cell_count(), {}};
  for (int row = 0; row < step.rows(); ++row) own.rows.push_back({row});
  return own;
}

/// The picture's map that all steps share, or the step's own.
Variable map_of(const TapeStep& step, std::size_t index) {
  return step.level(index) == TapeLevel::kPictures ? step.shared_src(index) : step.src(index);
}

/// attend < KEYS QUERY [PLACE]: score=additive-tanh|additive-relu|dot|scaled-dot · select=soft|hard|local|hard-local
/// heads=1 window=2. A score for every cell, weights made of the scores:
///
///   additive-tanh, -relu  P.weight [1, A] · tanh or relu(key + query)  (Bahdanau et al. 2015)
///   dot, scaled-dot       key · query, over √ of a head's size       (Luong et al. 2015, Vaswani et al. 2017)
///   soft                  α = softmax(score)
///   hard                  one cell, drawn from it or its largest      (Xu et al. 2015, section 4.1)
///   local                 softmax of the cells within a window around PLACE, shares of rows and columns, times a
///                         Gaussian of half its half-width around it   (Luong et al. 2015, local-p, in two dimensions)
///   hard-local            the same around the one cell
///
/// A second name stands for −log Σ exp(score), [1], by which what looks elsewhere than at cells can be weighed against
/// them (a sentinel, Lu et al. 2017); of one head, soft.
///
/// Several heads look each for itself with an equal share of key and query. A mask says how much each cell counts: its
/// weight's logarithm is added to the score, so that a cell of weight 0 is not there for any selector. A window that no
/// such cell lies in moves to the nearest.
class AttendOperation final : public Operation {
 public:
  std::string_view name() const override { return "attend"; }
  bool belongs_to(Dialect dialect) const override { return dialect == Dialect::kStep; }
  std::size_t min_inputs() const override { return 2; }
  std::size_t max_inputs() const override { return 3; }
  bool looks() const override { return true; }
  std::size_t results() const override { return 2; }
  std::size_t needed_results() const override { return 1; }
  Shape further_shape(const NodeView&, std::size_t) const override { return {1, 1}; }
  std::vector<AttributeRule> attributes() const override {
    return {{"score", AttributeKind::kChoice, {}, false, {"additive-tanh", "additive-relu", "dot", "scaled-dot"}},
            {"select", AttributeKind::kChoice, "soft", false, {"soft", "hard", "local", "hard-local"}},
            {"heads", AttributeKind::kSmallCount, "1"},
            {"window", AttributeKind::kNumber, "2"},
            {"weights", AttributeKind::kPrefix, {}, true}};
  }
  std::optional<std::string> finish(Attributes& attributes) const override {
    if (attributes.number("window") < 0.5F) return "window= must be at least 0.5 cells";
    return std::nullopt;
  }

  Shape shape(const NodeView& view) const override {
    const AttendOptions options = attend_options(view.attributes());
    const Shape& keys = view.srcs[0];
    if (keys.size() != 3) view.fail("its keys are " + to_string(keys) + "; they must be a map of cells");
    if (view.srcs[1].size() != 2 || view.srcs[1][1] != keys[2]) {
      view.fail("its query is " + to_string(view.srcs[1]) + "; keys of " + std::to_string(keys[2]) +
                " numbers need as many");
    }
    if (keys[2] % options.heads != 0) {
      view.fail("heads=" + std::to_string(options.heads) + " must divide its keys' " + std::to_string(keys[2]));
    }
    const bool local = options.selector == Selector::kLocal;
    if (local != (view.srcs.size() == 3)) view.fail("select=local takes a place, the other selectors none");
    if (local && view.srcs[2] != Shape{1, 2}) view.fail("its place is " + to_string(view.srcs[2]) + ", not [1,2]");
    if (view.node.results > 1 && (options.heads > 1 || options.selector != Selector::kSoft)) {
      view.fail("gives its second result with heads=1 and select=soft only");
    }
    return {1, keys[1]};
  }

  void tensors(const NodeView& view, TensorList& list) const override {
    if (!attend_options(view.attributes()).is_additive()) return;
    list.add(".weight", {1, view.srcs[0].back()}, TensorSpec::Role::kWeight);
  }

  std::unique_ptr<PackedStep> pack(std::span<const PackContext> nodes) const override {
    return pack_attend(nodes.front());
  }

  void teach(std::span<TapeStep* const> nodes) const override {
    TapeStep& step = *nodes.front();
    const AttendOptions options = attend_options(step.attributes());
    step.lesson.heads = options.heads;
    if (step.is_zero(0)) {
      step.give_zero(step.lesson.cell_count());
      if (step.results() > 1) step.give_zero(1);
      return;
    }
    Looking looking(step, options);
    const Variable alphas = looking.select();
    step.lesson.alphas.push_back(alphas);
    step.give({options.is_hard() ? looking.choose(alphas) : alphas}, step.lesson.cell_count());
    if (step.results() > 1) step.give(looking.minus_mass(alphas));
  }

 private:
  /// What the steps share: keys as scores take them, and how much cells count.
  struct Shared {
    std::optional<train::RepeatedScores> scores;
    Array mask;  // [captions · heads, cells]; none where all cells count
  };

  /// One step's look.
  class Looking {
   public:
    Looking(TapeStep& step, const AttendOptions& options)
        : step_(step), tape_(step.tape), options_(options), shared_(step.shared<Shared>([&] { return share(); })) {
      if (step.level(0) != TapeLevel::kPictures) shared_.scores = scores_of(step.src(0), own_gaze(step));
      query_ = step.piece(1);
      if (options_.heads == 1) return;
      const std::int64_t size = step.width(1);
      query_ = {train::reshape(tape_, step.src(1), {step.rows() * options_.heads, size / options_.heads})};
    }

    Variable select() {
      if (options_.selector == Selector::kLocal) return windowed(places());
      return (*shared_.scores)(query_, step_.rows() * options_.heads, shared_.mask);
    }

    /// −log Σ exp(score) = log α[j] − score[j] of any cell j; of the one that is looked at most both are calm.
    Variable minus_mass(const Variable& alphas) {
      const std::int64_t cells = alphas.dim(1);
      std::vector<int> most;
      std::vector<int> keys;
      for (std::int64_t row = 0; row < alphas.dim(0); ++row) {
        const float* alpha = alphas.value().data() + row * cells;
        most.push_back(static_cast<int>(std::max_element(alpha, alpha + cells) - alpha));
        const int image = step_.lesson.image_of_row[static_cast<std::size_t>(row)];
        keys.push_back(static_cast<int>(image * cells) + most.back());
      }
      const Variable key = train::gather_rows(tape_, step_.shared_src(0), keys);
      const Variable query = step_.src(1);
      Variable weight;
      Variable terms;
      if (options_.is_additive()) {
        weight = step_.tensor(".weight");
        const bool tanh = options_.score == Score::kAdditiveTanh;
        const dnn::Activation activation = {tanh ? dnn::Activation::Kind::kTanh : dnn::Activation::Kind::kRelu};
        terms = train::activation_in_place(tape_, train::add(tape_, key, query), activation);
      } else {
        const Array factors = tape_.kernels().take({1, key.dim(1)});
        const float factor = options_.score == Score::kDot ? 1 : 1 / std::sqrt(static_cast<float>(key.dim(1)));
        std::ranges::fill(factors.values(), factor);
        weight = tape_.constant(factors);
        terms = train::multiply(tape_, key, query);
      }
      Variable score = train::linear(tape_, terms, weight, {});
      if (shared_.mask) {
        const Array counts = tape_.kernels().take(score.shape());
        for (std::int64_t row = 0; row < counts.dim(0); ++row) {
          counts.data()[row] = std::log(shared_.mask.data()[row * cells + most[static_cast<std::size_t>(row)]]);
        }
        score = train::add(tape_, score, tape_.constant(counts));
      }
      return train::subtract(tape_, train::log_at(tape_, alphas, most), score);
    }

    /// What hard attention reads with: the cells that are drawn now.
    Variable choose(const Variable& alphas) {
      step_.lesson.cells.push_back(draw(alphas));
      const std::vector<int>& cells = step_.lesson.cells.back();
      if (options_.selector == Selector::kHard) return train::chosen(tape_, alphas, cells);
      constexpr float kNowhere = std::numeric_limits<float>::quiet_NaN();
      const Array places = tape_.kernels().take({std::ssize(cells), 2});
      float* to = places.data();
      for (const int cell : cells) {
        const dnn::Place place = cell < 0 ? dnn::Place{kNowhere, kNowhere} : dnn::Place::middle_of(cell, window());
        *to++ = place.row;
        *to++ = place.col;
      }
      return windowed(tape_.constant(places));
    }

   private:
    Shared share() {
      Shared shared;
      const Lesson& lesson = step_.lesson;
      if (step_.level(0) == TapeLevel::kPictures) shared.scores = scores_of(step_.shared_src(0), lesson.gaze);
      if (lesson.masks.empty()) return shared;
      const std::int64_t cells = lesson.cell_count();
      shared.mask = tape_.kernels().take({std::ssize(lesson.image_of_row) * options_.heads, cells});
      float* to = shared.mask.data();
      for (const int image : lesson.image_of_row) {
        const auto mask =
            lesson.masks.subspan(static_cast<std::size_t>(image * cells), static_cast<std::size_t>(cells));
        for (std::int64_t head = 0; head < options_.heads; ++head) to = std::ranges::copy(mask, to).out;
      }
      return shared;
    }

    train::RepeatedScores scores_of(Variable keys, const Gaze& gaze) {
      const std::int64_t heads = options_.heads;
      const std::int64_t size = keys.dim(1);
      if (heads > 1) keys = train::split_heads(tape_, keys, gaze.cells, heads);
      if (options_.score == Score::kScaledDot) {
        keys = train::scaled(tape_, keys, number(tape_, 1 / std::sqrt(static_cast<float>(keys.dim(1)))));
      }
      Variable weight;
      if (options_.is_additive()) weight = train::reshape(tape_, step_.tensor(".weight"), {heads, size / heads});
      return {tape_, score_function(options_.score), keys, weight, heads > 1 ? train::split_heads(gaze, heads) : gaze};
    }

    /// In cells, a row a head: [rows · heads, 2].
    Variable places() {
      const Array extent = tape_.kernels().zeros({2, 2});
      extent.data()[0] = static_cast<float>(step_.lesson.grid_rows);
      extent.data()[3] = static_cast<float>(step_.lesson.grid_cols);
      const Variable places = train::linear(tape_, step_.src(2), tape_.constant(extent), {});
      if (options_.heads == 1) return places;
      std::vector<int> row_of_head;
      for (std::int64_t i = 0; i < step_.rows() * options_.heads; ++i) {
        row_of_head.push_back(static_cast<int>(i / options_.heads));
      }
      return train::gather_rows(tape_, places, std::move(row_of_head));
    }

    dnn::Window window() const { return {step_.lesson.grid_cols, options_.window}; }

    /// The softmax within windows around `places` [rows, 2], times a Gaussian.
    Variable windowed(const Variable& places) {
      const std::int64_t cells = step_.lesson.cell_count();
      const Array mask = tape_.kernels().take({places.dim(0), cells});
      Variable seen_from = places;
      if (shared_.mask) seen_from = train::moved_rows(tape_, places, moved(places.value()));
      dnn::window_mask(seen_from.value(), window(), mask, tape_.kernels().threads());
      if (shared_.mask) {
        std::transform(mask.data(), mask.data() + mask.count(), shared_.mask.data(), mask.data(), std::multiplies<>());
      }
      const Variable weights = (*shared_.scores)(query_, places.dim(0), mask);
      return train::gaussian_window(tape_, weights, seen_from, window());
    }

    /// Where the windows lie that would see no cell that counts, and the others: see dnn::nearest_seen.
    Array moved(const Array& places) const {
      const Array result = tape_.kernels().copy(places);
      for (std::int64_t row = 0; row < result.dim(0); ++row) {
        float* place = result.data() + 2 * row;
        const float* counts = shared_.mask.data() + row * shared_.mask.dim(1);
        const dnn::Place seen_from = dnn::nearest_seen({place[0], place[1]}, shared_.mask.dim(1), window(),
                                                       [&](std::int64_t i) { return counts[i] > 0; });
        place[0] = seen_from.row;
        place[1] = seen_from.col;
      }
      return result;
    }

    /// A cell a row, drawn from its alphas; −1 where the row takes the mean.
    std::vector<int> draw(const Variable& alphas) {
      const Lesson& lesson = step_.lesson;
      const std::uint64_t step_seed = mixed(lesson.hard.seed, lesson.cells.size());
      const std::int64_t count = alphas.dim(1);
      std::vector<int> cells;
      for (std::int64_t row = 0; row < alphas.dim(0); ++row) {
        if (lesson.expects[static_cast<std::size_t>(row / options_.heads)] != 0) {
          cells.push_back(-1);
          continue;
        }
        const float* alpha = alphas.value().data() + row * count;
        double left = Random(mixed(step_seed, static_cast<std::uint64_t>(row))).uniform();
        int cell = 0;
        while (cell + 1 < count && left >= static_cast<double>(alpha[cell])) left -= static_cast<double>(alpha[cell++]);
        cells.push_back(cell);
      }
      return cells;
    }

    TapeStep& step_;
    train::Tape& tape_;
    const AttendOptions& options_;
    Shared& shared_;
    Piece query_;
  };
};

/// read < ALPHAS MAP: heads=1, as attend's. z = Σ_i α[i] v[i]; what several heads see stands side by side. read <
/// ALPHAS MAP KEYS QUERY has a weight for every cell and channel beside: z = Σ_i α[i] σ(key[i] + query) v[i], so that
/// the selector decides where to look and the sigmoids what of it to see.
class ReadOperation final : public Operation {
 public:
  std::string_view name() const override { return "read"; }
  bool belongs_to(Dialect dialect) const override { return dialect == Dialect::kStep; }
  std::size_t min_inputs() const override { return 2; }
  std::size_t max_inputs() const override { return 4; }
  bool looks() const override { return true; }
  std::vector<AttributeRule> attributes() const override { return {{"heads", AttributeKind::kSmallCount, "1"}}; }

  Shape shape(const NodeView& view) const override {
    const Shape& map = view.srcs[1];
    if (map.size() != 3) view.fail("reads a map of cells, not " + to_string(map));
    if (view.srcs[0] != Shape{1, map[1]}) {
      view.fail("its weights are " + to_string(view.srcs[0]) + " for " + std::to_string(map[1]) + " cells");
    }
    const std::int64_t heads = view.attributes().count("heads");
    if (map[2] % heads != 0)
      view.fail("heads=" + std::to_string(heads) + " must divide its map's " + std::to_string(map[2]));
    if (view.srcs.size() == 3) view.fail("takes weights and map, or also keys and query");
    if (view.srcs.size() == 4 && (view.srcs[2] != map || view.srcs[3] != Shape{1, map[2]})) {
      view.fail("its keys and query are " + to_string(view.srcs[2]) + " and " + to_string(view.srcs[3]) +
                " for a map of " + to_string(map));
    }
    return {1, map[2]};
  }

  std::unique_ptr<PackedStep> pack(std::span<const PackContext> nodes) const override {
    return pack_read(nodes.front());
  }

  std::optional<StepProductSpec> product(const NodeView& view, std::int64_t images,
                                         std::int64_t rows_per_image) const override {
    const std::int64_t heads = view.attributes().count("heads");
    const Shape& map = view.srcs[1];
    return StepProductSpec{{}, images * heads, rows_per_image, map[1], map[2] / heads, false};
  }

  void teach(std::span<TapeStep* const> nodes) const override {
    TapeStep& step = *nodes.front();
    if (step.is_zero(0) || step.is_zero(1)) return step.give_zero(step.width(1));
    const std::int64_t heads = step.attributes().count("heads");
    const std::int64_t size = step.width(1);
    const bool of_picture = step.level(1) == TapeLevel::kPictures;
    const auto share = [&] {
      Variable map = map_of(step, 1);
      Gaze gaze = of_picture ? step.lesson.gaze : own_gaze(step);
      Variable keys = step.src_count() > 2 ? map_of(step, 2) : Variable();
      if (heads > 1) {
        map = train::split_heads(step.tape, map, gaze.cells, heads);
        if (keys) keys = train::split_heads(step.tape, keys, gaze.cells, heads);
        gaze = train::split_heads(gaze, heads);
      }
      Shared shared{map, keys, gaze, std::nullopt};
      if (!keys) shared.read.emplace(step.tape, map, gaze);
      return shared;
    };
    Shared own;
    if (!of_picture) own = share();
    const Shared& shared = of_picture ? step.shared<Shared>(share) : own;
    const Variable weights = step.pieces(0).front().matrix;  // [rows · heads, cells]
    if (shared.read) {
      step.give(train::reshape(step.tape, (*shared.read)(weights), {step.rows(), size}));
      return;
    }
    const Variable query = train::reshape(step.tape, step.src(3), {step.rows() * heads, size / heads});
    const Variable seen = train::element_read(step.tape, shared.map, shared.keys, weights, query, shared.gaze);
    step.give(train::reshape(step.tape, seen, {step.rows(), size}));
  }

 private:
  struct Shared {
    Variable map;
    Variable keys;
    Gaze gaze;
    std::optional<train::RepeatedRead> read;
  };
};

/// unit: heads=1. Each row, or each head's share of it, over its length; zeros stay so.
class Unit final : public Operation {
 public:
  std::string_view name() const override { return "unit"; }
  bool belongs_to(Dialect dialect) const override { return dialect == Dialect::kStep; }
  std::vector<AttributeRule> attributes() const override { return {{"heads", AttributeKind::kSmallCount, "1"}}; }
  Shape shape(const NodeView& view) const override {
    const std::int64_t heads = view.attributes().count("heads");
    if (view.src().back() % heads != 0) view.fail("heads=" + std::to_string(heads) + " must divide its input");
    return view.src();
  }
  std::unique_ptr<PackedStep> pack(std::span<const PackContext> nodes) const override {
    return pack_unit(nodes.front());
  }
  void teach(std::span<TapeStep* const> nodes) const override {
    TapeStep& step = *nodes.front();
    if (step.is_zero(0)) return step.give_zero(step.width(0));
    const Variable src = step.src();
    const std::int64_t heads = step.attributes().count("heads");
    const Variable rows = train::reshape(step.tape, src, {src.dim(0) * heads, src.dim(1) / heads});
    const Variable unit = train::reshape(step.tape, train::unit_rows(step.tape, rows), src.shape());
    step.is_map(0) ? step.give_map(unit) : step.give(unit);
  }
};

/// scale: all numbers times P.weight [1, 1], which starts at 10: cosines between −1 and 1 alone let a softmax hardly
/// choose (Liu et al. 2022 begin so, too).
class Scale final : public Operation {
 public:
  std::string_view name() const override { return "scale"; }
  bool belongs_to(Dialect dialect) const override { return dialect == Dialect::kStep; }
  std::vector<AttributeRule> attributes() const override { return {{"weights", AttributeKind::kPrefix, {}, true}}; }
  Shape shape(const NodeView& view) const override { return view.src(); }
  void tensors(const NodeView&, TensorList& list) const override {
    list.add(".weight", {1, 1}, TensorSpec::Role::kSharpness);
  }
  std::unique_ptr<PackedStep> pack(std::span<const PackContext> nodes) const override {
    return pack_scale(nodes.front());
  }
  void teach(std::span<TapeStep* const> nodes) const override {
    TapeStep& step = *nodes.front();
    if (step.is_zero(0)) return step.give_zero(step.width(0));
    const Variable value = train::scaled(step.tape, step.src(), step.tensor(".weight"));
    step.is_map(0) ? step.give_map(value) : step.give(value);
  }
};

}  // namespace

AttendOptions attend_options(const Attributes& attributes) {
  AttendOptions options;
  const std::string& score = attributes.text("score");
  if (score == "additive-relu") options.score = Score::kAdditiveRelu;
  if (score == "dot") options.score = Score::kDot;
  if (score == "scaled-dot") options.score = Score::kScaledDot;
  const std::string& select = attributes.text("select");
  if (select == "hard") options.selector = Selector::kHard;
  if (select == "local") options.selector = Selector::kLocal;
  if (select == "hard-local") options.selector = Selector::kHardLocal;
  options.heads = attributes.count("heads");
  options.window = attributes.number("window");
  return options;
}

const Operation& attend() {
  static const AttendOperation kOperation;
  return kOperation;
}
const Operation& read() {
  static const ReadOperation kOperation;
  return kOperation;
}
const Operation& unit() {
  static const Unit kOperation;
  return kOperation;
}
const Operation& scale() {
  static const Scale kOperation;
  return kOperation;
}

}  // namespace glimpse::ops
