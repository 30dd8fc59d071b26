/// Small pictures as files in memory: written by OpenCV, or byte by byte where it cannot write what is to be read.
#pragma once

#include <cstdint>
#include <opencv2/core.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "image/image.h"

namespace glimpse::testing {

/// 8-bit, blue first, no two pixels alike: its smooth colours survive JPEG, its lack of symmetry shows any turn.
cv::Mat smooth_picture(int width, int height);

/// Every value drawn evenly from 0..255: nothing is smooth, so that a pixel out of place shows.
Image random_image(int width, int height, std::uint64_t seed);

std::string encode(const std::string& extension, const cv::Mat& picture, const std::vector<int>& parameters = {});

inline std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }
inline Image decode(std::string_view file, const LoadOptions& options = {}) {
  return decode_image(bytes_of(file), "x", options);
}

/// EXIF as a TIFF structure with nothing but the orientation.
std::string exif(int orientation, bool big_endian = false);
std::string jpeg_with_exif(const std::string& jpeg, const std::string& exif);
std::string png_with_exif(const std::string& png, const std::string& exif);
/// A lossless WebP in the extended layout with an EXIF chunk behind the picture.
std::string webp_with_exif(const std::string& webp, const std::string& exif, int width, int height);

struct TiffSpec {
  int width = 0;
  int height = 0;
  int bits = 8;
  int samples = 3;
  int photometric = 2;
  int orientation = 0;     ///< 0: no tag
  int extra_samples = -1;  ///< −1: no tag
  int compression = 1;     ///< none; pixels are given compressed
  int rows_per_strip = 0;  ///< 0: one strip; written as 2^32 − 1, as many writers do
};
/// A little-endian TIFF.
std::string tiff(const TiffSpec& spec, std::string_view pixels);

std::string png_chunk(std::string_view type, std::string_view data);
struct PngSpec {
  int width = 0;
  int height = 0;
  int depth = 8;
  int colour = 0;
  std::string before_data = {};  ///< chunks between header and data
};
/// `rows`: each with its filter byte; stored without compression, at most 65,535 bytes.
std::string png(const PngSpec& spec, std::string_view rows);

/// The pixel of an image as 0xRRGGBB.
std::uint32_t pixel(const Image& image, int x, int y);
/// The largest difference of any channel between `image` and `expected` (blue first).
int largest_difference(const Image& image, const cv::Mat& expected);

}  // namespace glimpse::testing
