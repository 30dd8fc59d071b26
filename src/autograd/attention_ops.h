/// Attention on the tape, in its three stages: a score for every cell of the memory, weights made of the scores, the
/// weighted sum. As in step_ops.h what all time steps share gets its gradient once; objects must be made before the
/// steps that use them, and may die before `backward`.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "autograd/step_ops.h"
#include "autograd/tape.h"
#include "dnn/math/step_math.h"

namespace glimpse::train {

/// Which cells rows look at: those of their image.
struct Gaze {
  std::int64_t cells = 0;
  dnn::RowsOfImages rows;  ///< of the longest step
};

/// The softmax over an image's cells of the scores of keys and a query.
class RepeatedScores {
 public:
  /// keys [images · cells, A]; weight [H, A], a row a head (image n is of head n mod H), none for dot products
  /// (Bahdanau et al. 2015, Luong et al. 2015).
  RepeatedScores(Tape& tape, dnn::ScoreFunction function, Variable keys, Variable weight, Gaze gaze);

  /// query [rows, A] → [rows, cells]; a step may have fewer rows than the one before, the first ones. See
  /// dnn::attention_weights for the mask [rows or more, cells].
  Variable operator()(const Piece& query, std::int64_t rows, const dnn::Array& mask = {}) const;

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

/// What is read from the cells with weights.
class RepeatedRead {
 public:
  /// memory [images · cells, D].
  RepeatedRead(Tape& tape, Variable memory, Gaze gaze);

  /// weights [rows, cells] → [rows, D] = Σ weights · memory.
  Variable operator()(const Variable& weights) const;

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

/// src [images · cells, H · a] → [images · H · cells, a]: every head of an image as an image of its own (Vaswani et
/// al. 2017).
Variable split_heads(Tape& tape, const Variable& src, std::int64_t cells, std::int64_t heads);
/// And back: [images · H · cells, a] → [images · cells, H · a].
Variable merge_heads(Tape& tape, const Variable& src, std::int64_t cells, std::int64_t heads);
/// And whose rows are rows of that: row r of image n becomes rows r · H + h of images n · H + h.
Gaze split_heads(const Gaze& gaze, std::int64_t heads);

/// src [rows, cells] times a Gaussian around places [rows, 2]; see dnn::Window.
Variable gaussian_window(Tape& tape, const Variable& src, const Variable& places, const dnn::Window& window);

/// log alphas[r, cells[r]] of each row, [rows, 1].
Variable log_at(Tape& tape, const Variable& alphas, const std::vector<int>& cells);
Variable subtract(Tape& tape, const Variable& a, const Variable& b);  ///< a − b of the same shape
/// gate · a + (1 − gate) · b; gate [rows, 1], or as wide as a.
Variable mix(Tape& tape, const Variable& a, const Variable& b, const Variable& gate);

/// `moved` in place of `src`, [rows, cols] both; a gradient flows back to the rows that are the same.
Variable moved_rows(Tape& tape, const Variable& src, const dnn::Array& moved);

/// Rows of alphas [rows, cells] with 1 in the cell that is theirs and 0 elsewhere; where that is negative, the row
/// itself, and only there does a gradient flow back.
Variable chosen(Tape& tape, const Variable& alphas, const std::vector<int>& cells);
/// [1]: Σ weights[r] · log alphas[r, cells[r]] over rows whose cell is not negative.
Variable log_of_chosen(Tape& tape, const Variable& alphas, const std::vector<int>& cells,
                       const std::vector<float>& weights);
/// [1]: Σ weights[r] · H(alphas[r]), H = −Σ α log α.
Variable entropy(Tape& tape, const Variable& alphas, const std::vector<float>& weights);

Variable unit_rows(Tape& tape, const Variable& src);                       ///< src / |src| of each row
Variable scaled(Tape& tape, const Variable& src, const Variable& factor);  ///< factor [1, 1]

/// What every cell reads of all cells of its image; see dnn::PlanBuilder::self_attention. projected [images · cells,
/// 3A].
Variable self_attention(Tape& tape, const Variable& projected, std::int64_t cells, std::int64_t heads);

/// [1]: Σ over rows and cells of (1 − Σ_t alphas_t)², the doubly stochastic term of Xu et al. 2015. alphas_t [rows_t,
/// cells], rows_t not rising: a row that ended looks no longer.
Variable unseen(Tape& tape, const std::vector<Variable>& alphas);

}  // namespace glimpse::train
