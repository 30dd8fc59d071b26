/// Random views of a picture for training: a crop brought to the input's size, a mirror image, other light and colours.
/// The parameters of a view are sampled first, as plain numbers that can be stored, and then applied.
#pragma once

#include <cstdint>
#include <span>

#include "core/random.h"
#include "image/image.h"

namespace glimpse {

/// The defaults change nothing.
struct AugmentOptions {
  bool flip = false;  ///< mirror left and right with probability 1/2
  /// Share of the picture's area that is kept, drawn evenly from this range (Szegedy et al. 2015, section 6); in (0,
  /// 1].
  double scale_min = 1;
  double scale_max = 1;
  /// By how much the crop is wider, relative to the picture's own shape; its logarithm is drawn evenly. Above 0.
  double ratio_min = 1;
  double ratio_max = 1;
  /// Brightness, contrast and saturation are each multiplied by a factor from 1 − colour to 1 + colour; in [0, 1].
  double colour = 0;
};

/// The parameters of one view: crop, mirror, colour, in this order.
struct Augmentation {
  int x = 0;  ///< the crop, in pixels of the picture
  int y = 0;
  int width = 0;
  int height = 0;
  bool flipped = false;
  double brightness = 1;  ///< factor on every value
  double contrast = 1;    ///< factor on the distance from the crop's mean grey
  double saturation = 1;  ///< factor on the distance from the pixel's own grey

  bool operator==(const Augmentation&) const = default;
};

/// Throws Error(kUsage) naming the option for one that is out of range.
void check(const AugmentOptions& options);

/// The whole of a picture, unchanged.
Augmentation whole_picture(int width, int height);

/// Draws for a picture of this size; the same state of `random` gives the same. Every call draws at least one number
/// for each thing that `options` has switched on.
Augmentation draw_augmentation(const AugmentOptions& options, int width, int height, Random& random);

/// Writes `image`'s view as dst [input.height, input.width, 3], 8-bit RGB: the crop resized as `input` has it, with
/// anti-aliasing, values rounded once and clamped; what `fit` leaves over is the input's mean, rounded. Throws
/// Error(kInternal) for a crop outside the picture or a `dst` of another size.
void augment(const Image& image, const Augmentation& augmentation, const Preprocess& input,
             std::span<std::uint8_t> dst);

}  // namespace glimpse
