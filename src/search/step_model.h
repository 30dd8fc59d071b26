/// The interface between search and decoder: rows of hypotheses take one word each and give the next word's
/// log-probabilities.
///
/// Rows are laid out image by image, `rows_per_image` each: row r belongs to image r / rows_per_image. The count is
/// fixed so that every primitive is built once; a search that needs fewer rows leaves the others idle (any valid token,
/// its own parent).
#pragma once

#include <span>

namespace glimpse::search {

/// The result of a step. All spans are owned by the model and valid until its next step.
struct StepOutput {
  std::span<const float>
      log_probs;  ///< [rows, vocabulary], natural logarithm; words that are never emitted are −infinity
  std::span<const float> alphas;  ///< [rows, cells], each row sums to 1
  std::span<const float>
      gates;  ///< [rows], β: the scalar gate, or the mean of a vector gate; empty where the model has none
  std::span<const float> channels = {};  ///< [rows, channels], the channels' weights, mean 1; empty where it has none
};

class StepModel {
 public:
  virtual ~StepModel() = default;
  virtual int images() const = 0;
  virtual int rows_per_image() const = 0;
  virtual int vocabulary_size() const = 0;
  virtual int cells() const = 0;
  virtual int channels() const { return 0; }  ///< that have weights of their own
  virtual int start_id() const = 0;
  virtual int end_id() const = 0;

  /// Feeds tokens[r] to row r, whose state continues that of row parents[r] after the step before (before the first
  /// step every row of an image has the image's start state and parents are ignored). Both spans have images ×
  /// rows_per_image entries; parents stay within an image.
  virtual StepOutput step(std::span<const int> tokens, std::span<const int> parents) = 0;
};

}  // namespace glimpse::search
