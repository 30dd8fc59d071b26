// Animations: read back by libwebp's own reader, every frame there, for its time and looking like itself.
#include "image/animation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <webp/demux.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "support/paths.h"

namespace glimpse::testing {
namespace {

Frame plain_frame(int width, int height, std::uint8_t red, std::uint8_t green, int milliseconds) {
  Frame frame{Image(width, height), milliseconds};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      std::uint8_t* pixel = frame.image.row(y) + 3 * x;
      pixel[0] = red;
      pixel[1] = green;
      pixel[2] = 40;
    }
  }
  return frame;
}

std::vector<Frame> frames_of(std::initializer_list<std::array<int, 4>> sizes_and_times) {
  std::vector<Frame> frames;
  for (const auto& [width, height, red, milliseconds] : sizes_and_times) {
    frames.push_back(plain_frame(width, height, static_cast<std::uint8_t>(red), 90, milliseconds));
  }
  return frames;
}

class Decoder {
 public:
  explicit Decoder(const std::string& file) : file_(file) {
    const WebPData data = {reinterpret_cast<const std::uint8_t*>(file_.data()), file_.size()};
    decoder_.reset(WebPAnimDecoderNew(&data, nullptr));
    if (!decoder_) throw std::runtime_error("no WebP animation");
    WebPAnimDecoderGetInfo(decoder_.get(), &info);
  }
  /// The next frame's first pixel, red first, and when its time is over.
  std::pair<std::array<int, 3>, int> next() {
    std::uint8_t* pixels = nullptr;
    int end = 0;
    if (WebPAnimDecoderGetNext(decoder_.get(), &pixels, &end) == 0) throw std::runtime_error("no frame");
    return {{pixels[0], pixels[1], pixels[2]}, end};
  }
  WebPAnimInfo info = {};

 private:
  struct Delete {
    void operator()(WebPAnimDecoder* decoder) const { WebPAnimDecoderDelete(decoder); }
  };
  std::string file_;
  std::unique_ptr<WebPAnimDecoder, Delete> decoder_;
};

TEST(AnimationTest, DecodesToTheFramesWithTheirTimes) {
  const ScratchFolder folder;
  const std::filesystem::path path = folder.path() / "a.webp";
  const std::vector<Frame> frames = frames_of({{65, 40, 10, 1600}, {65, 40, 120, 900}, {65, 40, 240, 700}});
  write_animation(frames, path);
  Decoder decoder(read_file(path, 1 << 20));
  EXPECT_EQ(decoder.info.frame_count, 3U);
  EXPECT_EQ(decoder.info.canvas_width, 65U);
  EXPECT_EQ(decoder.info.canvas_height, 40U);
  EXPECT_EQ(decoder.info.loop_count, 0U) << "for ever";
  int end = 0;
  for (const Frame& frame : frames) {
    const auto [pixel, until] = decoder.next();
    end += frame.milliseconds;
    EXPECT_EQ(until, end);
    for (int c = 0; c < 3; ++c) EXPECT_NEAR(pixel[static_cast<std::size_t>(c)], frame.image.row(0)[c], 6) << c;
  }
}

TEST(AnimationTest, OneFrameIsAPictureToo) {
  const ScratchFolder folder;
  write_animation(frames_of({{16, 16, 200, 1000}}), folder.path() / "a.webp");
  EXPECT_EQ(load_image(folder.path() / "a.webp").width, 16);
}

TEST(AnimationTest, WhatCannotBeWrittenIsAnErrorThatNamesTheFile) {
  const ScratchFolder folder;
  const auto code = [&](const std::vector<Frame>& frames, const std::string& name) {
    try {
      write_animation(frames, folder.path() / name);
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), ::testing::HasSubstr(name));
      EXPECT_FALSE(std::filesystem::exists(folder.path() / name));
      return error.code();
    }
    return ErrorCode::kInterrupted;  // nothing was thrown
  };
  EXPECT_EQ(code({}, "none.webp"), ErrorCode::kUsage);
  EXPECT_EQ(code(frames_of({{16, 16, 0, 100}, {16, 17, 0, 100}}), "two.webp"), ErrorCode::kUsage);
  EXPECT_EQ(code(frames_of({{16384, 1, 0, 100}}), "wide.webp"), ErrorCode::kUsage);
  EXPECT_EQ(code(frames_of({{16, 16, 0, 100}}), "no/such/a.webp"), ErrorCode::kMissing);
}

}  // namespace
}  // namespace glimpse::testing
