/// Distillation (Hinton et al. 2015; Romero et al. 2015): an encoder learns to predict a teacher's feature map of the
/// same augmented picture, through a 1×1 convolution that is discarded afterwards, and optionally the teacher's
/// classes. No tensor of the teacher ends up in a model.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/loader.h"
#include "autograd/losses.h"
#include "train/stages/stage.h"
#include "train/stages/teacher.h"
#include "train/stages/teacher_cache.h"

namespace glimpse::train {

struct DistillationInput {
  DistillStage options;
  Preprocess input;                               ///< of the encoder
  net::GraphSpec encoder;                         ///< its output is the map that learns
  std::vector<std::filesystem::path> pictures;    ///< to learn from
  std::vector<std::filesystem::path> validation;  ///< for validation, whole and unchanged
  std::uint64_t seed = 1;
};

class Distillation : public Stage {
 public:
  /// `parameters` has the encoder's tensors; the projection onto the target, "distill.project", is added to it. Throws
  /// as Teacher and Loader do, and Error(kModel) where the two maps differ in rows or columns.
  Distillation(DistillationInput input, ParameterSet& parameters, dnn::Kernels& kernels);

  std::string_view name() const override { return "distill"; }
  const StageOptions& options() const override { return input_.options; }
  ParameterSet& parameters() override { return parameters_; }
  std::int64_t steps_per_epoch() const override { return loader_->batches_per_epoch(); }
  void seek(std::int64_t step) override;
  Step step() override;
  /// "explained": share of the target's variance that the map explains (1 − mean squared error of the standardised
  /// target); "agreement": share of pictures for which both name the same class first, where classes are learnt.
  Measures validate() override;
  double quality(const Measures& scores) const override { return scores[0].second; }

  std::span<const DamagedPicture> damaged() const override { return loader_->damaged(); }

 private:
  /// The teacher's outputs for some pictures.
  struct TeacherOutput {
    dnn::Array map;     ///< [pictures, T, rows, cols], plain
    dnn::Array logits;  ///< [pictures, classes]; no classes where they are not learnt
  };

  LoaderOptions loader_options(bool training) const;
  void open_cache();
  /// Runs the teacher, unless its outputs for all of the batch's views are cached.
  TeacherOutput teacher_output(const Batch& batch);
  TeacherOutput run_teacher(const Batch& batch);
  /// The encoder's prediction of the standardised target for `picture`, [N,T,rows,cols].
  Variable predict(Tape& tape, const Variable& picture, const Network::Mode& mode);
  dnn::Array standardised(const dnn::Array& map) const;
  void measure_target();

  DistillationInput input_;
  ParameterSet& parameters_;
  dnn::Kernels& kernels_;
  Network encoder_;
  Teacher teacher_;
  Tensor mean_;       ///< of the target, a channel each
  Tensor deviation_;  ///< likewise
  std::optional<TeacherCache> cache_;
  std::vector<float> said_;  ///< of one view: map and logits, as the cache has them
  std::optional<Loader> loader_;
};

}  // namespace glimpse::train
