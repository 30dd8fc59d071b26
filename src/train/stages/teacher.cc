#include "train/stages/teacher.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "net/compile.h"

namespace glimpse::train {
namespace {

net::GraphSpec read_graph(const DistillStage& options) {
  const net::GraphSpec graph = net::read_graph(options.teacher_graph);
  return options.teacher_dilate ? dilate_last_stride(graph) : graph;
}

std::vector<std::string> outputs_of(const DistillStage& options) {
  std::vector<std::string> outputs = options.target;
  if (options.logits_weight > 0) outputs.push_back(options.teacher_output);
  return outputs;
}

dnn::Plan compile(const DistillStage& options, const Preprocess& input, int threads) {
  net::CompileOptions wanted;
  wanted.batch = options.batch;
  wanted.width = input.width;
  wanted.height = input.height;
  wanted.outputs = outputs_of(options);
  wanted.plan.threads = threads;
  return net::compile(read_graph(options), Weights(options.teacher_weights), wanted);
}

Preprocess preprocess_of(const DistillStage& options, const Preprocess& input) {
  Preprocess result = input;
  result.rgb = true;
  result.mean = options.teacher_mean;
  result.std = options.teacher_std;
  return result;
}

}  // namespace

Teacher::Teacher(const DistillStage& options, const Preprocess& input, int threads)
    : preprocess_(preprocess_of(options, input)),
      batch_(options.batch),
      targets_(options.target.size()),
      plan_(compile(options, input, threads)),
      session_(plan_) {
  if (options.logits_weight <= 0) return;
  if (targets_ != 1) {
    throw Error(ErrorCode::kUsage,
                "distill.logits-weight needs exactly one target, behind which the teacher's layers go on; there are " +
                    std::to_string(targets_));
  }
  const Weights weights(options.teacher_weights);
  const net::GraphSpec whole = net::extract(read_graph(options), {options.teacher_output});
  const net::GraphSpec tail = tail_of(whole, options.target[0]);
  add_parameters(tail, map_shape(1), 0, tail_parameters_);
  const std::vector<std::string> missing = tail_parameters_.load(weights);
  if (!missing.empty()) {
    throw Error(ErrorCode::kModel, quote(options.teacher_weights.native()) + " has no tensor " + quote(missing[0]));
  }
  tail_.emplace(tail, tail_parameters_);
}

void Teacher::look(std::span<const std::uint8_t> pixels, std::int64_t pictures) {
  const std::size_t bytes = pixels.size() / static_cast<std::size_t>(pictures);
  const std::span<float> input = session_.input();
  const std::size_t floats = input.size() / static_cast<std::size_t>(batch_);
  for (std::size_t i = 0; i < static_cast<std::size_t>(pictures); ++i) {
    normalise(pixels.subspan(i * bytes, bytes), preprocess_, input.subspan(i * floats, floats));
  }
  session_.run();
  pictures_ = pictures;
}

Shape Teacher::map_shape(std::int64_t pictures) const {
  Shape shape = plan_.output_shape(0);
  shape[0] = pictures;
  shape[1] = 0;
  for (std::size_t i = 0; i < targets_; ++i) shape[1] += plan_.output_shape(i)[1];
  return shape;
}

Shape Teacher::logits_shape(std::int64_t pictures) const {
  return {pictures, tail_ ? static_cast<std::int64_t>(session_.output(targets_).size()) / batch_ : 0};
}

dnn::Array Teacher::map(dnn::Kernels& kernels) const {
  const Shape shape = map_shape(pictures_);
  const dnn::Array result = kernels.take(shape);
  const std::int64_t cell_count = shape[2] * shape[3];
  std::int64_t at = 0;
  for (std::int64_t n = 0; n < pictures_; ++n) {
    for (std::size_t i = 0; i < targets_; ++i) {
      const std::int64_t count = plan_.output_shape(i)[1] * cell_count;
      std::copy_n(session_.output(i).data() + n * count, count, result.data() + at);
      at += count;
    }
  }
  return result;
}

dnn::Array Teacher::logits(dnn::Kernels& kernels) const {
  const Shape shape = logits_shape(pictures_);
  const dnn::Array result = kernels.take(shape);
  if (tail_) std::copy_n(session_.output(targets_).data(), shape[0] * shape[1], result.data());
  return result;
}

Variable Teacher::classify(Tape& tape, const Variable& map) const {
  return plain(tape, tail_->forward(tape, map, {Statistics::kRunning, true}));
}

}  // namespace glimpse::train
