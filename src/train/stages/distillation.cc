#include "train/stages/distillation.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"
#include "core/random.h"
#include "net/shapes.h"
#include "train/stages/picture_batch.h"

namespace glimpse::train {
namespace {

using dnn::Array;

constexpr const char* kProject = "distill.project";
/// Pictures that the target's mean and deviation are taken of.
constexpr std::int64_t kMeasured = 512;
/// Channels that hardly change would otherwise count as much as the others, noise and all.
constexpr double kLeastDeviation = 1e-3;

/// The index of each row's largest number.
std::vector<std::int64_t> first_choices(const Array& logits) {
  const std::int64_t rows = logits.dim(0);
  const std::int64_t classes = logits.count() / rows;
  std::vector<std::int64_t> result;
  for (std::int64_t r = 0; r < rows; ++r) {
    const float* row = logits.data() + r * classes;
    result.push_back(std::max_element(row, row + classes) - row);
  }
  return result;
}

}  // namespace

Distillation::Distillation(DistillationInput input, ParameterSet& parameters, dnn::Kernels& kernels)
    : input_(std::move(input)),
      parameters_(parameters),
      kernels_(kernels),
      encoder_(input_.encoder, parameters),
      teacher_(input_.options, input_.input, kernels.threads()) {
  const Shape target = teacher_.map_shape(1);
  const Shape map = net::infer_shapes(
      input_.encoder, {1, 3, input_.input.height, input_.input.width})[static_cast<std::size_t>(input_.encoder.output)];
  if (map[2] != target[2] || map[3] != target[3]) {
    throw Error(ErrorCode::kModel, "the encoder's map has " + std::to_string(map[2]) + "×" + std::to_string(map[3]) +
                                       " cells, the teacher's " + std::to_string(target[2]) + "×" +
                                       std::to_string(target[3]) + "; distill.teacher-dilate doubles the teacher's");
  }
  Random random(input_.seed);
  Tensor weight({target[1], map[1], 1, 1});
  for (float& value : weight.values()) value = static_cast<float>(random.normal() / std::sqrt(map[1]));
  Tensor bias({target[1]});
  std::ranges::fill(bias.values(), 0.0F);
  parameters_.add(std::string(kProject) + ".weight", std::move(weight), true);
  parameters_.add(std::string(kProject) + ".bias", std::move(bias), false);
  measure_target();
  if (!input_.options.cache.empty()) open_cache();
  seek(0);
}

void Distillation::open_cache() {
  const DistillStage& options = input_.options;
  Hash key;
  key.add(MappedFile(options.teacher_graph).bytes());
  key.add(MappedFile(options.teacher_weights).bytes());
  const auto number = [&](double value) { key.add(std::to_string(value) + ' '); };
  for (const std::string& node : options.target) key.add(node + ' ');
  key.add(options.logits_weight > 0 ? options.teacher_output : "");
  number(options.teacher_dilate ? 1 : 0);
  for (const double value : options.teacher_mean) number(value);
  for (const double value : options.teacher_std) number(value);
  number(input_.input.width);
  number(input_.input.height);
  number(static_cast<double>(input_.input.resize));
  const AugmentOptions& augment = options.augment;
  for (const double value : {augment.flip ? 1.0 : 0.0, augment.scale_min, augment.scale_max, augment.ratio_min,
                             augment.ratio_max, augment.colour}) {
    number(value);
  }
  key.add(std::to_string(input_.seed));
  for (const std::filesystem::path& picture : input_.pictures) key.add(picture.native() + '\n');
  said_.resize(static_cast<std::size_t>(element_count(teacher_.map_shape(1)) + teacher_.logits_shape(1)[1]));
  cache_.emplace(options.cache, key.text(), input_.pictures.size(), options.views, said_.size());
}

LoaderOptions Distillation::loader_options(bool training) const {
  LoaderOptions options;
  options.batch = input_.options.batch;
  options.input = input_.input;
  options.seed = input_.seed;
  options.shuffle = training;
  options.whole_batches = training;
  if (training) options.augment = input_.options.augment;
  if (training && !input_.options.cache.empty()) options.views = input_.options.views;
  return options;
}

void Distillation::seek(std::int64_t step) {
  loader_.emplace(input_.pictures, loader_options(true));
  if (step == 0) return;
  const std::int64_t steps = loader_->batches_per_epoch();
  loader_.emplace(input_.pictures, loader_options(true), static_cast<int>(step / steps), step % steps);
}

void Distillation::measure_target() {
  LoaderOptions options = loader_options(true);
  options.augment = {};
  Loader loader(input_.pictures, options);
  const std::int64_t channels = teacher_.map_shape(1)[1];
  std::vector<double> sums(static_cast<std::size_t>(channels));
  std::vector<double> squares(sums.size());
  double count = 0;
  const std::int64_t batches = std::min(loader.batches_per_epoch(), (kMeasured + options.batch - 1) / options.batch);
  for (std::int64_t i = 0; i < batches; ++i) {
    const Batch& batch = loader.next();
    teacher_.look(batch.pixels, static_cast<std::int64_t>(batch.pictures.size()));
    const Array map = teacher_.map(kernels_);
    const std::int64_t cells = map.dim(2) * map.dim(3);
    for (std::int64_t plane = 0; plane < map.dim(0) * channels; ++plane) {
      const auto c = static_cast<std::size_t>(plane % channels);
      for (std::int64_t k = 0; k < cells; ++k) {
        const double value = map.data()[plane * cells + k];
        sums[c] += value;
        squares[c] += value * value;
      }
    }
    count += static_cast<double>(map.dim(0) * cells);
  }
  mean_ = Tensor({channels});
  deviation_ = Tensor({channels});
  for (std::size_t c = 0; c < sums.size(); ++c) {
    const double mean = sums[c] / count;
    mean_.values()[c] = static_cast<float>(mean);
    deviation_.values()[c] =
        static_cast<float>(std::max(kLeastDeviation, std::sqrt(std::max(0.0, squares[c] / count - mean * mean))));
  }
}

Array Distillation::standardised(const Array& map) const {
  const std::int64_t channels = map.dim(1);
  const std::int64_t cells = map.dim(2) * map.dim(3);
  for (std::int64_t plane = 0; plane < map.dim(0) * channels; ++plane) {
    const auto c = static_cast<std::size_t>(plane % channels);
    for (std::int64_t k = 0; k < cells; ++k) {
      float& value = map.data()[plane * cells + k];
      value = (value - mean_.values()[c]) / deviation_.values()[c];
    }
  }
  return map;
}

Variable Distillation::predict(Tape& tape, const Variable& picture, const Network::Mode& mode) {
  const Variable map = encoder_.forward(tape, picture, mode);
  return convolution(tape, map, tape.parameter(parameters_.at(std::string(kProject) + ".weight")),
                     tape.parameter(parameters_.at(std::string(kProject) + ".bias")), {});
}

Distillation::TeacherOutput Distillation::run_teacher(const Batch& batch) {
  teacher_.look(batch.pixels, static_cast<std::int64_t>(batch.pictures.size()));
  return {teacher_.map(kernels_), teacher_.logits(kernels_)};
}

Distillation::TeacherOutput Distillation::teacher_output(const Batch& batch) {
  if (!cache_) return run_teacher(batch);
  const int view = batch.epoch % input_.options.views;
  const bool known = std::ranges::all_of(
      batch.pictures, [&](const LoadedPicture& picture) { return cache_->has(picture.index, view); });
  const auto pictures = static_cast<std::int64_t>(batch.pictures.size());
  const TeacherOutput taught =
      known ? TeacherOutput{kernels_.take(teacher_.map_shape(pictures)), kernels_.take(teacher_.logits_shape(pictures))}
            : run_teacher(batch);
  const std::int64_t map = taught.map.count() / pictures;
  const std::int64_t classes = taught.logits.dim(1);
  for (std::int64_t i = 0; i < pictures; ++i) {
    const std::size_t picture = batch.pictures[static_cast<std::size_t>(i)].index;
    if (!known) {
      std::copy_n(taught.map.data() + i * map, map, said_.data());
      std::copy_n(taught.logits.data() + i * classes, classes, said_.data() + map);
      cache_->write(picture, view, said_);
    }
    // Read back even if just written, so that interrupted runs train on the same rounded numbers.
    cache_->read(picture, view, said_);
    std::copy_n(said_.data(), map, taught.map.data() + i * map);
    std::copy_n(said_.data() + map, classes, taught.logits.data() + i * classes);
  }
  return taught;
}

Stage::Step Distillation::step() {
  const Batch& batch = loader_->next();
  const auto pictures = static_cast<std::int64_t>(batch.pictures.size());
  const TeacherOutput taught = teacher_output(batch);
  Tape tape(kernels_);
  const Variable said = predict(tape, picture_batch(tape, batch, input_.input), {});
  const Variable error = mean_squared_error(tape, said, standardised(taught.map));
  Step result;
  result.pictures = pictures;
  result.parts = {{"error", error.value().data()[0]}};
  Variable loss = error;
  if (input_.options.logits_weight > 0) {
    const Variable classes = divergence(tape, teacher_.classify(tape, affine(tape, said, deviation_, mean_)),
                                        taught.logits, input_.options.temperature);
    result.parts.emplace_back("divergence", classes.value().data()[0]);
    loss = weighted_sum(tape, {{1.0, error}, {input_.options.logits_weight, classes}});
  }
  result.loss = loss.value().data()[0];
  tape.backward(loss);
  return result;
}

Measures Distillation::validate() {
  Loader loader(input_.validation, loader_options(false));
  double error = 0;
  std::int64_t pictures = 0;
  std::int64_t agreed = 0;
  const bool classes = input_.options.logits_weight > 0;
  for (std::int64_t i = 0; i < loader.batches_per_epoch(); ++i) {
    const Batch& batch = loader.next();
    const auto count = static_cast<std::int64_t>(batch.pictures.size());
    const TeacherOutput taught = run_teacher(batch);
    Tape tape(kernels_);
    const Variable said = predict(tape, picture_batch(tape, batch, input_.input), {Statistics::kRunning, true});
    error += static_cast<double>(count) * mean_squared_error(tape, said, standardised(taught.map)).value().data()[0];
    if (classes) {
      const auto ours = first_choices(teacher_.classify(tape, affine(tape, said, deviation_, mean_)).value());
      const auto theirs = first_choices(taught.logits);
      for (std::size_t k = 0; k < ours.size(); ++k) agreed += ours[k] == theirs[k] ? 1 : 0;
    }
    pictures += count;
  }
  Measures scores = {{"explained", 1 - error / static_cast<double>(pictures)}};
  if (classes) scores.emplace_back("agreement", static_cast<double>(agreed) / static_cast<double>(pictures));
  return scores;
}

}  // namespace glimpse::train
