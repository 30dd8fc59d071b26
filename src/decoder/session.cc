#include <algorithm>
#include <chrono>
#include <limits>
#include <string>
#include <utility>

#include "core/error.h"
#include "decoder/decoder.h"
#include "decoder/decoder_impl.h"
#include "dnn/math/vector_math.h"
#include "dnn/runtime/threads.h"

namespace glimpse {

struct DecoderSession::Impl {
  Impl(std::shared_ptr<const Decoder::Impl> shared, int image_count, int image_rows)
      : model(std::move(shared)),
        capacity(image_count),
        rows_per_image(image_rows),
        session(model->plan, image_count, image_rows),
        gates(model->plan.width("gate") > 0 ? static_cast<std::size_t>(image_count) * image_rows : 0) {}

  void check(std::span<const float> features, int count, std::span<const float> masks) const;
  void check_step(std::span<const int> tokens, std::span<const int> parents) const;
  search::StepOutput step(std::span<const int> tokens, std::span<const int> parents);
  void normalise(const ops::StepView& words, std::int64_t rows) const;
  std::span<const float> mean_gates(std::int64_t rows);

  std::int64_t rows() const { return session.images() * rows_per_image; }

  const std::shared_ptr<const Decoder::Impl> model;
  const int capacity;  ///< images that the primitives were built for
  const int rows_per_image;
  net::StepSession session;
  bool prepared = false;
  bool first_step = true;    ///< since then: every row is its own parent
  std::vector<float> gates;  ///< [rows]
  StepParts* parts = nullptr;
  net::StepSeconds seconds = {};
};

void DecoderSession::Impl::check(std::span<const float> features, int count, std::span<const float> masks) const {
  const auto cells = static_cast<std::size_t>(model->grid.cells());
  const auto size = cells * static_cast<std::size_t>(model->features);
  if (count < 1 || count > capacity || features.size() != static_cast<std::size_t>(count) * size) {
    throw Error(ErrorCode::kUsage, "a decoder session for " + std::to_string(capacity) + " images of " +
                                       std::to_string(size) + " features was given " + std::to_string(count) +
                                       " images, " + std::to_string(features.size()) + " features");
  }
  if (masks.empty()) return;
  if (masks.size() != static_cast<std::size_t>(count) * cells) {
    throw Error(ErrorCode::kUsage, "masks of " + std::to_string(masks.size()) + " cells for " + std::to_string(count) +
                                       " images of " + std::to_string(cells));
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

void DecoderSession::Impl::check_step(std::span<const int> tokens, std::span<const int> parents) const {
  const auto fail = [](const std::string& what) { throw Error(ErrorCode::kUsage, "a decoder step " + what); };
  if (!prepared) fail("before any picture was prepared");
  if (std::ssize(tokens) != rows() || std::ssize(parents) != rows()) {
    fail("with " + std::to_string(tokens.size()) + " tokens and " + std::to_string(parents.size()) + " parents for " +
         std::to_string(rows()) + " rows");
  }
  const std::int64_t vocabulary = model->plan.width("words");
  for (std::size_t row = 0; row < tokens.size(); ++row) {
    if (tokens[row] < 0 || tokens[row] >= vocabulary) {
      fail("with token " + std::to_string(tokens[row]) + "; the vocabulary has 0 to " + std::to_string(vocabulary - 1));
    }
    if (first_step) continue;
    if (parents[row] < 0 || parents[row] / rows_per_image != static_cast<int>(row) / rows_per_image) {
      fail("with parent " + std::to_string(parents[row]) + " for row " + std::to_string(row) +
           ", which is of another image");
    }
  }
}

search::StepOutput DecoderSession::Impl::step(std::span<const int> tokens, std::span<const int> parents) {
  check_step(tokens, parents);
  const std::int64_t count = rows();
  session.step(tokens, parents);
  first_step = false;
  const auto begin = std::chrono::steady_clock::now();
  const ops::StepView words = session.output("words");
  normalise(words, count);
  if (parts != nullptr) {
    parts->log_softmax += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    parts->products = seconds[static_cast<std::size_t>(ops::StepPart::kProducts)];
    parts->attention = seconds[static_cast<std::size_t>(ops::StepPart::kAttention)];
    parts->gates = seconds[static_cast<std::size_t>(ops::StepPart::kGates)];
    parts->gather = seconds[static_cast<std::size_t>(ops::StepPart::kGather)];
  }
  const auto all = [count](const ops::StepView& view) {
    return std::span<const float>(view.data, static_cast<std::size_t>(view.data == nullptr ? 0 : count * view.width));
  };
  return {all(words), all(session.output("glimpse")), mean_gates(count), all(session.output("channels"))};
}

std::span<const float> DecoderSession::Impl::mean_gates(std::int64_t rows) {
  const ops::StepView view = session.output("gate");
  if (view.data == nullptr) return {};
  for (std::int64_t row = 0; row < rows; ++row) {
    double sum = 0;
    for (std::int64_t i = 0; i < view.width; ++i) sum += static_cast<double>(view.item(row)[i]);
    gates[static_cast<std::size_t>(row)] = static_cast<float>(sum / static_cast<double>(view.width));
  }
  return std::span<const float>(gates).first(static_cast<std::size_t>(rows));
}

void DecoderSession::Impl::normalise(const ops::StepView& words, std::int64_t rows) const {
  dnn::parallel_for(rows, ops::step_grain(words.width), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const std::span<float> values(words.item(row), static_cast<std::size_t>(words.width));
      dnn::log_softmax_in_place(values);
      for (const int word : model->config.never_emit) {
        values[static_cast<std::size_t>(word)] = -std::numeric_limits<float>::infinity();
      }
    }
  });
}

DecoderSession::DecoderSession(Decoder decoder, int images, int rows_per_image) {
  if (images < 1 || rows_per_image < 1) {
    throw Error(ErrorCode::kUsage, "a decoder session for " + std::to_string(images) + " images of " +
                                       std::to_string(rows_per_image) + " rows; give 1 or more of each");
  }
  impl_ = std::make_unique<Impl>(std::move(decoder.impl_), images, rows_per_image);
}
DecoderSession::~DecoderSession() = default;

void DecoderSession::prepare(std::span<const float> features, int images, std::span<const float> masks) {
  impl_->check(features, images, masks);
  impl_->session.prepare(features, images, masks);
  impl_->prepared = true;
  impl_->first_step = true;
}
void DecoderSession::draw_cells(std::optional<std::uint64_t> seed) { impl_->session.draw_cells(seed); }
int DecoderSession::images() const { return static_cast<int>(impl_->session.images()); }
int DecoderSession::rows_per_image() const { return impl_->rows_per_image; }
int DecoderSession::vocabulary_size() const { return static_cast<int>(impl_->model->plan.width("words")); }
int DecoderSession::cells() const { return impl_->model->grid.cells(); }
int DecoderSession::channels() const { return static_cast<int>(impl_->model->plan.width("channels")); }
int DecoderSession::start_id() const { return impl_->model->config.start_id; }
int DecoderSession::end_id() const { return impl_->model->config.end_id; }

void DecoderSession::measure(StepParts* parts) {
  impl_->parts = parts;
  impl_->seconds = {};
  impl_->session.measure(parts == nullptr ? nullptr : &impl_->seconds);
}

search::StepOutput DecoderSession::step(std::span<const int> tokens, std::span<const int> parents) {
  return impl_->step(tokens, parents);
}

}  // namespace glimpse
