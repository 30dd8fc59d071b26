#include "glimpses/retina.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace glimpse {
namespace {

/// dst [patch, patch]: means over cells of step × step pixels, from left, top on.
void shrink(const GreyPicture& picture, int left, int top, int step, int patch, float* dst) {
  std::fill_n(dst, std::ptrdiff_t{patch} * patch, 0.0F);
  const int first_row = std::max(0, -top);
  const int last_row = std::min(patch * step, picture.height - top);
  const int first_column = std::max(0, -left);
  const int last_column = std::min(patch * step, picture.width - left);
  for (int row = first_row; row < last_row; ++row) {
    const float* src = picture.pixels + std::ptrdiff_t{top + row} * picture.width + left;
    float* to = dst + std::ptrdiff_t{row / step} * patch;
    for (int column = first_column; column < last_column; ++column) to[column / step] += src[column];
  }
  const float share = 1.0F / static_cast<float>(step * step);
  for (int i = 0; i < patch * patch; ++i) dst[i] *= share;
}

}  // namespace

Rect patch_box(const LookConfig& config, Place place, int scale) {
  const int side = config.patch << scale;
  const auto corner = [&](float at, int length) {
    return std::floor((static_cast<double>(at) + 1) / 2 * length - side / 2.0 + 0.5);
  };
  return {corner(place.x, config.width), corner(place.y, config.height), double(side), double(side)};
}

void look_at(const GreyPicture& picture, const LookConfig& config, Place place, std::span<float> dst) {
  for (int scale = 0; scale < config.scales; ++scale) {
    const Rect box = patch_box(config, place, scale);
    shrink(picture, static_cast<int>(box.x), static_cast<int>(box.y), 1 << scale, config.patch,
           dst.data() + std::ptrdiff_t{scale} * config.patch * config.patch);
  }
}

void see_coarsely(const GreyPicture& picture, int coarse, std::span<float> dst) {
  const int columns = picture.width / coarse;
  const int rows = picture.height / coarse;
  std::fill(dst.begin(), dst.end(), 0.0F);
  for (int y = 0; y < rows * coarse; ++y) {
    for (int x = 0; x < columns * coarse; ++x) {
      dst[static_cast<std::size_t>(y / coarse * columns + x / coarse)] +=
          picture.pixels[std::ptrdiff_t{y} * picture.width + x];
    }
  }
  for (float& value : dst) value /= static_cast<float>(coarse * coarse);
}

}  // namespace glimpse
