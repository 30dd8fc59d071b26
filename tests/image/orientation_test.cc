// Which way is up: EXIF's eight orientations in every format that carries them.
#include <gtest/gtest.h>

#include <opencv2/imgcodecs.hpp>

#include "image/samples.h"

namespace glimpse::testing {
namespace {

/// Where the upright picture's (x, y) is stored, by the definition of the orientations: which side of the stored
/// picture the first row and the first column are.
cv::Point stored_at(int orientation, int x, int y, const cv::Size& stored) {
  const int w = stored.width - 1;
  const int h = stored.height - 1;
  switch (orientation) {
    case 2:
      return {w - x, y};
    case 3:
      return {w - x, h - y};
    case 4:
      return {x, h - y};
    case 5:
      return {y, x};
    case 6:
      return {y, h - x};
    case 7:
      return {w - y, h - x};
    case 8:
      return {w - y, x};
    default:
      return {x, y};
  }
}

void expect_upright(const Image& image, const cv::Mat& stored, int orientation, int tolerance,
                    const std::string& what) {
  const bool sideways = orientation >= 5 && orientation <= 8;
  ASSERT_EQ(image.width, sideways ? stored.rows : stored.cols) << what;
  ASSERT_EQ(image.height, sideways ? stored.cols : stored.rows) << what;
  EXPECT_EQ(image.source_width, image.width) << what;
  EXPECT_EQ(image.source_height, image.height) << what;
  cv::Mat expected(image.height, image.width, CV_8UC3);
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      expected.at<cv::Vec3b>(y, x) = stored.at<cv::Vec3b>(stored_at(orientation, x, y, stored.size()));
    }
  }
  EXPECT_LE(largest_difference(image, expected), tolerance) << what;
}

TEST(OrientationTest, AllEightInAllFormats) {
  const cv::Mat stored = smooth_picture(48, 32);
  const std::string jpeg = encode(".jpg", stored, {cv::IMWRITE_JPEG_QUALITY, 98});
  const std::string png = encode(".png", stored);
  const std::string webp = encode(".webp", stored, {cv::IMWRITE_WEBP_QUALITY, 101});
  cv::Mat rgb;
  cv::Mat deep;
  std::string pixels;
  std::string deep_pixels;
  for (int i = 0; i < 48 * 32; ++i) {
    const auto& colour = stored.at<cv::Vec3b>(i / 48, i % 48);
    for (const int c : {2, 1, 0}) {
      pixels += static_cast<char>(colour[c]);
      deep_pixels += std::string(2, static_cast<char>(colour[c]));
    }
  }
  for (const int orientation : {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 60000}) {
    const std::string what = std::string(" ") + std::to_string(orientation);
    for (const bool big_endian : {false, true}) {
      const std::string blob = exif(orientation, big_endian);
      expect_upright(decode(jpeg_with_exif(jpeg, blob)), stored, orientation, 8, "jpeg" + what);
      expect_upright(decode(png_with_exif(png, blob)), stored, orientation, 0, "png" + what);
      expect_upright(decode(webp_with_exif(webp, blob, 48, 32)), stored, orientation, 0, "webp" + what);
    }
    for (const int rows_per_strip : {0, 5, 64}) {
      TiffSpec spec{.width = 48, .height = 32, .orientation = orientation, .rows_per_strip = rows_per_strip};
      expect_upright(decode(tiff(spec, pixels)), stored, orientation, 0, "tiff" + what);
      spec.bits = 16;
      expect_upright(decode(tiff(spec, deep_pixels)), stored, orientation, 1, "16-bit tiff" + what);
    }
  }
}

TEST(OrientationTest, ExifBehindThePixelsOfAPngCounts) {
  const cv::Mat stored = smooth_picture(6, 4);
  std::string png = encode(".png", stored);
  const std::string end = png_chunk("IEND", "");
  png.insert(png.size() - end.size(), png_chunk("eXIf", exif(8)));
  expect_upright(decode(png), stored, 8, 0, "png");
}

}  // namespace
}  // namespace glimpse::testing
