// Attention at inference, for a fixed number of pictures and rows a picture; nothing large is allocated once bound.

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/random.h"
#include "core/seed.h"
#include "dnn/math/vector_math.h"
#include "dnn/products/product.h"
#include "ops/attend.h"

namespace glimpse::ops {
namespace {

/// Cells whose keys stay in the first-level cache while all rows of their picture are scored against them.
constexpr std::int64_t kCellBlock = 16;

std::int64_t blocks_of(std::int64_t cells) { return (cells + kCellBlock - 1) / kCellBlock; }

/// The cell in which `uniform` of the softmax's mass is reached.
std::size_t drawn(std::span<const float> scores, float uniform) {
  const float top = *std::ranges::max_element(scores);
  const auto mass = [&](float score) { return std::exp(static_cast<double>(score - top)); };
  double left = 0;
  for (const float score : scores) left += mass(score);
  left *= static_cast<double>(uniform);
  std::size_t last = 0;  // of those that have a mass: rounding may leave a rest
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const double own = mass(scores[i]);
    if (own > 0) last = i;
    left -= own;
    if (left < 0) break;
  }
  return last;
}

/// A map's heads one below the other where there are several, else the map itself; dense either way. Bound so that it
/// is made anew whenever the map is.
const float* bind_heads(StepBinding& binding, const StepView& map, std::int64_t heads) {
  if (heads == 1 && map.dense()) return map.data;
  const std::int64_t items = map.of_picture ? binding.sizes().images : binding.sizes().rows();
  float* all = binding.buffer(items * map.floats());
  float* plain = map.dense() ? nullptr : binding.buffer(map.floats());
  const auto split = [=](std::int64_t item) {
    const float* from = map.item(item);
    float* to = all + item * map.floats();
    float* rows = heads == 1 ? to : plain;
    if (rows != nullptr) {
      for (std::int64_t r = 0; r < map.cells; ++r) std::copy_n(from + r * map.stride, map.width, rows + r * map.width);
      from = rows;
    }
    if (heads > 1) dnn::split_heads(from, {map.cells, heads, map.width / heads}, to);
  };
  if (map.of_picture) {
    binding.each_picture([=](const StepRun&, std::int64_t image) { split(image); });
  } else {
    binding.each_step(StepPart::kAttention, [=](const StepRun& run) {
      for (std::int64_t row = 0; row < run.rows; ++row) split(row);
    });
  }
  return all;
}

class Attend {
 public:
  Attend(const AttendOptions& options, std::shared_ptr<const Tensor> weight, StepBinding& binding)
      : options_(options),
        weight_(std::move(weight)),
        keys_(binding.src(0)),
        query_(binding.src(1)),
        rows_per_image_(binding.sizes().rows_per_image),
        cells_(binding.sizes().cells()),
        rows_per_item_(keys_.of_picture ? rows_per_image_ : 1),
        window_{binding.sizes().grid_cols, options.window},
        grid_rows_(static_cast<float>(binding.sizes().grid_rows)) {
    if (binding.src_count() > 2) places_ = binding.src(2);
    head_keys_ = bind_heads(binding, keys_, options.heads);
    alphas_ = binding.buffer(binding.sizes().rows() * options.heads * cells_);
    masks_ = binding.buffer(binding.sizes().images * cells_);
    masked_.resize(static_cast<std::size_t>(binding.sizes().images));
    if (options.is_hard()) uniforms_.resize(static_cast<std::size_t>(binding.sizes().rows() * options.heads));
    if (options.heads > 1) means_ = binding.buffer(binding.sizes().rows() * cells_);
    if (binding.results_read() > 1) mass_ = binding.buffer(binding.sizes().rows());
  }

  StepView result() const { return {options_.heads > 1 ? means_ : alphas_, cells_, cells_, 0, false}; }
  const float* raw() const { return alphas_; }
  StepView minus_mass() const { return {mass_, 1, 1, 0, false}; }  ///< no data: nobody reads it

  void mask(const StepRun& run, std::int64_t image) {
    masked_[static_cast<std::size_t>(image)] = run.mask.empty() ? 0 : 1;
    float* dst = masks_ + image * cells_;
    for (std::size_t i = 0; i < run.mask.size(); ++i) {
      dst[i] = run.mask[i] > 0 ? std::log(run.mask[i]) : dnn::kNever;
    }
  }

  void run(const StepRun& run) {
    if (run.seed && options_.is_hard()) draw_uniforms(run);
    const std::int64_t items = run.rows / rows_per_item_ * options_.heads;
    const std::int64_t terms = kCellBlock * head_size() * rows_per_item_;
    dnn::parallel_for(items * blocks_of(cells_), step_grain(terms), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t block = begin; block < end; ++block) score(block);
    });
    dnn::parallel_for(run.rows * options_.heads, step_grain(cells_), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        select(row, {alphas_ + row * cells_, static_cast<std::size_t>(cells_)}, run.seed.has_value());
      }
    });
    if (options_.heads == 1) return;
    const std::int64_t size = rows_per_item_ * cells_;
    for (std::int64_t item = 0; item < run.rows / rows_per_item_; ++item) {
      dnn::mean_of_rows(alphas_ + item * options_.heads * size, options_.heads,
                        {means_ + item * size, static_cast<std::size_t>(size)});
    }
  }

 private:
  std::int64_t head_size() const { return keys_.width / options_.heads; }

  /// Some cells of one head of one item, for all its rows.
  void score(std::int64_t block) {
    const std::int64_t head_item = block / blocks_of(cells_);
    const std::int64_t item = head_item / options_.heads;
    const std::int64_t head = head_item % options_.heads;
    const std::int64_t first = block % blocks_of(cells_) * kCellBlock;
    for (std::int64_t i = 0; i < rows_per_item_; ++i) {
      const float* query = query_.item(item * rows_per_item_ + i) + head * head_size();
      score_block(head_item, first, query, alphas_ + (head_item * rows_per_item_ + i) * cells_ + first);
    }
  }

  void score_block(std::int64_t head_item, std::int64_t first, const float* query, float* scores) const {
    const std::int64_t size = head_size();
    const std::int64_t count = std::min(kCellBlock, cells_ - first);
    const float* keys = head_keys_ + (head_item * cells_ + first) * size;
    if (options_.is_additive()) {
      const float* weight = weight_->data() + head_item % options_.heads * size;
      const dnn::AdditiveScores args = {keys, query, weight, scores, count, size};
      (options_.score == Score::kAdditiveTanh ? dnn::additive_scores_tanh : dnn::additive_scores_relu)(args);
      return;
    }
    dnn::dots_with_rows(query, keys, count, scores, size);
    if (options_.score == Score::kDot) return;
    dnn::scale({scores, static_cast<std::size_t>(count)}, 1 / std::sqrt(static_cast<float>(size)), scores);
  }

  /// Makes weights of the scores of row `row` of alphas_.
  void select(std::int64_t row, std::span<float> scores, bool draws) const {
    const std::int64_t item = row / rows_per_item_ / options_.heads;
    const std::int64_t own = item * rows_per_item_ + row % rows_per_item_;  // of the search
    const std::int64_t image = own / rows_per_image_;
    if (masked_[static_cast<std::size_t>(image)] != 0) dnn::add(scores, masks_ + image * cells_, scores.data());
    if (options_.selector == Selector::kSoft) {
      if (mass_ == nullptr) return dnn::softmax_in_place(scores);
      // −log Σ exp(score) = log α[j] − score[j] of any cell j.
      const auto top = std::ranges::max_element(scores);
      const float score = *top;
      dnn::softmax_in_place(scores);
      mass_[own] = std::log(*top) - score;
      return;
    }
    if (options_.selector == Selector::kLocal) {
      const float* place = places_.item(own);
      return look_through_window(scores, {place[0] * grid_rows_, place[1] * static_cast<float>(window_.cols)});
    }
    const std::int64_t head = row / rows_per_item_ % options_.heads;
    const auto uniform = static_cast<std::size_t>(own * options_.heads + head);
    const std::size_t cell = draws ? drawn(scores, uniforms_[uniform])
                                   : static_cast<std::size_t>(std::ranges::max_element(scores) - scores.begin());
    if (options_.selector == Selector::kHard) {
      std::ranges::fill(scores, 0.0F);
      scores[cell] = 1;
      return;
    }
    look_through_window(scores, dnn::Place::middle_of(static_cast<std::int64_t>(cell), window_));
  }

  /// The softmax of the cells whose middle lies within the window, times a Gaussian; 0 elsewhere.
  void look_through_window(std::span<float> scores, dnn::Place place) const {
    place = dnn::nearest_seen(place, std::ssize(scores), window_,
                              [&](std::int64_t i) { return scores[static_cast<std::size_t>(i)] >= dnn::kNever / 2; });
    for (std::size_t i = 0; i < scores.size(); ++i) {
      if (!place.sees(static_cast<std::int64_t>(i), window_)) scores[i] = dnn::kNever;
    }
    dnn::softmax_in_place(scores);
    for (std::size_t i = 0; i < scores.size(); ++i) {
      scores[i] *= place.gaussian(static_cast<std::int64_t>(i), window_);
    }
  }

  /// A function of seed, step and a row's place among its picture's alone: neither threads nor the other pictures
  /// change it.
  void draw_uniforms(const StepRun& run) {
    const std::uint64_t of_step = mixed(*run.seed, static_cast<std::uint64_t>(run.step));
    const auto of_image = static_cast<std::size_t>(rows_per_image_ * options_.heads);
    for (std::size_t i = 0; i < uniforms_.size(); ++i) {
      constexpr float kBelowOne = 0x1.fffffep-1F;  // a number just below 1 rounds up to it
      uniforms_[i] = std::min(kBelowOne, static_cast<float>(Random(mixed(of_step, i % of_image)).uniform()));
    }
  }

  AttendOptions options_;
  std::shared_ptr<const Tensor> weight_;  // [1, A]; additive
  StepView keys_;
  StepView query_;
  StepView places_;  // rows and columns as shares of the grid's
  std::int64_t rows_per_image_;
  std::int64_t cells_;
  std::int64_t rows_per_item_;  // of what has keys: a picture, or a row
  dnn::Window window_;
  float grid_rows_;
  const float* head_keys_ = nullptr;  // [items, heads, cells, A/heads]
  float* alphas_ = nullptr;           // [items, heads, rows_per_item, cells]
  float* means_ = nullptr;            // [rows, cells], over heads
  float* mass_ = nullptr;             // [rows], −log Σ exp(score)
  float* masks_ = nullptr;            // [images, cells], logarithms of how much they count
  std::vector<char> masked_;          // a picture: whether those are looked at
  std::vector<float> uniforms_;       // [rows, heads], in [0, 1)
};

class PackedAttend final : public PackedNode {
 public:
  explicit PackedAttend(const PackContext& node) : options_(attend_options(node.view.attributes())) {
    if (options_.is_additive()) {
      weight_ = std::make_shared<const Tensor>(node.tensor(".weight", {1, node.view.srcs[0].back()}));
    }
  }
  void bind(StepBinding& binding) const override {
    const auto attend = std::make_shared<Attend>(options_, weight_, binding);
    binding.each_picture([=](const StepRun& run, std::int64_t image) { attend->mask(run, image); });
    binding.each_step(StepPart::kAttention, [=](const StepRun& run) { attend->run(run); });
    binding.give(attend->result());
    if (attend->minus_mass().data != nullptr) binding.give(attend->minus_mass());
    binding.set_raw(attend->raw());
  }

 private:
  AttendOptions options_;
  std::shared_ptr<const Tensor> weight_;
};

/// The weighted sums, as a product a picture and head.
void bind_sum(StepBinding& binding, std::int64_t heads, const StepView& dst) {
  const StepView memory = binding.src(1);
  const std::int64_t rows_per_item = memory.of_picture ? binding.sizes().rows_per_image : 1;
  const std::int64_t items = binding.sizes().rows() / rows_per_item;
  const float* alphas = binding.raw_src(0);
  const float* head_memory = bind_heads(binding, memory, heads);
  const std::int64_t width = memory.width / heads;
  const auto sum = std::make_shared<dnn::BatchedProduct>(
      "context", dnn::ProductShape{items * heads, rows_per_item, binding.sizes().cells(), width});
  float* parts = heads > 1 ? binding.buffer(binding.sizes().rows() * memory.width) : dst.data;
  binding.each_step(StepPart::kProducts, [=](const StepRun&) { sum->run(alphas, head_memory, parts); });
  if (heads == 1) return;
  const std::int64_t size = rows_per_item * memory.width;
  binding.each_step(StepPart::kProducts, [=](const StepRun& run) {
    for (std::int64_t item = 0; item < run.rows / rows_per_item; ++item) {
      dnn::merge_heads(parts + item * size, {rows_per_item, heads, width}, dst.data + item * size);
    }
  });
}

/// With a weight for every cell and channel: sources are alphas, memory, its keys and the row's query for those.
void bind_elements(StepBinding& binding, std::int64_t heads, const StepView& dst) {
  const StepView memory = binding.src(1);
  const StepView keys = binding.src(2);
  const StepView query = binding.src(3);
  const float* alphas = binding.raw_src(0);
  const std::int64_t rows_per_item = memory.of_picture ? binding.sizes().rows_per_image : 1;
  const std::int64_t cells = binding.sizes().cells();
  const std::int64_t share = memory.width / heads;
  binding.each_item(StepPart::kProducts, cells * memory.width, [=](std::int64_t row) {
    const std::int64_t item = row / rows_per_item;
    std::fill_n(dst.item(row), dst.width, 0.0F);
    for (std::int64_t head = 0; head < heads; ++head) {
      const std::int64_t own = (item * heads + head) * rows_per_item + row % rows_per_item;
      for (std::int64_t cell = 0; cell < cells; ++cell) {
        const float alpha = alphas[own * cells + cell];
        if (alpha == 0) continue;
        const float* seen = memory.item(item) + cell * memory.stride + head * share;
        const float* key = keys.item(item) + cell * keys.stride + head * share;
        dnn::add_opened({seen, key, query.item(row) + head * share, alpha},
                        {dst.item(row) + head * share, static_cast<std::size_t>(share)});
      }
    }
  });
}

}  // namespace

std::unique_ptr<PackedStep> pack_attend(const PackContext& node) { return std::make_unique<PackedAttend>(node); }

std::unique_ptr<PackedStep> pack_read(const PackContext& node) {
  const std::int64_t heads = node.view.attributes().count("heads");
  return std::make_unique<Unweighted>([heads](StepBinding& binding) {
    const StepView dst = binding.make(binding.src(1).width);
    binding.src_count() > 2 ? bind_elements(binding, heads, dst) : bind_sum(binding, heads, dst);
    binding.give(dst);
  });
}

}  // namespace glimpse::ops
