#include "overlay/heat.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/text.h"

namespace glimpse {
namespace {

struct NamedMap {
  std::string_view name;
  cv::ColormapTypes type;
};

constexpr std::array<NamedMap, 22> kMaps = {{
    {"autumn", cv::COLORMAP_AUTUMN},     {"bone", cv::COLORMAP_BONE},
    {"jet", cv::COLORMAP_JET},           {"winter", cv::COLORMAP_WINTER},
    {"rainbow", cv::COLORMAP_RAINBOW},   {"ocean", cv::COLORMAP_OCEAN},
    {"summer", cv::COLORMAP_SUMMER},     {"spring", cv::COLORMAP_SPRING},
    {"cool", cv::COLORMAP_COOL},         {"hsv", cv::COLORMAP_HSV},
    {"pink", cv::COLORMAP_PINK},         {"hot", cv::COLORMAP_HOT},
    {"parula", cv::COLORMAP_PARULA},     {"magma", cv::COLORMAP_MAGMA},
    {"inferno", cv::COLORMAP_INFERNO},   {"plasma", cv::COLORMAP_PLASMA},
    {"viridis", cv::COLORMAP_VIRIDIS},   {"cividis", cv::COLORMAP_CIVIDIS},
    {"twilight", cv::COLORMAP_TWILIGHT}, {"twilight_shifted", cv::COLORMAP_TWILIGHT_SHIFTED},
    {"turbo", cv::COLORMAP_TURBO},       {"deepgreen", cv::COLORMAP_DEEPGREEN},
}};

cv::ColormapTypes colour_map_type(const std::string& name) {
  std::string lower = name;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  std::vector<std::string_view> names;
  for (const NamedMap& map : kMaps) {
    if (map.name == lower) return map.type;
    names.push_back(map.name);
  }
  const std::string_view near = nearest(lower, names);
  throw Error(ErrorCode::kUsage, "unknown colour map " + quote(name) +
                                     (near.empty() ? "; any of OpenCV's will do, such as inferno, viridis or turbo"
                                                   : "; did you mean " + std::string(near) + "?"));
}

/// For each of `count` pixels along an axis the cell it lies in; −1 where the model does not see.
std::vector<int> cells_along(int count, double source_length, double offset, double scale, int input, int cells) {
  std::vector<int> result(static_cast<std::size_t>(count), -1);
  for (int i = 0; i < count; ++i) {
    const double source = (i + 0.5) * source_length / count;
    const double cell = std::floor((source - offset) / scale * cells / input);
    if (cell >= 0 && cell < cells) result[static_cast<std::size_t>(i)] = static_cast<int>(cell);
  }
  return result;
}

/// Blurs by half a cell within the pixels that the cells cover, so that nothing leaks from where nothing was looked at.
void smooth_heat(cv::Mat& heat, const std::vector<int>& columns, const std::vector<int>& rows, const HeatOptions& o) {
  const auto covered = [](const std::vector<int>& cells) {
    const auto seen = [](int cell) { return cell >= 0; };
    const auto first = std::find_if(cells.begin(), cells.end(), seen);
    const auto last = std::find_if(cells.rbegin(), cells.rend(), seen).base();
    return cv::Range(static_cast<int>(first - cells.begin()), static_cast<int>(last - cells.begin()));
  };
  const cv::Range x = covered(columns);
  const cv::Range y = covered(rows);
  if (x.end <= x.start || y.end <= y.start) return;
  const double sigma_x = 0.5 * x.size() / o.cols;
  const double sigma_y = 0.5 * y.size() / o.rows;
  if (sigma_x <= 0 || sigma_y <= 0) return;
  cv::Mat part = heat(y, x).clone();
  cv::GaussianBlur(part, part, cv::Size(), sigma_x, sigma_y, cv::BORDER_REPLICATE);
  part.copyTo(heat(y, x));
}

}  // namespace

ColourTable colour_table(const std::string& name) {
  cv::Mat values(1, 256, CV_8UC1);
  for (int i = 0; i < 256; ++i) values.at<std::uint8_t>(0, i) = static_cast<std::uint8_t>(i);
  cv::Mat bgr;
  cv::applyColorMap(values, bgr, colour_map_type(name));
  ColourTable table;
  for (int i = 0; i < 256; ++i) {
    const auto colour = bgr.at<cv::Vec3b>(0, i);
    table[static_cast<std::size_t>(i)] = {colour[2], colour[1], colour[0]};
  }
  return table;
}

cv::Mat heat_map(std::span<const float> alpha, const HeatOptions& options, const ViewTransform& transform,
                 const cv::Size& size) {
  const std::vector<int> columns = cells_along(size.width, transform.source_width, transform.offset_x,
                                               transform.scale_x, transform.input_width, options.cols);
  const std::vector<int> rows = cells_along(size.height, transform.source_height, transform.offset_y, transform.scale_y,
                                            transform.input_height, options.rows);
  cv::Mat heat(size, CV_32FC1, cv::Scalar(0));
  for (int y = 0; y < size.height; ++y) {
    const int row = rows[static_cast<std::size_t>(y)];
    if (row < 0) continue;
    float* out = heat.ptr<float>(y);
    for (int x = 0; x < size.width; ++x) {
      const int col = columns[static_cast<std::size_t>(x)];
      if (col < 0) continue;
      const double value =
          alpha[static_cast<std::size_t>(row) * static_cast<std::size_t>(options.cols) + static_cast<std::size_t>(col)];
      // Not a number compares false, and counts as nothing.
      out[x] = value > 0 && options.peak > 0 ? static_cast<float>(std::min(value / options.peak, 1.0)) : 0.0F;
    }
  }
  if (options.smooth) smooth_heat(heat, columns, rows, options);
  return heat;
}

}  // namespace glimpse
