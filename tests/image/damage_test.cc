// Bad input: what is no picture, too large, cut short or damaged ends in one clear error, never in a crash, a hang or a
// line on standard error.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/imgcodecs.hpp>
#include <thread>

#include "core/error.h"
#include "core/file.h"
#include "core/random.h"
#include "image/samples.h"
#include "support/paths.h"

namespace glimpse::testing {
namespace {

/// The error of decoding or loading; kInternal with an empty message where it succeeds.
template <typename Call>
Error error_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  return {ErrorCode::kInternal, ""};
}

struct Sample {
  std::string name;
  std::string file;
  bool cut_file_may_decode = false;
};

std::vector<Sample> samples() {
  const cv::Mat picture = smooth_picture(53, 41);
  cv::Mat deep;
  picture.convertTo(deep, CV_16U, 257);
  cv::Mat noise(41, 53, CV_8UC3);
  cv::RNG(7).fill(noise, cv::RNG::UNIFORM, 0, 256);
  const std::string pixels(reinterpret_cast<const char*>(picture.data), picture.total() * 3);
  return {
      {"baseline jpeg", encode(".jpg", picture), true},
      {"noisy jpeg", encode(".jpg", noise), true},
      {"progressive jpeg", encode(".jpg", picture, {cv::IMWRITE_JPEG_PROGRESSIVE, 1}), true},
      {"jpeg with exif", jpeg_with_exif(encode(".jpg", picture), exif(6)), true},
      {"jpeg with restarts", encode(".jpg", noise, {cv::IMWRITE_JPEG_RST_INTERVAL, 2}), true},
      {"png", encode(".png", picture), false},
      {"png with exif", png_with_exif(encode(".png", deep), exif(5)), false},
      {"webp", encode(".webp", picture, {cv::IMWRITE_WEBP_QUALITY, 80}), false},
      {"lossless webp with exif",
       webp_with_exif(encode(".webp", picture, {cv::IMWRITE_WEBP_QUALITY, 101}), exif(8), 53, 41), false},
      {"lzw tiff", encode(".tiff", picture), false},
      {"16-bit tiff", encode(".tiff", deep), false},
      {"plain tiff", tiff({.width = 53, .height = 41, .orientation = 6, .rows_per_strip = 8}, pixels), false},
      {"bmp", encode(".bmp", picture), true},
      {"ppm", encode(".ppm", picture), true},
      {"text ppm", encode(".ppm", picture, {cv::IMWRITE_PXM_BINARY, 0}), true},
  };
}

/// Decodes; an error must be one line that names the file.
void expect_picture_or_error(const std::string& file, const std::string& what) {
  try {
    const Image image = decode_image(bytes_of(file), "the-file");
    EXPECT_GT(image.width, 0) << what;
    EXPECT_LE(std::int64_t{image.width} * image.height, 200'000'000) << what;
    // Touches all pixels, for sanitizers and for files that promise more than they hold.
    unsigned sum = 0;
    for (int y = 0; y < image.height; ++y) sum += image.row(y)[3 * image.width - 1];
    EXPECT_GE(sum, 0U);
  } catch (const Error& error) {
    EXPECT_TRUE(error.code() == ErrorCode::kDecode || error.code() == ErrorCode::kTooLarge) << what << error.what();
    const std::string message = error.what();
    EXPECT_THAT(message, ::testing::HasSubstr("'the-file'")) << what;
    EXPECT_EQ(message.find('\n'), std::string::npos) << what << message;
  }
}

TEST(DamageTest, WhatIsNoPictureIsNamed) {
  struct {
    std::string file;
    const char* message;
  } const cases[] = {
      {"", "cannot decode 'b.jpg': the file is empty"},
      {"<!DOCTYPE html><html>", "cannot decode 'b.jpg': not a picture (starts with \"<!DOCTYPE\")"},
      {std::string("\0\x01\x02\n", 4), "cannot decode 'b.jpg': not a picture (starts with \"\\x00\\x01\\x02\")"},
      {"{", "cannot decode 'b.jpg': not a picture (starts with \"{\")"},
      {"%PDF-1.4", "cannot decode 'b.jpg': it is a PDF file; convert it to JPEG or PNG"},
      {std::string("\0\0\0\x1c", 4) + "ftypavif",
       "cannot decode 'b.jpg': it is an AVIF picture; convert it to JPEG or PNG"},
      {std::string("GIF89a\x01\0\x01\0\0\0\0", 13),
       "cannot decode 'b.jpg': GIF is not supported by the installed OpenCV; convert it to PNG"},
      {"\xff\xd8\xff", "cannot decode 'b.jpg': the file is cut short"},
      {"BM", "cannot decode 'b.jpg': not a picture (starts with \"BM\")"},
      {"P7\nWIDTH 1", "cannot decode 'b.jpg': not a picture (starts with \"P7\")"},
  };
  for (const auto& c : cases) {
    const Error error = error_of([&] { decode_image(bytes_of(c.file), "b.jpg"); });
    EXPECT_EQ(error.code(), ErrorCode::kDecode) << c.message;
    EXPECT_STREQ(error.what(), c.message);
  }
}

TEST(DamageTest, PathsThatAreNoReadableFiles) {
  const ScratchFolder folder;
  const auto load = [&](const std::string& name) { return error_of([&] { load_image(folder.path() / name); }); };
  EXPECT_EQ(load("none.jpg").code(), ErrorCode::kMissing);
  EXPECT_EQ(error_of([&] { load_image(folder.path()); }).code(), ErrorCode::kIo);
  ASSERT_EQ(mkfifo((folder.path() / "fifo.jpg").c_str(), 0600), 0);
  EXPECT_EQ(load("fifo.jpg").code(), ErrorCode::kIo);
  EXPECT_EQ(error_of([] { load_image("/dev/zero"); }).code(), ErrorCode::kIo);
  std::ofstream(folder.path() / "empty.jpg").close();
  EXPECT_EQ(load("empty.jpg").code(), ErrorCode::kDecode);
  std::ofstream(folder.path() / "secret.jpg") << "x";
  std::filesystem::permissions(folder.path() / "secret.jpg", std::filesystem::perms::none);
  if (geteuid() != 0) {
    EXPECT_EQ(load("secret.jpg").code(), ErrorCode::kPermission);
  }
}

std::string big_endian(std::uint32_t value, int size) {
  std::string out;
  for (int i = size - 1; i >= 0; --i) out += static_cast<char>(value >> 8 * i & 0xffU);
  return out;
}

std::string little_endian(std::uint32_t value, int size) {
  const std::string reversed = big_endian(value, size);
  return {reversed.rbegin(), reversed.rend()};
}

TEST(DamageTest, HeaderBombsAreRefusedBeforeAnythingIsAllocated) {
  constexpr std::uint32_t kSide = 60'000;
  std::string jpeg = encode(".jpg", smooth_picture(8, 8));
  const std::size_t frame = jpeg.find("\xff\xc0");
  jpeg.replace(frame + 5, 4, big_endian(kSide, 2) + big_endian(kSide, 2));
  std::string bmp = encode(".bmp", smooth_picture(8, 8));
  bmp.replace(18, 8, little_endian(kSide, 4) + little_endian(kSide, 4));
  std::string webp = webp_with_exif(encode(".webp", smooth_picture(8, 8)), exif(1), 8, 8);
  webp.replace(24, 6, little_endian(kSide - 1, 3) + little_endian(kSide - 1, 3));
  const std::vector<Sample> bombs = {
      {"jpeg", jpeg},
      {"png", png({.width = kSide, .height = kSide}, "x")},
      {"bmp", bmp},
      {"webp", webp},
      {"tiff", tiff({.width = kSide, .height = kSide}, "xxxx")},
      {"pnm", "P6 60000 60000 255\nxxx"},
      {"pnm text", "P1 99999999999 99999999999\n1"},
      {"gif", std::string("GIF89a") + little_endian(kSide, 2) + little_endian(kSide, 2)},
  };
  for (const Sample& bomb : bombs) {
    const Error error = error_of([&] { decode(bomb.file); });
    EXPECT_EQ(error.code(), ErrorCode::kTooLarge) << bomb.name << ": " << error.what();
    if (bomb.name != "pnm text") {
      EXPECT_THAT(error.what(), ::testing::HasSubstr("60000×60000 pixels")) << bomb.name;
    }
  }
}

TEST(DamageTest, LimitsHoldToThePixelAndTheByte) {
  for (const Sample& sample : samples()) {
    LoadOptions options;
    options.max_pixels = 53 * 41;
    options.max_bytes = sample.file.size();
    EXPECT_NO_THROW(decode(sample.file, options)) << sample.name;
    options.max_pixels = 53 * 41 - 1;
    EXPECT_EQ(error_of([&] { decode(sample.file, options); }).code(), ErrorCode::kTooLarge) << sample.name;
    options.max_pixels = 53 * 41;
    options.max_bytes = sample.file.size() - 1;
    EXPECT_EQ(error_of([&] { decode(sample.file, options); }).code(), ErrorCode::kTooLarge) << sample.name;
  }
}

TEST(DamageTest, CutShortAtAnyPoint) {
  for (const Sample& sample : samples()) {
    ::testing::internal::CaptureStderr();
    const std::size_t step = std::max<std::size_t>(sample.file.size() / 400, 1);
    bool decoded = false;
    for (std::size_t size = 1; size < sample.file.size(); size += step) {
      const std::string cut = sample.file.substr(0, size);
      expect_picture_or_error(cut, sample.name + " cut to " + std::to_string(size));
      decoded = decoded || error_of([&] { decode(cut); }).what() == std::string();
    }
    EXPECT_EQ(::testing::internal::GetCapturedStderr(), "") << sample.name;
    if (sample.cut_file_may_decode) {
      EXPECT_TRUE(decoded) << sample.name << ": no part of it was ever decoded";
    }
  }
}

TEST(DamageTest, TruncatedJpegKeepsItsUpperPart) {
  const cv::Mat picture = smooth_picture(320, 240);
  for (const int progressive : {0, 1}) {
    const std::string jpeg =
        encode(".jpg", picture, {cv::IMWRITE_JPEG_QUALITY, 95, cv::IMWRITE_JPEG_PROGRESSIVE, progressive});
    const Image image = decode(jpeg.substr(0, jpeg.size() * 6 / 10));
    ASSERT_EQ(image.width, 320);
    ASSERT_EQ(image.height, 240);
    const cv::Rect upper(0, 0, 320, progressive != 0 ? 240 : 64);
    Image part(upper.width, upper.height);
    std::copy_n(image.row(0), std::size_t{3} * 320 * static_cast<std::size_t>(upper.height), part.row(0));
    EXPECT_LE(largest_difference(part, picture(upper)), progressive != 0 ? 60 : 12) << "progressive " << progressive;
    if (progressive == 0) {
      EXPECT_EQ(pixel(image, 160, 239), 0x808080U) << "rows that are missing are grey";
    }
  }
}

TEST(DamageTest, JpegWithAScanAComponentKeepsItsWholeScans) {
  // Baseline, but not interleaved: brightness first, then the two colour differences.
  const std::string jpeg = read_file(source_path("tests/image/data/scan-a-component.jpg"), 10'000);
  const Image whole = decode(jpeg);
  EXPECT_NEAR(whole.row(16)[3 * 40], 200, 12);
  ::testing::internal::CaptureStderr();
  int decoded = 0;
  for (std::size_t size = 1; size < jpeg.size(); ++size) {
    const std::string cut = jpeg.substr(0, size);
    expect_picture_or_error(cut, "cut to " + std::to_string(size));
    if (error_of([&] { decode(cut); }).what() != std::string()) continue;
    ++decoded;
    const Image image = decode(cut);
    const auto brightness = [](const std::uint8_t* p) { return 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2]; };
    EXPECT_NEAR(brightness(image.row(16) + 3 * 20), brightness(whole.row(16) + 3 * 20), 3) << size;
  }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  EXPECT_GT(decoded, 100);
}

TEST(DamageTest, JpegThatOnlyLacksItsEndMarkerIsWhole) {
  cv::Mat picture = smooth_picture(64, 64);
  picture.rowRange(32, 64).setTo(cv::Scalar::all(250));  // alike to the bottom: that does not make them missing
  const std::string jpeg = encode(".jpg", picture, {cv::IMWRITE_JPEG_QUALITY, 98});
  const Image whole = decode(jpeg);
  const Image cut = decode(jpeg.substr(0, jpeg.size() - 2));
  for (int y = 0; y < 64; ++y) {
    EXPECT_TRUE(std::equal(whole.row(y), whole.row(y) + 3 * 64, cut.row(y))) << "row " << y;
  }
}

/// A TIFF of colours that nobody knows, of which OpenCV would log a warning.
std::string puzzling_tiff() {
  return tiff({.width = 4, .height = 4, .bits = 16, .samples = 3, .photometric = 9999}, std::string(96, '7'));
}

TEST(DamageTest, OpenCvsLogIsQuietWhileDecodingAndThenAsItsHostWantsIt) {
  namespace logging = cv::utils::logging;
  const logging::LogLevel before = logging::getLogLevel();
  const std::vector<std::string> files = {encode(".png", smooth_picture(8, 8)), puzzling_tiff(), "no picture"};
  for (const logging::LogLevel level : {logging::LOG_LEVEL_WARNING, logging::LOG_LEVEL_ERROR}) {
    logging::setLogLevel(level);
    ::testing::internal::CaptureStderr();
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&files] {
        for (int i = 0; i < 50; ++i) {
          for (const std::string& file : files) expect_picture_or_error(file, "");
        }
      });
    }
    threads.clear();
    EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
    EXPECT_EQ(logging::getLogLevel(), level);
  }
  logging::setLogLevel(before);
}

TEST(DamageTest, EmptyPngDataIsNoData) {
  const std::string rows = std::string(1, '\0') + "\x10\x20\x30";
  const std::string whole = png({.width = 1, .height = 1, .colour = 2}, rows);
  const std::string before = png({.width = 1, .height = 1, .colour = 2, .before_data = png_chunk("IDAT", "")}, rows);
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(pixel(decode(before), 0, 0), 0x102030U);
  const std::string none = before.substr(0, before.find("IDAT", before.find("IDAT") + 1) - 4) + png_chunk("IEND", "");
  EXPECT_THAT(error_of([&] { decode(none); }).what(), ::testing::HasSubstr("no picture data"));
  EXPECT_EQ(pixel(decode(whole), 0, 0), 0x102030U);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST(DamageTest, ChangedBytesNeverCrash) {
  constexpr int kRounds = 300;
  for (const Sample& sample : samples()) {
    Random random(std::hash<std::string>{}(sample.name));
    for (int round = 0; round < kRounds; ++round) {
      std::string file = sample.file;
      const std::uint64_t changes = 1 + random.below(8);
      for (std::uint64_t i = 0; i < changes; ++i) {
        // Half of the changes hit the first bytes, where headers are.
        const std::size_t range = random.below(2) == 0 ? std::min<std::size_t>(file.size(), 128) : file.size();
        file[random.below(range)] = static_cast<char>(random.next());
      }
      if (random.below(4) == 0) file.resize(random.below(file.size()) + 1);
      ::testing::internal::CaptureStderr();
      expect_picture_or_error(file, sample.name + " round " + std::to_string(round));
      const std::string noise = ::testing::internal::GetCapturedStderr();
      // Damage within JPEG's and TIFF's compressed data is only found by libjpeg and OpenCV, which report it
      // themselves.
      const bool checked_before =
          sample.name.find("jpeg") == std::string::npos && sample.name.find("tiff") == std::string::npos;
      if (checked_before) {
        EXPECT_EQ(noise, "") << sample.name << " round " << round;
      }
    }
  }
}

TEST(DamageTest, ChangedExifNeverCrashes) {
  const std::string good = exif(6);
  const std::string jpeg = encode(".jpg", smooth_picture(16, 8));
  Random random(42);
  for (int round = 0; round < 500; ++round) {
    std::string bad = good;
    for (std::uint64_t i = 0; i < 1 + random.below(4); ++i) {
      bad[random.below(bad.size())] = static_cast<char>(random.next());
    }
    if (random.below(3) == 0) bad.resize(random.below(bad.size() + 1));
    const Image image = decode(jpeg_with_exif(jpeg, bad));
    EXPECT_EQ(image.width * image.height, 16 * 8) << "round " << round;
  }
}

}  // namespace
}  // namespace glimpse::testing
