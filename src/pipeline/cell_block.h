/// The block of cells that holds most of the attention.
#pragma once

#include <span>

namespace glimpse {

/// A block of map cells.
struct CellBlock {
  int row = 0;
  int col = 0;
  int rows = 1;
  int cols = 1;
};

/// The block grown from the peak of `alpha` [rows × cols], a row or column of cells at a time, always the one that adds
/// most attention a cell, until it holds at least `share` of all attention.
CellBlock attended_block(std::span<const float> alpha, int rows, int cols, double share = 0.5);

}  // namespace glimpse
