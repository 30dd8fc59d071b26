#include <algorithm>
#include <array>
#include <cassert>
#include <chrono>
#include <limits>
#include <string>
#include <utility>

#include "core/error.h"
#include "decoder/decoder.h"
#include "decoder/history.h"
#include "decoder/parameters.h"
#include "decoder/sight.h"
#include "dnn/runtime/threads.h"
#include "dnn/math/vector_math.h"

namespace glimpse {
namespace {

/// Floats of element-wise work below which a second thread is not worth waking.
constexpr std::int64_t kFloatsPerThread = 32768;

std::int64_t grain(std::int64_t floats_per_row) { return std::max<std::int64_t>(1, kFloatsPerThread / floats_per_row); }

/// Adds the time since the last lap to a part, where somebody wants to know.
class LapClock {
 public:
  explicit LapClock(bool running) : running_(running) {
    if (running_) last_ = std::chrono::steady_clock::now();
  }
  void lap(StepParts* parts, double StepParts::*part) {
    if (!running_) return;
    const auto now = std::chrono::steady_clock::now();
    parts->*part += std::chrono::duration<double>(now - last_).count();
    last_ = now;
  }

 private:
  bool running_;
  std::chrono::steady_clock::time_point last_;
};

Tensor zeros(Shape shape) {
  Tensor tensor(std::move(shape));
  std::fill(tensor.values().begin(), tensor.values().end(), 0.0F);
  return tensor;
}

std::span<float> row_of(Tensor& tensor, std::int64_t row) {
  const auto size = static_cast<std::size_t>(tensor.dim(1));
  return tensor.values().subspan(static_cast<std::size_t>(row) * size, size);
}

}  // namespace

struct DecoderSession::Impl {
  Impl(std::shared_ptr<const Decoder::Impl> shared, int image_count, int image_rows);

  void prepare(std::span<const float> features, int count, std::span<const float> masks);
  void check(std::span<const float> features, int count, std::span<const float> masks) const;
  void start(std::int64_t image);
  search::StepOutput step(std::span<const int> tokens, std::span<const int> parents);
  void gather(std::span<const int> tokens, std::span<const int> parents);
  void take_context(std::span<const float> context);
  void gate(std::int64_t row, std::span<const float> context, float* dst);
  void update_state(std::span<const int> parents);
  const float* deep_input(std::span<const int> parents);
  const float* output_input();
  void normalise();

  std::int64_t rows() const { return static_cast<std::int64_t>(images) * rows_per_image; }
  std::int64_t parent_of(std::span<const int> parents, std::int64_t row) const {
    return steps == 0 ? row : parents[static_cast<std::size_t>(row)];
  }

  const std::shared_ptr<const Decoder::Impl> model;
  const DecoderSizes& sizes;
  const int capacity;  ///< images that the primitives were built for
  const int rows_per_image;
  const std::int64_t all_rows;  ///< capacity × rows_per_image
  int images;                   ///< of the batch at hand
  std::int64_t steps = 0;       ///< since then; before the first every row is its own parent

  dnn::LinearKernel feature;  ///< an image's cells
  dnn::LinearKernel init;
  dnn::LinearKernel init_state;
  dnn::LinearKernel from_hidden;
  dnn::LinearKernel from_input;
  dnn::LinearKernel deep_hidden;
  dnn::LinearKernel output;
  Sight sight;
  HistorySession history;

  Tensor init_hidden;          ///< [capacity, hidden layer]
  Tensor initial;              ///< [capacity, 2n], h and c
  Tensor hidden;               ///< [rows, n], h of the last step
  Tensor previous;             ///< [rows, n], h of each row's parent
  std::array<Tensor, 2> cell;  ///< [rows, n], c; the first is the last step's
  Tensor hidden_products;      ///< [rows, …], see DecoderSizes
  Tensor input;                ///< [rows, m + D'], Ey and ẑ
  Tensor input_products;       ///< [rows, 4n + E]
  Tensor with_past;            ///< [rows, 2n], h and r; with history
  Tensor deep;                 ///< [rows, E]
  Tensor log_probs;            ///< [rows, V]
  std::vector<float> gates;    ///< [rows]
  StepParts* parts = nullptr;
};

DecoderSession::Impl::Impl(std::shared_ptr<const Decoder::Impl> shared, int image_count, int image_rows)
    : model(std::move(shared)),
      sizes(model->sizes),
      capacity(image_count),
      rows_per_image(image_rows),
      all_rows(std::int64_t{capacity} * rows_per_image),
      images(capacity),
      init_state(model->init_state, capacity),
      from_hidden(model->from_hidden, all_rows),
      from_input(model->from_input, all_rows),
      output(model->output, all_rows),
      sight(*model, capacity, rows_per_image),
      history(model->history, all_rows),
      initial(zeros({capacity, 2 * sizes.hidden})),
      hidden(zeros({all_rows, sizes.hidden})),
      previous(zeros({all_rows, sizes.hidden})),
      cell{zeros({all_rows, sizes.hidden}), zeros({all_rows, sizes.hidden})},
      hidden_products(zeros({all_rows, model->from_hidden.out()})),
      input(zeros({all_rows, model->from_input.in()})),
      input_products(zeros({all_rows, model->from_input.out()})),
      log_probs(zeros({all_rows, sizes.vocabulary})),
      gates(sizes.gate > 0 ? static_cast<std::size_t>(all_rows) : 0) {
  if (model->feature) feature = dnn::LinearKernel(model->feature, model->grid.cells(), true);
  if (model->init) {
    init = dnn::LinearKernel(model->init, capacity, true);
    init_hidden = zeros({capacity, model->init.out()});
  }
  if (sizes.history > 0) with_past = zeros({all_rows, 2 * sizes.hidden});
  if (model->deep_hidden) {
    deep_hidden = dnn::LinearKernel(model->deep_hidden, all_rows);
    deep = zeros({all_rows, sizes.deep});
  }
}

void DecoderSession::Impl::check(std::span<const float> features, int count, std::span<const float> masks) const {
  const auto cells = static_cast<std::size_t>(model->grid.cells());
  const auto size = cells * static_cast<std::size_t>(sizes.features);
  if (count < 1 || count > capacity || features.size() != static_cast<std::size_t>(count) * size) {
    throw Error(ErrorCode::kInternal, "a decoder session for " + std::to_string(capacity) + " images of " +
                                          std::to_string(size) + " features was given " + std::to_string(count) +
                                          " images, " + std::to_string(features.size()) + " features");
  }
  if (masks.empty()) return;
  if (masks.size() != static_cast<std::size_t>(count) * cells) {
    throw Error(ErrorCode::kInternal, "masks of " + std::to_string(masks.size()) + " cells for " +
                                          std::to_string(count) + " images of " + std::to_string(cells));
  }
  for (std::size_t i = 0; i < masks.size(); i += cells) {
    const std::span<const float> mask = masks.subspan(i, cells);
    const auto valid = [](float weight) { return weight >= 0 && weight <= 1; };
    if (std::ranges::all_of(mask, valid) && std::ranges::any_of(mask, [](float weight) { return weight > 0; }))
      continue;
    throw Error(ErrorCode::kUsage, "a mask that leaves none of the map's " + std::to_string(cells) +
                                       " cells, or whose weights are not between 0 and 1");
  }
}

void DecoderSession::Impl::prepare(std::span<const float> features, int count, std::span<const float> masks) {
  check(features, count, masks);
  const auto cells = static_cast<std::size_t>(model->grid.cells());
  const std::size_t size = features.size() / static_cast<std::size_t>(count);
  images = count;
  steps = 0;
  history.start();
  for (int image = 0; image < count; ++image) {
    const auto i = static_cast<std::size_t>(image);
    const std::span<const float> source = features.subspan(i * size, size);
    const std::span<float> memory = sight.memory(image);
    if (feature) {
      feature.run(source.data(), memory.data());
    } else {
      std::copy(source.begin(), source.end(), memory.begin());
    }
    sight.prepare(image, masks.empty() ? masks : masks.subspan(i * cells, cells));
  }
  if (init) init.run(sight.means().data(), init_hidden.data());
  init_state.run(init ? init_hidden.data() : sight.means().data(), initial.data());
  for (int image = 0; image < count; ++image) start(image);
}

/// Gives all rows of an image its start state.
void DecoderSession::Impl::start(std::int64_t image) {
  const std::span<float> state = row_of(initial, image);
  if (model->config.init != DecoderConfig::Init::kLinear) dnn::tanh_in_place(state);
  const auto n = static_cast<std::size_t>(sizes.hidden);
  for (std::int64_t i = 0; i < rows_per_image; ++i) {
    const std::int64_t row = image * rows_per_image + i;
    std::copy_n(state.begin(), n, row_of(hidden, row).begin());
    std::copy_n(state.begin() + static_cast<std::ptrdiff_t>(n), n, row_of(cell[0], row).begin());
  }
}

search::StepOutput DecoderSession::Impl::step(std::span<const int> tokens, std::span<const int> parents) {
  assert(tokens.size() == static_cast<std::size_t>(rows()) && parents.size() == tokens.size());
  LapClock clock(parts != nullptr);
  gather(tokens, parents);
  clock.lap(parts, &StepParts::gather);
  from_hidden.run(previous.data(), hidden_products.data());
  clock.lap(parts, &StepParts::products);
  const std::span<const float> alphas = sight.weigh(hidden_products, steps);
  clock.lap(parts, &StepParts::attention);
  const std::span<const float> context = sight.read(hidden_products);
  clock.lap(parts, &StepParts::products);
  take_context(context);
  clock.lap(parts, &StepParts::gates);
  from_input.run(input.data(), input_products.data());
  clock.lap(parts, &StepParts::products);
  update_state(parents);
  clock.lap(parts, &StepParts::gates);
  if (deep_hidden) deep_hidden.run(deep_input(parents), deep.data());
  clock.lap(parts, &StepParts::products);
  const float* last = output_input();
  clock.lap(parts, &StepParts::gates);
  output.run(last, log_probs.data());
  clock.lap(parts, &StepParts::products);
  normalise();
  clock.lap(parts, &StepParts::log_softmax);
  ++steps;

  const auto count = static_cast<std::size_t>(rows());
  return {std::as_const(log_probs).values().first(count * static_cast<std::size_t>(sizes.vocabulary)),
          alphas.first(count * static_cast<std::size_t>(model->grid.cells())),
          std::span<const float>(gates).first(sizes.gate > 0 ? count : 0),
          sight.channels().first(model->channels ? count * static_cast<std::size_t>(sizes.memory) : 0)};
}

/// Each row's word and its parent's h, to where the products read them.
void DecoderSession::Impl::gather(std::span<const int> tokens, std::span<const int> parents) {
  dnn::parallel_for(rows(), grain(sizes.embedding + sizes.hidden), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const int token = tokens[static_cast<std::size_t>(row)];
      assert(token >= 0 && token < sizes.vocabulary);
      std::copy_n(model->embedding.data() + token * sizes.embedding, sizes.embedding, row_of(input, row).data());
      std::copy_n(hidden.data() + parent_of(parents, row) * sizes.hidden, sizes.hidden, row_of(previous, row).data());
    }
  });
}

/// The gated context, beside the embeddings: context [rows, D'].
void DecoderSession::Impl::take_context(std::span<const float> context) {
  dnn::parallel_for(rows(), grain(sizes.memory), [&](std::int64_t begin, std::int64_t end) {
    const auto size = static_cast<std::size_t>(sizes.memory);
    for (std::int64_t row = begin; row < end; ++row) {
      const std::span<const float> src = context.subspan(static_cast<std::size_t>(row) * size, size);
      float* dst = row_of(input, row).data() + sizes.embedding;
      gate(row, src, dst);
    }
  });
}

void DecoderSession::Impl::gate(std::int64_t row, std::span<const float> context, float* dst) {
  if (sizes.gate == 0) {
    std::copy(context.begin(), context.end(), dst);
    return;
  }
  const std::span<float> open =
      row_of(hidden_products, row)
          .subspan(static_cast<std::size_t>(sizes.gate_at()), static_cast<std::size_t>(sizes.gate));
  float& mean_gate = gates[static_cast<std::size_t>(row)];
  if (model->config.gate == DecoderConfig::Gate::kVector) {
    mean_gate = dnn::scale_by_sigmoid(context, open.data(), dst);
    return;
  }
  dnn::sigmoid_in_place(open);
  mean_gate = open[0];
  dnn::scale(context, mean_gate, dst);
}

/// The LSTM's gates: a new h and c for every row.
void DecoderSession::Impl::update_state(std::span<const int> parents) {
  dnn::parallel_for(rows(), grain(4 * sizes.hidden), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      dnn::LstmRow lstm;
      lstm.a = row_of(hidden_products, row).data() + sizes.lstm_at();
      lstm.b = row_of(input_products, row).data();
      lstm.c_before = cell[0].data() + parent_of(parents, row) * sizes.hidden;
      lstm.c = row_of(cell[1], row).data();
      lstm.h = row_of(hidden, row).data();
      dnn::lstm_row(lstm, sizes.hidden);
    }
  });
  std::swap(cell[0], cell[1]);
}

/// What the deep layer multiplies: h, beside what the rows see of their past where they look back.
const float* DecoderSession::Impl::deep_input(std::span<const int> parents) {
  if (sizes.history == 0) return hidden.data();
  for (std::int64_t row = 0; row < rows(); ++row) {
    std::ranges::copy(row_of(hidden, row), row_of(with_past, row).begin());
  }
  history.look(hidden, parents, with_past.data() + sizes.hidden, with_past.dim(1));
  return with_past.data();
}

/// What the output layer multiplies: h, or the deep layer.
const float* DecoderSession::Impl::output_input() {
  if (sizes.deep == 0) return hidden.data();
  const bool squash = model->config.output == DecoderConfig::Output::kDeepTanh;
  dnn::parallel_for(rows(), grain(sizes.deep), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const std::span<float> dst = row_of(deep, row);
      const float* from_words = row_of(input_products, row).data() + 4 * sizes.hidden;
      (squash ? dnn::add_tanh : dnn::add)(dst, from_words, dst.data());
    }
  });
  return deep.data();
}

void DecoderSession::Impl::normalise() {
  dnn::parallel_for(rows(), grain(sizes.vocabulary), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const std::span<float> values = row_of(log_probs, row);
      dnn::log_softmax_in_place(values);
      for (const int word : model->config.never_emit) {
        values[static_cast<std::size_t>(word)] = -std::numeric_limits<float>::infinity();
      }
    }
  });
}

DecoderSession::DecoderSession(Decoder decoder, int images, int rows_per_image)
    : impl_(std::make_unique<Impl>(std::move(decoder.impl_), images, rows_per_image)) {}
DecoderSession::~DecoderSession() = default;

void DecoderSession::prepare(std::span<const float> features, int images, std::span<const float> masks) {
  impl_->prepare(features, images, masks);
}
void DecoderSession::draw_cells(std::optional<std::uint64_t> seed) { impl_->sight.draw_cells(seed); }
int DecoderSession::images() const { return impl_->images; }
int DecoderSession::rows_per_image() const { return impl_->rows_per_image; }
int DecoderSession::vocabulary_size() const { return static_cast<int>(impl_->sizes.vocabulary); }
int DecoderSession::cells() const { return impl_->model->grid.cells(); }
int DecoderSession::channels() const { return impl_->model->channels ? static_cast<int>(impl_->sizes.memory) : 0; }
int DecoderSession::start_id() const { return impl_->model->config.start_id; }
int DecoderSession::end_id() const { return impl_->model->config.end_id; }
void DecoderSession::measure(StepParts* parts) { impl_->parts = parts; }

search::StepOutput DecoderSession::step(std::span<const int> tokens, std::span<const int> parents) {
  return impl_->step(tokens, parents);
}

}  // namespace glimpse
