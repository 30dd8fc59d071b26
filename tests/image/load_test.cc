// Pixels: every format, depth and kind of colour that is promised, against what was written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "core/error.h"
#include "image/samples.h"
#include "support/paths.h"

namespace glimpse::testing {
namespace {

struct FormatCase {
  const char* extension;
  std::vector<int> parameters;
  int tolerance;
};

const std::vector<FormatCase>& format_cases() {
  static const std::vector<FormatCase> kCases = {
      {".png", {}, 0},
      {".bmp", {}, 0},
      {".ppm", {}, 0},
      {".ppm", {cv::IMWRITE_PXM_BINARY, 0}, 0},
      {".tiff", {}, 0},
      {".tiff", {cv::IMWRITE_TIFF_COMPRESSION, 1}, 0},
      {".webp", {cv::IMWRITE_WEBP_QUALITY, 101}, 0},
      {".webp", {cv::IMWRITE_WEBP_QUALITY, 95}, 12},
      {".jpg", {cv::IMWRITE_JPEG_QUALITY, 98}, 8},
      {".jpg", {cv::IMWRITE_JPEG_QUALITY, 98, cv::IMWRITE_JPEG_PROGRESSIVE, 1}, 8},
      {".jpg", {cv::IMWRITE_JPEG_QUALITY, 98, cv::IMWRITE_JPEG_RST_INTERVAL, 3}, 8},
  };
  return kCases;
}

std::string name_of(const FormatCase& c) {
  std::string name = c.extension;
  for (const int value : c.parameters) name += std::string(" ") + std::to_string(value);
  return name;
}

TEST(LoadTest, ColourOfEveryFormat) {
  for (const FormatCase& c : format_cases()) {
    for (const cv::Size size : {cv::Size(61, 37), cv::Size(1, 1), cv::Size(1, 9), cv::Size(200, 3)}) {
      const cv::Mat picture = smooth_picture(size.width, size.height);
      const Image image = decode(encode(c.extension, picture, c.parameters));
      const int tolerance = c.tolerance == 0 || size.height > 30 ? c.tolerance : 70;  // coarse chroma
      EXPECT_LE(largest_difference(image, picture), tolerance) << name_of(c) << " " << size;
      EXPECT_EQ(image.source_width, size.width);
      EXPECT_EQ(image.source_height, size.height);
    }
  }
}

TEST(LoadTest, GreyIsWidened) {
  cv::Mat grey;
  cv::extractChannel(smooth_picture(40, 30), grey, 2);
  cv::Mat expected;
  cv::cvtColor(grey, expected, cv::COLOR_GRAY2BGR);
  for (const FormatCase& c : format_cases()) {
    const std::string extension = std::string(c.extension) == ".ppm" ? ".pgm" : c.extension;
    EXPECT_LE(largest_difference(decode(encode(extension, grey, c.parameters)), expected), c.tolerance) << name_of(c);
  }
}

TEST(LoadTest, SixteenBitsAreScaledToEight) {
  cv::Mat deep;
  smooth_picture(40, 30).convertTo(deep, CV_16U, 257);
  deep += cv::Scalar::all(40);  // less than half a step of 8 bits
  for (const char* extension : {".png", ".tiff", ".ppm"}) {
    EXPECT_LE(largest_difference(decode(encode(extension, deep)), smooth_picture(40, 30)), 1) << extension;
  }
  cv::Mat grey;
  cv::extractChannel(deep, grey, 1);
  cv::Mat expected;
  cv::extractChannel(smooth_picture(40, 30), expected, 1);
  cv::cvtColor(expected, expected, cv::COLOR_GRAY2BGR);
  for (const char* extension : {".png", ".tiff", ".pgm"}) {
    EXPECT_LE(largest_difference(decode(encode(extension, grey)), expected), 1) << extension;
  }
}

TEST(LoadTest, RealSamplesAreLight) {
  cv::Mat light;
  smooth_picture(20, 10).convertTo(light, CV_32F, 1.0 / 255);
  EXPECT_LE(
      largest_difference(decode(encode(".tiff", light, {cv::IMWRITE_TIFF_COMPRESSION, 1})), smooth_picture(20, 10)), 1);
}

/// Colour and alpha, and what that is on white.
struct AlphaPicture {
  cv::Mat bgra;
  cv::Mat expected;
};

AlphaPicture alpha_picture() {
  AlphaPicture result;
  cv::cvtColor(smooth_picture(32, 16), result.bgra, cv::COLOR_BGR2BGRA);
  result.expected = smooth_picture(32, 16);
  for (int y = 0; y < 16; ++y) {
    for (int x = 0; x < 32; ++x) {
      const int alpha = x == 0 ? 0 : (x * 8 + y) % 256;
      result.bgra.at<cv::Vec4b>(y, x)[3] = static_cast<std::uint8_t>(alpha);
      for (int c = 0; c < 3; ++c) {
        auto& value = result.expected.at<cv::Vec3b>(y, x)[c];
        value = cv::saturate_cast<std::uint8_t>((value * alpha + 255.0 * (255 - alpha)) / 255);
      }
    }
  }
  return result;
}

TEST(LoadTest, AlphaIsCompositedOnWhite) {
  const AlphaPicture picture = alpha_picture();
  EXPECT_LE(largest_difference(decode(encode(".png", picture.bgra)), picture.expected), 1);
  cv::Mat deep;
  picture.bgra.convertTo(deep, CV_16U, 257);
  EXPECT_LE(largest_difference(decode(encode(".png", deep)), picture.expected), 1);
}

TEST(LoadTest, AlphaOfLosslessWebp) {
  // libwebp may change colours under full transparency, so these are left out.
  AlphaPicture picture = alpha_picture();
  const Image image = decode(encode(".webp", picture.bgra, {cv::IMWRITE_WEBP_QUALITY, 101}));
  EXPECT_LE(largest_difference(image, picture.expected), 1);
}

TEST(LoadTest, AlphaOfTiffIsStraightOrPremultiplied) {
  // One pixel: half transparent orange (200, 100, 40), alpha 128, as stored by each convention.
  constexpr std::uint32_t kExpected = 0xe3b193;
  const auto close = [&](const Image& image) {
    for (const int shift : {16, 8, 0}) {
      const int got = static_cast<int>(pixel(image, 0, 0) >> shift & 0xffU);
      EXPECT_NEAR(got, static_cast<int>(kExpected >> shift & 0xffU), 1);
    }
  };
  TiffSpec spec{.width = 1, .height = 1, .samples = 4};
  spec.extra_samples = 2;
  close(decode(tiff(spec, "\xc8\x64\x28\x80")));
  spec.extra_samples = 1;
  close(decode(tiff(spec, "\x64\x32\x14\x80")));
  spec.bits = 16;
  close(decode(tiff(spec, std::string("\0\x64\0\x32\0\x14\0\x80", 8))));
  spec.extra_samples = 2;
  close(decode(tiff(spec, std::string("\0\xc8\0\x64\0\x28\0\x80", 8))));
}

TEST(LoadTest, AlphaOfBmpWithChannelMasks) {
  // OpenCV writes 32 bits a pixel without saying that the fourth byte is alpha; this header says so.
  const AlphaPicture picture = alpha_picture();
  std::string file = encode(".bmp", picture.bgra);
  constexpr std::size_t kHeader = 14 + 40;
  std::string masks("\0\0\xff\0\0\xff\0\0\xff\0\0\0\0\0\0\xff", 16);
  masks.resize(108 - 40, '\0');
  file.insert(kHeader, masks);
  file[10] = static_cast<char>(14 + 108);  // where the pixels are
  file[14] = 108;                          // the header's size
  file[30] = 3;                            // colours by masks
  EXPECT_LE(largest_difference(decode(file), picture.expected), 1);
}

TEST(LoadTest, BmpWhoseFourthByteIsUnusedIsOpaque) {
  cv::Mat picture;
  cv::cvtColor(smooth_picture(8, 8), picture, cv::COLOR_BGR2BGRA);
  for (int i = 0; i < 64; ++i) picture.at<cv::Vec4b>(i / 8, i % 8)[3] = 0;
  EXPECT_EQ(largest_difference(decode(encode(".bmp", picture)), smooth_picture(8, 8)), 0);
}

TEST(LoadTest, PaletteWithTransparency) {
  PngSpec spec{.width = 3, .height = 1, .depth = 2, .colour = 3};
  spec.before_data = png_chunk("PLTE", std::string("\xff\0\0\0\xff\0", 6)) + png_chunk("tRNS", std::string(1, '\0'));
  // Indices 1, 0, 3: green, transparent, and one beyond the palette, which is black.
  ::testing::internal::CaptureStderr();
  const Image image = decode(png(spec, std::string("\0\x4c", 2)));
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(pixel(image, 0, 0), 0x00ff00U);
  EXPECT_EQ(pixel(image, 1, 0), 0xffffffU);
  EXPECT_EQ(pixel(image, 2, 0), 0x000000U);
}

TEST(LoadTest, BilevelPngAndTiff) {
  const PngSpec spec{.width = 3, .height = 2, .depth = 1, .colour = 0};
  const TiffSpec black_is_0{.width = 3, .height = 2, .bits = 1, .samples = 1, .photometric = 1};
  const TiffSpec white_is_0{.width = 3, .height = 2, .bits = 1, .samples = 1, .photometric = 0};
  struct {
    Image image;
    bool inverted;
  } const cases[] = {{decode(png(spec, std::string("\0\xa0\0\x40", 4))), false},
                     {decode(tiff(black_is_0, "\xa0\x40")), false},
                     {decode(tiff(white_is_0, "\xa0\x40")), true}};
  for (const auto& c : cases) {
    for (int i = 0; i < 6; ++i) {
      const bool white = (i % 2 == 0) != c.inverted;
      EXPECT_EQ(pixel(c.image, i % 3, i / 3), white ? 0xffffffU : 0U) << i;
    }
  }
}

TEST(LoadTest, PaletteTiffAndInvertedGrey) {
  const TiffSpec white_is_0{.width = 2, .height = 1, .bits = 8, .samples = 1, .photometric = 0};
  const Image image = decode(tiff(white_is_0, "\x10\xf0"));
  EXPECT_EQ(pixel(image, 0, 0), 0xefefefU);
  EXPECT_EQ(pixel(image, 1, 0), 0x0f0f0fU);
}

TEST(LoadTest, TiffWhoseStripsAreSaidToBeLongerThanThePicture) {
  for (const int rows : {3, 1000, 900'000'000}) {
    constexpr int kPackBits = 32773;  // libtiff cuts up uncompressed strips itself
    TiffSpec spec{.width = 2, .height = 2, .samples = 1, .photometric = 1};
    spec.compression = kPackBits;
    spec.rows_per_strip = rows;
    const Image image = decode(tiff(spec, "\x01\x10\x20\x01\x30\xf0"));
    EXPECT_EQ(pixel(image, 0, 0), 0x101010U) << rows;
    EXPECT_EQ(pixel(image, 1, 1), 0xf0f0f0U) << rows;
  }
}

struct PnmCase {
  std::string file;
  std::vector<std::uint32_t> pixels;
};

TEST(LoadTest, PnmOfEveryKind) {
  const std::vector<PnmCase> cases = {
      {"P1 # comment\n3 1\n10 1", {0x000000, 0xffffff, 0x000000}},
      {"P2\n2 1\n#c\n15\n0 15\n", {0x000000, 0xffffff}},
      {"P2 2 1 15 5 99", {0x555555, 0xffffff}},
      {"P3 1 2 255 1 2 3 4 5 6", {0x010203, 0x040506}},
      {"P4\n3 1\n\xa0", {0x000000, 0xffffff, 0x000000}},
      {std::string("P5 2 1 100\n") + std::string("\0\x64", 2), {0x000000, 0xffffff}},
      {std::string("P5 2 1 1023\n") + std::string("\x03\xff\x02\x00", 4), {0xffffff, 0x808080}},
      {"P6 1 1 255\n\x01\x02\x03", {0x010203}},
      {std::string("P6 1 1 65535\n") + std::string("\xff\xff\x80\x80\0\0", 6), {0xff8000}},
      {"P6 1 2 255\n\x01\x02\x03", {0x010203, 0xffffff}},  // cut short: the rest is white
  };
  for (const PnmCase& c : cases) {
    const Image image = decode(c.file);
    ASSERT_EQ(static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height), c.pixels.size());
    for (std::size_t i = 0; i < c.pixels.size(); ++i) {
      const int x = static_cast<int>(i) % image.width;
      EXPECT_EQ(pixel(image, x, static_cast<int>(i) / image.width), c.pixels[i]) << c.file << " pixel " << i;
    }
  }
}

TEST(LoadTest, CmykTiffAndJpeg) {
  TiffSpec spec{.width = 4, .height = 1, .samples = 4, .photometric = 5};
  const Image image = decode(tiff(spec, std::string("\xff\0\0\0\0\xff\0\0\0\0\xff\0\0\0\0\xff", 16)));
  const std::uint32_t expected[] = {0x00ffff, 0xff00ff, 0xffff00, 0x000000};
  for (int x = 0; x < 4; ++x) EXPECT_EQ(pixel(image, x, 0), expected[x]) << x;
  // Adobe's inverted CMYK in four 16-pixel squares: red, green, blue, white.
  const Image jpeg = load_image(source_path("tests/image/data/cmyk.jpg"));
  const std::uint32_t colours[] = {0xff0000, 0x00ff00, 0x0000ff, 0xffffff};
  ASSERT_EQ(jpeg.width, 64);
  for (int i = 0; i < 4; ++i) {
    for (const int shift : {16, 8, 0}) {
      EXPECT_NEAR(static_cast<int>(pixel(jpeg, 16 * i + 8, 8) >> shift & 0xffU),
                  static_cast<int>(colours[i] >> shift & 0xffU), 4)
          << i;
    }
  }
}

TEST(LoadTest, TrailingBytesAndColourProfilesDoNotMatter) {
  const cv::Mat picture = smooth_picture(20, 10);
  EXPECT_EQ(largest_difference(decode(encode(".png", picture) + "trailing"), picture), 0);
  const std::string jpeg = encode(".jpg", picture);
  const Image alone = decode(jpeg);
  const Image trailed = decode(jpeg + "\xff\xd8 trailing");
  EXPECT_TRUE(std::equal(alone.row(0), alone.row(0) + 3 * 20 * 10, trailed.row(0)));
  const std::string png = encode(".png", picture);
  const std::string with_profile =
      png.substr(0, 33) + png_chunk("iCCP", "broken") + png_chunk("gAMA", "x") + png.substr(33);
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(largest_difference(decode(with_profile), picture), 0);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST(LoadTest, JpegIsScaledWhileDecodedButNeverBelowTheMinimum) {
  const std::string jpeg = encode(".jpg", smooth_picture(1001, 640));
  struct {
    int min_width, min_height, width, height;
  } const cases[] = {
      {0, 0, 1001, 640},     {224, 224, 501, 320}, {1001, 640, 1001, 640}, {500, 320, 501, 320}, {501, 320, 1001, 640},
      {500, 321, 1001, 640}, {100, 160, 251, 160}, {1, 1, 126, 80},        {224, 0, 1001, 640},
  };
  for (const auto& c : cases) {
    LoadOptions options;
    options.min_width = c.min_width;
    options.min_height = c.min_height;
    const Image image = decode(jpeg, options);
    EXPECT_EQ(image.width, c.width) << c.min_width << "×" << c.min_height;
    EXPECT_EQ(image.height, c.height) << c.min_width << "×" << c.min_height;
    EXPECT_EQ(image.source_width, 1001);
    EXPECT_EQ(image.source_height, 640);
    cv::Mat small;
    cv::resize(smooth_picture(1001, 640), small, cv::Size(c.width, c.height), 0, 0, cv::INTER_AREA);
    EXPECT_LE(largest_difference(image, small), 8);
  }
}

TEST(LoadTest, TheMinimumIsOfTheUprightPicture) {
  const std::string jpeg = jpeg_with_exif(encode(".jpg", smooth_picture(800, 200)), exif(6));
  LoadOptions options;
  options.min_width = 100;
  options.min_height = 400;
  const Image image = decode(jpeg, options);
  EXPECT_EQ(image.width, 100);
  EXPECT_EQ(image.height, 400);
  EXPECT_EQ(image.source_width, 200);
  EXPECT_EQ(image.source_height, 800);
}

TEST(LoadTest, NamesOfAnyBytes) {
  const ScratchFolder folder;
  for (const std::string name : {"a b.png", "a\nb.png", "\xff\xfe.png", "ä.png", "no extension", "wrong.jpg"}) {
    const std::filesystem::path path = folder.path() / name;
    std::ofstream(path, std::ios::binary) << encode(".png", smooth_picture(5, 4));
    EXPECT_EQ(load_image(path).width, 5) << name;
  }
}

TEST(LoadTest, PngIsWrittenAsItWasAndAtomically) {
  const ScratchFolder folder;
  const std::filesystem::path path = folder.path() / "out.png";
  const Image image = decode(encode(".ppm", smooth_picture(30, 20)));
  write_png(image, path);
  write_png(image, path);
  EXPECT_EQ(largest_difference(load_image(path), smooth_picture(30, 20)), 0);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
  try {
    write_png(image, folder.path() / "none" / "out.png");
    FAIL() << "wrote into a folder that is not there";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kMissing);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("out.png"));
  }
}

}  // namespace
}  // namespace glimpse::testing
