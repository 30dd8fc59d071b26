#include "ops/tape_step.h"

#include <algorithm>
#include <utility>

#include "autograd/map_ops.h"
#include "autograd/row_ops.h"

namespace glimpse::ops {

using train::Piece;
using train::Variable;

namespace {

/// `piece` as a matrix of its own.
Variable whole(train::Tape& tape, const Piece& piece, std::int64_t rows, std::int64_t width) {
  const bool all_rows = piece.corner.row == 0 && piece.matrix.dim(0) == rows;
  if (all_rows && piece.corner.col == 0 && piece.matrix.dim(1) == width) return piece.matrix;
  return train::rectangle(tape, piece.matrix, piece.corner, rows, width);
}

}  // namespace

Variable TapeStep::src(std::size_t index) const {
  const StepValue& value = *srcs_[index];
  if (value.pieces.empty()) return {};
  if (value.level != place_.level && value.level != TapeLevel::kWords) return of_other_level_(index);
  const bool of_words = value.level == TapeLevel::kWords && place_.level == TapeLevel::kSteps;
  const std::int64_t rows = place_.rows * std::max<std::int64_t>(1, value.cells);
  Variable sum;
  for (Piece piece : value.pieces) {
    if (of_words) piece.corner.row += place_.word;
    const Variable part = whole(tape, piece, rows, value.width);
    sum = sum ? train::add(tape, sum, part) : part;
  }
  return sum;
}

std::vector<Piece> TapeStep::pieces(std::size_t index) const {
  const StepValue& value = *srcs_[index];
  if (value.pieces.empty()) return {};
  if (value.level != place_.level && value.level != TapeLevel::kWords) return {{of_other_level_(index)}};
  std::vector<Piece> result = value.pieces;
  if (value.level == TapeLevel::kWords && place_.level == TapeLevel::kSteps) {
    for (Piece& piece : result) piece.corner.row += place_.word;
  }
  return result;
}

Piece TapeStep::piece(std::size_t index) const {
  std::vector<Piece> all = pieces(index);
  if (all.size() == 1) return all.front();
  return {src(index)};
}

Variable TapeStep::shared_src(std::size_t index) const {
  const StepValue& value = *srcs_[index];
  if (value.pieces.empty()) return {};
  Variable sum;
  for (const Piece& piece : value.pieces) {
    const Variable part = whole(tape, piece, piece.matrix.dim(0), value.width);
    sum = sum ? train::add(tape, sum, part) : part;
  }
  return sum;
}

void TapeStep::give(const Variable& value) { give_sum({{value}}, value.dim(1)); }

void TapeStep::give_map(const Variable& value) {
  results_.push_back({{{value}}, value.dim(1), place_.level, lesson.cell_count()});
}

void TapeStep::give(Piece piece, std::int64_t width) { give_sum({std::move(piece)}, width); }

void TapeStep::give_sum(std::vector<Piece> pieces, std::int64_t width) {
  results_.push_back({std::move(pieces), width, place_.level});
}

void TapeStep::give_zero(std::int64_t width) { results_.push_back({{}, width, place_.level}); }

}  // namespace glimpse::ops
