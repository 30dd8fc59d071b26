/// The stage that trains a glimpse model: places and classes, on generated digits.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "synthetic/digits.h"
#include "train/nets/look_network.h"
#include "autograd/parameters.h"
#include "train/stages/stage.h"

namespace glimpse::train {

/// The model that a recipe's sections digits and look describe.
LookConfig look_config_of(const Recipe& recipe);

class Looking : public Stage {
 public:
  /// `parameters` has the tensors that add_look_parameters adds. Refers to all.
  Looking(const LookConfig& config, const Recipe& recipe, ParameterSet& parameters, dnn::Kernels& kernels);

  std::string_view name() const override { return "look"; }
  const StageOptions& options() const override { return options_; }
  ParameterSet& parameters() override { return parameters_; }
  std::int64_t steps_per_epoch() const override;
  void seek(std::int64_t step) override { step_ = step; }
  Step step() override;
  /// "error": the share of pictures with any wrong answer.
  Measures validate() override;
  double quality(const Measures& scores) const override { return -scores[0].second; }

 private:
  struct Batch {
    std::vector<float> pixels;  ///< [pictures, height, width]
    std::vector<GreyPicture> pictures;
    std::vector<std::vector<int>> labels;
  };
  Batch draw(std::uint64_t first, std::int64_t count) const;
  double deviation() const;

  const LookConfig& config_;
  LookStage options_;
  DigitData data_;
  std::uint64_t seed_;
  ParameterSet& parameters_;
  dnn::Kernels& kernels_;
  LookNetwork network_;
  std::int64_t step_ = 0;
};

}  // namespace glimpse::train
