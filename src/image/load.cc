#include <algorithm>
#include <cstring>
#include <mutex>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "core/error.h"
#include "core/file.h"
#include "image/format.h"
#include "image/image.h"
#include "image/pixels.h"

namespace glimpse {
namespace {

namespace logging = cv::utils::logging;

using codec::Bytes;
using codec::Format;
using codec::Header;
using codec::Malformed;
using codec::Prepared;

/// OpenCV refuses sides and pixels beyond these (OPENCV_IO_MAX_IMAGE_* may lower them, which decode() reports).
constexpr std::int64_t kLargestSide = 1 << 20;
constexpr std::int64_t kMostPixels = 1 << 30;

Header read_header(Format format, Bytes bytes) {
  switch (format) {
    case Format::kJpeg:
      return codec::read_jpeg_header(bytes);
    case Format::kPng:
      return codec::read_png_header(bytes);
    case Format::kWebp:
      return codec::read_webp_header(bytes);
    case Format::kTiff:
      return codec::read_tiff_header(bytes);
    case Format::kBmp:
      return codec::read_bmp_header(bytes);
    case Format::kPnm:
      return codec::read_pnm_header(bytes);
    case Format::kGif:
      return codec::read_gif_header(bytes);
  }
  throw Malformed("its format is unknown");
}

Prepared prepare(Format format, Bytes bytes) {
  switch (format) {
    case Format::kJpeg:
      return codec::prepare_jpeg(bytes);
    case Format::kPng:
      return codec::prepare_png(bytes);
    case Format::kTiff:
      return codec::prepare_tiff(bytes);
    case Format::kBmp:
      return codec::prepare_bmp(bytes);
    default:
      break;
  }
  Prepared as_it_is(bytes);
  as_it_is.keep_format = true;
  return as_it_is;
}

void check_limits(const Header& header, const std::string& name, const LoadOptions& options) {
  if (header.width <= 0 || header.height <= 0) throw Malformed("its header says that it has no pixels");
  const std::string size = std::to_string(header.width) + "×" + std::to_string(header.height);
  const auto pixels = static_cast<std::uint64_t>(header.width) * static_cast<std::uint64_t>(header.height);
  const std::uint64_t most = std::min<std::uint64_t>(options.max_pixels, kMostPixels);
  if (pixels > most) {
    throw Error(ErrorCode::kTooLarge, "cannot decode " + quote(name) + ": " + size +
                                          " pixels, more than the limit of " + std::to_string(most));
  }
  if (header.width > kLargestSide || header.height > kLargestSide) {
    throw Error(ErrorCode::kTooLarge, "cannot decode " + quote(name) + ": " + size +
                                          " pixels, a side longer than the limit of " + std::to_string(kLargestSide));
  }
}

/// The largest of 1, 2, 4, 8 by which both sides can be divided and stay at least as long as asked for.
int reduction(const Header& header, const LoadOptions& options) {
  if (options.min_width <= 0 || options.min_height <= 0) return 1;
  const bool sideways = header.orientation >= 5;
  const std::int64_t min_width = sideways ? options.min_height : options.min_width;
  const std::int64_t min_height = sideways ? options.min_width : options.min_height;
  int factor = 1;
  while (factor < 8 && header.width >= 2 * factor * min_width && header.height >= 2 * factor * min_height) factor *= 2;
  return factor;
}

int decode_flags(const Prepared& prepared, int factor) {
  if (prepared.keep_format) return cv::IMREAD_UNCHANGED;
  const int colour = factor == 2   ? cv::IMREAD_REDUCED_COLOR_2
                     : factor == 4 ? cv::IMREAD_REDUCED_COLOR_4
                     : factor == 8 ? cv::IMREAD_REDUCED_COLOR_8
                                   : cv::IMREAD_COLOR;
  return colour | cv::IMREAD_IGNORE_ORIENTATION;
}

/// While one lives, on whatever thread, OpenCV's log keeps off standard error. Its level is the host program's: it
/// comes back with the last one, unless somebody else has set it meanwhile.
class QuietLog {
 public:
  QuietLog() {
    const std::lock_guard lock(mutex_);
    if (alive_++ == 0) before_ = logging::setLogLevel(logging::LOG_LEVEL_SILENT);
  }
  ~QuietLog() {
    const std::lock_guard lock(mutex_);
    if (--alive_ == 0 && logging::getLogLevel() == logging::LOG_LEVEL_SILENT) logging::setLogLevel(before_);
  }
  QuietLog(const QuietLog&) = delete;
  QuietLog& operator=(const QuietLog&) = delete;

 private:
  static inline std::mutex mutex_;
  static inline int alive_ = 0;
  static inline logging::LogLevel before_ = logging::LOG_LEVEL_SILENT;
};

cv::Mat decode(const Prepared& prepared, int flags) {
  const QuietLog quiet;
  const Bytes given = prepared.bytes();
  const cv::Mat bytes(1, static_cast<int>(given.size()), CV_8UC1, const_cast<std::byte*>(given.data()));
  cv::Mat pixels;
  try {
    pixels = cv::imdecode(bytes, flags);
  } catch (const cv::Exception& error) {
    throw Malformed("OpenCV refuses it (" + error.err + ")");
  }
  if (pixels.empty()) throw Malformed("it is damaged, or of a kind that OpenCV does not read");
  return pixels;
}

bool same_row(const cv::Mat& pixels, int y, int other) {
  return std::memcmp(pixels.ptr(y), pixels.ptr(other), static_cast<std::size_t>(pixels.cols) * pixels.elemSize()) == 0;
}

/// Where a JPEG's data ends too early OpenCV repeats the last row that libjpeg gave down to the bottom. Those rows are
/// made grey; a picture of nothing else was not decoded at all.
void grey_out_missing_rows(cv::Mat& pixels) {
  int last = pixels.rows - 1;
  while (last > 0 && same_row(pixels, last - 1, pixels.rows - 1)) --last;
  if (last == 0) throw Malformed("the file is cut short before its first row of pixels");
  // A row of one colour may as well be the picture's own: files that only lack their end marker are common.
  const cv::Mat row = pixels.row(last);
  const bool plain = row.cols == 1 || std::memcmp(row.ptr(), row.ptr() + 3, 3 * (std::size_t(row.cols) - 1)) == 0;
  if (last + 1 < pixels.rows && !plain) pixels.rowRange(last + 1, pixels.rows).setTo(cv::Scalar::all(128));
}

Image to_image(const cv::Mat& bgr, const Header& header) {
  const cv::Mat turned = codec::upright(bgr, header.orientation);
  Image image(turned.cols, turned.rows);
  cv::Mat rgb = codec::view(image);
  cv::cvtColor(turned, rgb, cv::COLOR_BGR2RGB);
  const bool sideways = header.orientation >= 5;
  image.source_width = static_cast<int>(sideways ? header.height : header.width);
  image.source_height = static_cast<int>(sideways ? header.width : header.height);
  return image;
}

Image decode_pnm_image(Bytes bytes) {
  const codec::PnmHeader header = codec::read_pnm_header(bytes);
  cv::Mat pixels(static_cast<int>(header.height), static_cast<int>(header.width), CV_8UC(header.channels));
  codec::decode_pnm(bytes, header, {pixels.data, pixels.total() * pixels.elemSize()});
  if (header.channels == 3) cv::cvtColor(pixels, pixels, cv::COLOR_RGB2BGR);
  return to_image(codec::to_colour(pixels, codec::Alpha::kStraight), header);
}

Image decode_format(Format format, Bytes bytes, const std::string& name, const LoadOptions& options) {
  const Header header = read_header(format, bytes);
  check_limits(header, name, options);
  if (format == Format::kGif) {
    throw Malformed("GIF is not supported by the installed OpenCV; convert it to PNG");
  }
  if (format == Format::kPnm) return decode_pnm_image(bytes);
  const Prepared prepared = prepare(format, bytes);
  const int factor = format == Format::kJpeg ? reduction(header, options) : 1;
  cv::Mat pixels = codec::to_colour(decode(prepared, decode_flags(prepared, factor)), prepared.alpha);
  const std::int64_t width = (header.width + factor - 1) / factor;
  const std::int64_t height = (header.height + factor - 1) / factor;
  if (pixels.cols != width || pixels.rows != height) {
    throw Malformed("its header and its pixels differ in size");
  }
  if (format == Format::kJpeg && header.cut_short) grey_out_missing_rows(pixels);
  return to_image(pixels, header);
}

}  // namespace

Image decode_image(std::span<const std::byte> bytes, const std::string& name, const LoadOptions& options) {
  const auto fail = [&](const std::string& why) {
    return Error(ErrorCode::kDecode, "cannot decode " + quote(name) + ": " + why);
  };
  constexpr std::size_t kMostBytes = std::size_t{1} << 30;  // OpenCV counts with int
  if (const std::size_t most = std::min(options.max_bytes, kMostBytes); bytes.size() > most) {
    throw Error(ErrorCode::kTooLarge, "cannot decode " + quote(name) + ": " + std::to_string(bytes.size()) +
                                          " bytes, more than the limit of " + std::to_string(most));
  }
  if (bytes.empty()) throw fail("the file is empty");
  const std::optional<Format> format = codec::sniff(bytes);
  if (!format) throw fail(codec::describe_unknown(bytes));
  try {
    return decode_format(*format, bytes, name, options);
  } catch (const Malformed& problem) {
    throw fail(problem.what());
  } catch (const cv::Exception& error) {
    throw fail("OpenCV: " + error.err);
  }
}

Image load_image(const std::filesystem::path& path, const LoadOptions& options) {
  const std::string content = read_file(path, options.max_bytes);
  return decode_image(codec::as_bytes(content), path.native(), options);
}

}  // namespace glimpse
