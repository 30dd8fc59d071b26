/// A distillation teacher, run by the inference engine: feature maps and classes of augmented pictures. Its layers
/// after the map also run on the tape, so that errors of the map count by their effect on the classes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "dnn/plan/plan.h"
#include "model/model.h"
#include "train/nets/network.h"
#include "train/recipe/recipe.h"

namespace glimpse::train {

class Teacher {
 public:
  /// Throws Error: kMissing, kPermission, kIo for the files, kModel for what is in them or nodes that are not there;
  /// kUsage for options that do not go together.
  Teacher(const DistillStage& options, const Preprocess& input, int threads);

  /// Looks at up to `options.batch` pictures, 8-bit RGB [pictures, height, width, 3]. What it makes of them stands
  /// until the next call.
  void look(std::span<const std::uint8_t> pixels, std::int64_t pictures);

  /// [pictures, T, rows, cols], plain: the targets side by side.
  dnn::Array map(dnn::Kernels& kernels) const;
  /// [pictures, classes]; no classes where they are not learnt.
  dnn::Array logits(dnn::Kernels& kernels) const;

  Shape map_shape(std::int64_t pictures) const;
  Shape logits_shape(std::int64_t pictures) const;  ///< 0 classes where they are not learnt
  /// What the teacher's remaining layers make of `map` [N,T,H,W]: logits [N,classes,1,1]. Gradients flow to the map
  /// only.
  Variable classify(Tape& tape, const Variable& map) const;

 private:
  Preprocess preprocess_;
  std::int64_t batch_;
  std::size_t targets_;
  dnn::Plan plan_;
  dnn::Session session_;
  std::int64_t pictures_ = 0;
  ParameterSet tail_parameters_;
  std::optional<Network> tail_;
};

}  // namespace glimpse::train
