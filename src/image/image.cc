#include "image/image.h"

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "image/pixels.h"

namespace glimpse {

Image::Image(int width, int height)
    : width(width),
      height(height),
      source_width(width),
      source_height(height),
      pixels(std::size_t{3} * static_cast<std::size_t>(width) * static_cast<std::size_t>(height)) {}

std::uint8_t* Image::row(int y) {
  return reinterpret_cast<std::uint8_t*>(pixels.data()) + std::size_t{3} * static_cast<std::size_t>(width) * y;
}

const std::uint8_t* Image::row(int y) const {
  return reinterpret_cast<const std::uint8_t*>(pixels.data()) + std::size_t{3} * static_cast<std::size_t>(width) * y;
}

void write_png(const Image& image, const std::filesystem::path& path) {
  std::vector<std::uint8_t> png;
  try {
    cv::Mat bgr;
    cv::cvtColor(codec::view(image), bgr, cv::COLOR_RGB2BGR);
    cv::imencode(".png", bgr, png);
  } catch (const cv::Exception& error) {
    throw Error(ErrorCode::kIo, "cannot write " + quote(path.native()) + ": OpenCV: " + error.err);
  }
  write_atomically(path, [&](std::ostream& out) {
    out.write(reinterpret_cast<const char*>(png.data()), static_cast<std::streamsize>(png.size()));
  });
}

}  // namespace glimpse
