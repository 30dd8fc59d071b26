#include "decoder/sight.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/seed.h"
#include "dnn/runtime/threads.h"
#include "dnn/math/vector_math.h"

namespace glimpse {
namespace {

using Channels = DecoderConfig::Channels;

/// Floats of element-wise work below which a second thread is not worth waking.
constexpr std::int64_t kFloatsPerThread = 32768;

Tensor zeros(Shape shape) {
  Tensor tensor(std::move(shape));
  std::ranges::fill(tensor.values(), 0.0F);
  return tensor;
}

std::span<float> part_of(Tensor& tensor, std::int64_t i, std::int64_t size) {
  return tensor.values().subspan(static_cast<std::size_t>(i * size), static_cast<std::size_t>(size));
}

attention::AttentionShape shape_of(const Decoder::Impl& model, std::int64_t images, std::int64_t rows_per_image) {
  if (model.config.channels == Channels::kChannelSpatial) return {images * rows_per_image, 1, model.grid.cells()};
  return {images, rows_per_image, model.grid.cells()};
}

/// dst [size] = Σ weights[i] · rows[i] / Σ weights.
void weighted_mean(const float* rows, std::span<const float> weights, std::span<float> dst) {
  float total = 0;
  std::ranges::fill(dst, 0.0F);
  for (const float weight : weights) {
    total += weight;
    for (float& sum : dst) sum += weight * *rows++;
  }
  for (float& sum : dst) sum /= total;
}

}  // namespace

Sight::Sight(const Decoder::Impl& model, std::int64_t images, std::int64_t rows_per_image)
    : model_(model),
      images_(images),
      rows_per_image_(rows_per_image),
      attention_(model.attention, shape_of(model, images, rows_per_image)),
      means_(zeros({images, model.sizes.memory})) {
  if (channels_first()) cells_ = zeros({images, model.grid.cells(), model.sizes.memory});
  if (model.channels) channels_ = zeros({rows(), model.sizes.memory});
  if (model.config.channels == Channels::kSpatialChannel) context_ = zeros({rows(), model.sizes.memory});
  if (model.config.is_hard()) lots_.resize(static_cast<std::size_t>(rows() * model.config.heads));
  if (!model.place) return;
  place_ = dnn::LinearKernel(model.place, rows());
  place_hidden_ = zeros({rows(), model.sizes.place});
  places_ = zeros({rows(), 2});
}

std::span<float> Sight::memory(std::int64_t image) {
  return channels_first() ? part_of(cells_, image, model_.grid.cells() * model_.sizes.memory)
                          : attention_.memory(image);
}

void Sight::prepare(std::int64_t image, std::span<const float> mask) {
  const std::span<float> mean = part_of(means_, image, model_.sizes.memory);
  if (mask.empty()) {
    dnn::mean_of_rows(memory(image).data(), model_.grid.cells(), mean);
  } else {
    weighted_mean(memory(image).data(), mask, mean);
  }
  if (!channels_first()) {
    attention_.mask(image, mask);
    attention_.prepare(image);
    return;
  }
  for (std::int64_t i = 0; i < rows_per_image_; ++i) attention_.mask(image * rows_per_image_ + i, mask);
}

const float* Sight::of_row(const Tensor& products, std::int64_t row, std::int64_t column) const {
  return products.data() + row * products.dim(1) + column;
}

std::span<const float> Sight::weigh(Tensor& products, std::int64_t step) {
  attention::Question question;
  question.queries = products.data();
  question.stride = products.dim(1);
  if (channels_first()) weigh_channels_first(products);
  if (place_) {
    predict_places(products);
    question.places = places_.values();
  }
  if (seed_ && !lots_.empty()) {
    draw_lots(step);
    question.lots = lots_;
  }
  return attention_.weigh(question);
}

/// Gives every row cells of its own, whose channels count as its state and its image want them to.
void Sight::weigh_channels_first(const Tensor& products) {
  const std::int64_t size = model_.sizes.memory;
  const std::int64_t cells = model_.grid.cells();
  dnn::parallel_for(rows(), std::max<std::int64_t>(1, kFloatsPerThread / (cells * size)),
                    [&](std::int64_t begin, std::int64_t end) {
                      for (std::int64_t row = begin; row < end; ++row) {
                        const std::int64_t image = row / rows_per_image_;
                        float* weights = channels_.data() + row * size;
                        model_.channels.weigh(part_of(means_, image, size),
                                              of_row(products, row, model_.sizes.channel_at()), weights);
                        const std::span<float> dst = attention_.memory(row);
                        for (std::int64_t i = 0; i < cells; ++i) {
                          dnn::scale_each(part_of(cells_, image * cells + i, size), weights, dst.data() + i * size);
                        }
                      }
                    });
  for (std::int64_t row = 0; row < rows(); ++row) attention_.prepare(row);
}

/// The middles of the windows, [rows, 2]: grid · σ(place(tanh(place_hidden(h)))).
void Sight::predict_places(const Tensor& products) {
  const std::int64_t size = model_.sizes.place;
  for (std::int64_t row = 0; row < rows(); ++row) {
    std::copy_n(of_row(products, row, model_.sizes.place_at()), size, place_hidden_.data() + row * size);
  }
  dnn::tanh_in_place(place_hidden_.values());
  place_.run(place_hidden_.data(), places_.data());
  dnn::sigmoid_in_place(places_.values());
  for (std::int64_t row = 0; row < rows(); ++row) {
    places_.data()[2 * row] *= static_cast<float>(model_.grid.rows);
    places_.data()[2 * row + 1] *= static_cast<float>(model_.grid.cols);
  }
}

/// A function of seed, step and a row's place among its image's alone: neither threads nor the other images change it.
void Sight::draw_lots(std::int64_t step) {
  const std::uint64_t of_step = mixed(*seed_, static_cast<std::uint64_t>(step));
  const auto an_image = static_cast<std::size_t>(rows_per_image_ * model_.config.heads);
  for (std::size_t i = 0; i < lots_.size(); ++i) {
    constexpr float kBelowOne = 0x1.fffffep-1F;  // a number just below 1 rounds up to it
    lots_[i] = std::min(kBelowOne, static_cast<float>(Random(mixed(of_step, i % an_image)).uniform()));
  }
}

std::span<const float> Sight::read(const Tensor& products) {
  const DecoderSizes& sizes = model_.sizes;
  const std::span<const float> seen =
      sizes.element > 0 ? attention_.read(products.data() + sizes.element_at(), products.dim(1)) : attention_.read();
  if (model_.config.channels != Channels::kSpatialChannel) return seen;
  const auto size = static_cast<std::size_t>(sizes.memory);
  dnn::parallel_for(rows(), std::max<std::int64_t>(1, kFloatsPerThread / (sizes.memory * sizes.channel)),
                    [&](std::int64_t begin, std::int64_t end) {
                      for (std::int64_t row = begin; row < end; ++row) {
                        const auto own = seen.subspan(static_cast<std::size_t>(row) * size, size);
                        float* weights = channels_.data() + row * sizes.memory;
                        model_.channels.weigh(own, of_row(products, row, sizes.channel_at()), weights);
                        dnn::scale_each(own, weights, context_.data() + row * sizes.memory);
                      }
                    });
  return std::as_const(context_).values();
}

std::span<const float> Sight::channels() const {
  return model_.channels ? channels_.values() : std::span<const float>();
}

}  // namespace glimpse
