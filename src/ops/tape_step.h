/// What an operation's rule for the tape sees of a decoder's step: teacher forcing runs all captions of a batch side by
/// side, longest first, so that those that are still running are the first rows.
///
/// A value is computed where it is cheapest: once for the pictures; once for all words that are fed, where it depends
/// on them alone; step by step, where a state depends on it or it looks at pictures; once for all steps, behind them.
#pragma once

#include <any>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "autograd/attention_ops.h"
#include "autograd/parameters.h"
#include "autograd/step_ops.h"
#include "autograd/tape.h"
#include "ops/operation.h"

namespace glimpse::ops {

enum class TapeLevel { kPictures, kWords, kSteps, kAfter };

/// A value as a sum of parts of matrices, which is not calculated before somebody needs it whole; none: zeros, as where
/// sentences have no pictures.
struct StepValue {
  std::vector<train::Piece> pieces;
  std::int64_t width = 0;
  TapeLevel level = TapeLevel::kSteps;
  std::int64_t cells = 0;  ///< rows of an item, of a map; 0: a vector
};

/// Of the hard selectors.
struct HardChoice {
  std::uint64_t seed = 0;    ///< of the cells that are drawn; another one each training step
  double expectation = 0.5;  ///< probability with which an image's captions take all cells' mean for one cell
};

/// Rates and seed of a training step's dropout.
struct DropoutRates {
  double features = 0;
  double embedding = 0;
  double output = 0;
  std::uint64_t seed = 0;
};

/// What all operations of a training step share.
struct Lesson {
  train::Tape& tape;
  train::ParameterSet& parameters;
  std::int64_t grid_rows = 1;
  std::int64_t grid_cols = 1;
  std::int64_t images = 0;  ///< 0: sentences without pictures
  train::Gaze gaze = {};    ///< of the captions at their images
  std::vector<int> image_of_row = {};
  std::vector<std::int64_t> alive = {};  ///< rows of each step
  std::vector<int> tokens = {};          ///< fed, all rows of a step after those of the one before
  std::span<const float> masks = {};     ///< [images, cells], or empty: all count
  DropoutRates dropout = {};
  HardChoice hard = {};

  // What looks leave behind, a step each.
  std::vector<train::Variable> alphas = {};  ///< [rows · heads, cells]
  std::vector<std::vector<int>> cells = {};  ///< that hard selectors drew; −1: the row takes the mean
  std::vector<char> expects = {};            ///< a row: whether it takes the mean for one cell
  std::int64_t heads = 1;                    ///< of what looks

  std::int64_t cell_count() const { return grid_rows * grid_cols; }
};

/// One node at one place: for the pictures, for all words, at one step, behind all steps.
class TapeStep {
 public:
  using Values = std::vector<StepValue>;  ///< of a node
  struct Place {
    TapeLevel level = TapeLevel::kSteps;
    std::size_t step = 0;
    std::int64_t rows = 0;  ///< of a vector's value here
    std::int64_t word = 0;  ///< the step's first word
  };
  /// `of_other_level` gives a source that was computed on another level as a matrix for this one.
  TapeStep(Lesson& the_lesson, const Node& node, const Place& place, std::vector<const StepValue*> srcs,
           std::function<train::Variable(std::size_t)> of_other_level, std::any& shared)
      : lesson(the_lesson),
        tape(the_lesson.tape),
        node_(node),
        place_(place),
        srcs_(std::move(srcs)),
        of_other_level_(std::move(of_other_level)),
        shared_(shared) {}

  Lesson& lesson;
  train::Tape& tape;

  const Attributes& attributes() const { return node_.attributes; }
  std::size_t results() const { return node_.results; }  ///< that somebody reads
  const Place& place() const { return place_; }
  std::int64_t rows() const { return place_.rows; }
  std::size_t src_count() const { return srcs_.size(); }
  /// Whether source `index` is nothing but zeros.
  bool is_zero(std::size_t index) const { return srcs_[index]->pieces.empty(); }
  bool is_map(std::size_t index) const { return srcs_[index]->cells > 0; }
  std::int64_t width(std::size_t index) const { return srcs_[index]->width; }
  TapeLevel level(std::size_t index) const { return srcs_[index]->level; }

  /// Source `index` as a matrix of exactly this place's rows (a map: rows · cells); none for zeros.
  train::Variable src(std::size_t index = 0) const;
  /// Its parts, as they are. They may have more rows than this place, of which the first count.
  std::vector<train::Piece> pieces(std::size_t index) const;
  /// Source `index` as one part.
  train::Piece piece(std::size_t index) const;
  /// A source of the pictures, or of all words, as the matrix that all steps share.
  train::Variable shared_src(std::size_t index) const;

  train::Variable parameter(const std::string& name) const { return tape.parameter(lesson.parameters.at(name)); }
  train::Variable tensor(const std::string& part) const { return parameter(attributes().weights() + part); }

  /// What all steps share, made at the first.
  template <typename T>
  T& shared(const std::function<T()>& make) const {
    if (!shared_.has_value()) shared_ = std::make_shared<T>(make());
    return *std::any_cast<std::shared_ptr<T>&>(shared_);
  }

  void give(const train::Variable& value);      ///< [rows, width]
  void give_map(const train::Variable& value);  ///< [rows · cells, width]
  void give(train::Piece piece, std::int64_t width);
  void give_sum(std::vector<train::Piece> pieces, std::int64_t width);
  void give_zero(std::int64_t width);
  std::vector<StepValue> take() { return std::move(results_); }

 private:
  const Node& node_;
  Place place_;
  std::vector<const StepValue*> srcs_;
  std::function<train::Variable(std::size_t)> of_other_level_;
  std::any& shared_;
  std::vector<StepValue> results_;
};

}  // namespace glimpse::ops
