/// Windows on a map of cells, around a place that is looked at (Luong et al. 2015, local-p, in two dimensions). Places
/// are row and column in cells: the middle of the first cell lies at 1/2, 1/2.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

namespace glimpse::dnn {

/// A score that no softmax sees, and that can still be calculated with.
constexpr float kNever = -1e30F;

struct Window {
  std::int64_t cols = 1;  ///< of the map
  float half_width = 1;   ///< in cells, in both directions
  float sigma() const { return half_width / 2; }
};

/// Where a window lies. Around a place that is not finite there is no window.
struct Place {
  float row;
  float col;

  /// The middle of cell i of the map.
  static Place middle_of(std::int64_t i, const Window& window) {
    const std::int64_t row = i / window.cols;
    return {static_cast<float>(row) + 0.5F, static_cast<float>(i - row * window.cols) + 0.5F};
  }
  bool finite() const { return std::isfinite(row) && std::isfinite(col); }
  /// From there to the middle of cell i, down and across, in cells.
  std::pair<float, float> to(std::int64_t i, const Window& window) const {
    const Place middle = middle_of(i, window);
    return {middle.row - row, middle.col - col};
  }
  /// Whether the middle of cell i lies within the window.
  bool sees(std::int64_t i, const Window& window) const {
    if (!finite()) return true;
    const auto [down, across] = to(i, window);
    return std::abs(down) <= window.half_width && std::abs(across) <= window.half_width;
  }
  /// exp(−distance² / 2σ²), σ half the half-width.
  float gaussian(std::int64_t i, const Window& window) const {
    if (!finite()) return 1;
    const auto [down, across] = to(i, window);
    return std::exp(-(down * down + across * across) / (2 * window.sigma() * window.sigma()));
  }
};

/// `place`, or where no cell that counts lies in the window around it, the middle of the nearest that does.
/// counts(i): whether cell i of `cells` counts at all.
template <typename Counts>
Place nearest_seen(const Place& place, std::int64_t cells, const Window& window, Counts counts) {
  std::int64_t nearest = 0;
  float least = std::numeric_limits<float>::infinity();
  for (std::int64_t i = 0; i < cells; ++i) {
    if (!counts(i)) continue;
    if (place.sees(i, window)) return place;
    const auto [down, across] = place.to(i, window);
    const float distance = down * down + across * across;
    if (distance < least) {
      least = distance;
      nearest = i;
    }
  }
  return Place::middle_of(nearest, window);
}

}  // namespace glimpse::dnn
