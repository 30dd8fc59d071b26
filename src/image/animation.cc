#include "image/animation.h"

#include <webp/encode.h>
#include <webp/mux.h>

#include <memory>
#include <string>

#include "core/error.h"
#include "core/file.h"

namespace glimpse {
namespace {

/// A picture in the encoder's own form, freed at the end.
class EncoderPicture {
 public:
  EncoderPicture() { WebPPictureInit(&picture_); }
  ~EncoderPicture() { WebPPictureFree(&picture_); }
  EncoderPicture(const EncoderPicture&) = delete;
  EncoderPicture& operator=(const EncoderPicture&) = delete;

  /// False where memory is short.
  bool import(const Image& image) {
    picture_.use_argb = 1;
    picture_.width = image.width;
    picture_.height = image.height;
    return WebPPictureImportRGB(&picture_, image.row(0), 3 * image.width) != 0;
  }
  WebPPicture* get() { return &picture_; }

 private:
  WebPPicture picture_ = {};
};

class Encoder {
 public:
  Encoder(int width, int height) {
    WebPAnimEncoderOptions options;
    WebPAnimEncoderOptionsInit(&options);
    options.anim_params.loop_count = 0;  // for ever
    encoder_.reset(WebPAnimEncoderNew(width, height, &options));
    WebPConfigInit(&config_);
    config_.quality = 85;
    config_.use_sharp_yuv = 1;  // else coloured text and lines smear
    require(encoder_ != nullptr);
  }

  void add(const Image& image, int at) {
    EncoderPicture picture;
    require(picture.import(image));
    require(WebPAnimEncoderAdd(encoder_.get(), picture.get(), at, &config_) != 0);
  }

  /// The whole file; `end` is when the last frame's time is over.
  std::string finish(int end) {
    require(WebPAnimEncoderAdd(encoder_.get(), nullptr, end, nullptr) != 0);
    WebPData data;
    WebPDataInit(&data);
    const bool done = WebPAnimEncoderAssemble(encoder_.get(), &data) != 0;
    std::string file(reinterpret_cast<const char*>(data.bytes), data.size);
    WebPDataClear(&data);
    require(done);
    return file;
  }

 private:
  void require(bool done) const {
    if (done) return;
    const char* reason = encoder_ ? WebPAnimEncoderGetError(encoder_.get()) : "";
    throw Error(ErrorCode::kIo, "libwebp: " + std::string(*reason != '\0' ? reason : "not enough memory"));
  }

  struct Delete {
    void operator()(WebPAnimEncoder* encoder) const { WebPAnimEncoderDelete(encoder); }
  };
  std::unique_ptr<WebPAnimEncoder, Delete> encoder_;
  WebPConfig config_ = {};
};

void check_frames(std::span<const Frame> frames, const std::filesystem::path& path) {
  const auto fail = [&](const std::string& reason) {
    throw Error(ErrorCode::kUsage, "cannot write " + quote(path.native()) + ": " + reason);
  };
  if (frames.empty()) fail("an animation without frames");
  const Image& first = frames.front().image;
  const auto size = [](const Image& image) { return std::to_string(image.width) + "×" + std::to_string(image.height); };
  if (first.width > WEBP_MAX_DIMENSION || first.height > WEBP_MAX_DIMENSION || first.width < 1 || first.height < 1) {
    fail("frames of " + size(first) + " pixels; WebP holds 1 to " + std::to_string(WEBP_MAX_DIMENSION) + " a side");
  }
  for (const Frame& frame : frames) {
    if (frame.image.width != first.width || frame.image.height != first.height) {
      fail("frames of " + size(first) + " and " + size(frame.image) + " pixels in one animation");
    }
  }
}

}  // namespace

void write_animation(std::span<const Frame> frames, const std::filesystem::path& path) {
  check_frames(frames, path);
  std::string file;
  try {
    Encoder encoder(frames.front().image.width, frames.front().image.height);
    int at = 0;
    for (const Frame& frame : frames) {
      encoder.add(frame.image, at);
      at += frame.milliseconds;
    }
    file = encoder.finish(at);
  } catch (const Error& error) {
    throw Error(error.code(), "cannot write " + quote(path.native()) + ": " + error.what());
  }
  write_atomically(path, [&](std::ostream& out) { out.write(file.data(), static_cast<std::streamsize>(file.size())); });
}

}  // namespace glimpse
