/// The layouts of overlays: each makes pages of one caption.
#pragma once

#include <vector>

#include "overlay/scene.h"

namespace glimpse {

/// The picture with its caption, two tiles wide and high, then the words' tiles around it.
Image draw_sheet(const Scene& scene);

/// The picture's tile and the words' in one row; in several of one length where more than a dozen.
Image draw_strip(const Scene& scene);

/// A row a word, a column a cell of the map, and above the columns the picture's pixels there.
Image draw_matrix(const Scene& scene);

/// The picture with the whole caption, and a page a word: where it looked, and the caption with the word set off. All
/// of one size. Without `plain`, the first is left out.
std::vector<Image> draw_words(const Scene& scene, bool plain);

}  // namespace glimpse
