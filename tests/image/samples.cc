#include "image/samples.h"

#include <algorithm>
#include <cstdlib>
#include <opencv2/imgcodecs.hpp>
#include <stdexcept>

#include "core/random.h"

namespace glimpse::testing {
namespace {

void append_number(std::string& out, std::uint64_t value, int size, bool big_endian) {
  for (int i = 0; i < size; ++i) {
    out += static_cast<char>(value >> 8 * (big_endian ? size - 1 - i : i) & 0xffU);
  }
}

std::uint32_t crc32(std::string_view bytes) {
  std::uint32_t crc = 0xffffffffU;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1U) != 0 ? 0xedb88320U ^ (crc >> 1) : crc >> 1;
  }
  return ~crc;
}

std::uint32_t adler32(std::string_view bytes) {
  std::uint32_t a = 1;
  std::uint32_t b = 0;
  for (const char c : bytes) {
    a = (a + static_cast<unsigned char>(c)) % 65521;
    b = (b + a) % 65521;
  }
  return b << 16 | a;
}

}  // namespace

cv::Mat smooth_picture(int width, int height) {
  cv::Mat picture(height, width, CV_8UC3);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const int across = 255 * x / std::max(width - 1, 1);
      const int down = 255 * y / std::max(height - 1, 1);
      picture.at<cv::Vec3b>(y, x) = cv::Vec3b(static_cast<std::uint8_t>(across), static_cast<std::uint8_t>(down),
                                              static_cast<std::uint8_t>(255 - (across + down) / 2));
    }
  }
  return picture;
}

Image random_image(int width, int height, std::uint64_t seed) {
  Image image(width, height);
  Random random(seed);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < 3 * width; ++x) image.row(y)[x] = static_cast<std::uint8_t>(random.below(256));
  }
  return image;
}

std::string encode(const std::string& extension, const cv::Mat& picture, const std::vector<int>& parameters) {
  std::vector<std::uint8_t> file;
  if (!cv::imencode(extension, picture, file, parameters)) throw std::runtime_error("OpenCV cannot write " + extension);
  return {file.begin(), file.end()};
}

std::string exif(int orientation, bool big_endian) {
  std::string out = big_endian ? "MM" : "II";
  append_number(out, 42, 2, big_endian);
  append_number(out, 8, 4, big_endian);
  append_number(out, 1, 2, big_endian);  // entries
  append_number(out, 274, 2, big_endian);
  append_number(out, 3, 2, big_endian);
  append_number(out, 1, 4, big_endian);
  append_number(out, static_cast<std::uint64_t>(orientation), 2, big_endian);
  append_number(out, 0, 2, big_endian);
  append_number(out, 0, 4, big_endian);
  return out;
}

std::string jpeg_with_exif(const std::string& jpeg, const std::string& exif) {
  std::string segment("\xff\xe1", 2);
  append_number(segment, 2 + 6 + exif.size(), 2, true);
  segment += std::string("Exif\0\0", 6) + exif;
  return jpeg.substr(0, 2) + segment + jpeg.substr(2);
}

std::string png_chunk(std::string_view type, std::string_view data) {
  std::string out;
  append_number(out, data.size(), 4, true);
  out += type;
  out += data;
  append_number(out, crc32(std::string_view(out).substr(4)), 4, true);
  return out;
}

std::string png_with_exif(const std::string& png, const std::string& exif) {
  constexpr std::size_t kEndOfHeader = 8 + 25;
  return png.substr(0, kEndOfHeader) + png_chunk("eXIf", exif) + png.substr(kEndOfHeader);
}

std::string png(const PngSpec& spec, std::string_view rows) {
  std::string header;
  append_number(header, static_cast<std::uint64_t>(spec.width), 4, true);
  append_number(header, static_cast<std::uint64_t>(spec.height), 4, true);
  header += static_cast<char>(spec.depth);
  header += static_cast<char>(spec.colour);
  header += std::string(3, '\0');
  std::string stream("\x78\x01\x01", 3);
  append_number(stream, rows.size(), 2, false);
  append_number(stream, ~rows.size() & 0xffffU, 2, false);
  stream += rows;
  append_number(stream, adler32(rows), 4, true);
  return std::string("\x89PNG\r\n\x1a\n") + png_chunk("IHDR", header) + spec.before_data + png_chunk("IDAT", stream) +
         png_chunk("IEND", "");
}

std::string webp_with_exif(const std::string& webp, const std::string& exif, int width, int height) {
  std::string body("WEBPVP8X", 8);
  append_number(body, 10, 4, false);
  append_number(body, 0x08, 4, false);  // has EXIF
  append_number(body, static_cast<std::uint64_t>(width - 1), 3, false);
  append_number(body, static_cast<std::uint64_t>(height - 1), 3, false);
  body += webp.substr(12);
  body += "EXIF";
  append_number(body, exif.size(), 4, false);
  body += exif;
  if (exif.size() % 2 != 0) body += '\0';
  std::string out("RIFF", 4);
  append_number(out, body.size(), 4, false);
  return out + body;
}

std::string tiff(const TiffSpec& spec, std::string_view pixels) {
  struct Tag {
    int tag;
    int type;
    std::uint64_t count;
    std::uint64_t value;
  };
  const auto row_bytes = static_cast<std::size_t>((spec.width * spec.samples * spec.bits + 7) / 8);
  const int rows = spec.rows_per_strip == 0 ? spec.height : spec.rows_per_strip;
  const auto strips = static_cast<std::uint64_t>((spec.height + rows - 1) / rows);
  std::string lists;  // what does not fit into a tag: bits per sample, strip offsets, strip sizes
  constexpr std::size_t kHeader = 8;
  const std::size_t lists_at = kHeader + pixels.size();
  for (int i = 0; i < spec.samples; ++i) append_number(lists, static_cast<std::uint64_t>(spec.bits), 2, false);
  const std::size_t offsets_at = lists_at + lists.size();
  for (std::uint64_t i = 0; i < strips; ++i) append_number(lists, kHeader + i * rows * row_bytes, 4, false);
  const std::size_t sizes_at = lists_at + lists.size();
  for (std::uint64_t i = 0; i < strips; ++i) {
    const std::size_t start = i * static_cast<std::size_t>(rows) * row_bytes;
    append_number(lists, std::min(static_cast<std::size_t>(rows) * row_bytes, pixels.size() - start), 4, false);
  }
  if (lists.size() % 2 != 0) lists += '\0';
  const auto samples = static_cast<std::uint64_t>(spec.samples);
  std::vector<Tag> tags = {
      {256, 4, 1, static_cast<std::uint64_t>(spec.width)},
      {257, 4, 1, static_cast<std::uint64_t>(spec.height)},
      {258, 3, samples, samples <= 2 ? static_cast<std::uint64_t>(spec.bits) * (samples == 2 ? 65537 : 1) : lists_at},
      {259, 3, 1, static_cast<std::uint64_t>(spec.compression)},
      {262, 3, 1, static_cast<std::uint64_t>(spec.photometric)},
      {273, 4, strips, strips == 1 ? kHeader : offsets_at},
  };
  if (spec.orientation != 0) tags.push_back({274, 3, 1, static_cast<std::uint64_t>(spec.orientation)});
  tags.push_back({277, 3, 1, samples});
  tags.push_back({278, 4, 1, spec.rows_per_strip == 0 ? 0xffffffffU : static_cast<std::uint64_t>(rows)});
  tags.push_back({279, 4, strips, strips == 1 ? pixels.size() : sizes_at});
  if (spec.extra_samples >= 0) tags.push_back({338, 3, 1, static_cast<std::uint64_t>(spec.extra_samples)});
  std::string out("II*\0", 4);
  append_number(out, lists_at + lists.size(), 4, false);
  out += pixels;
  out += lists;
  append_number(out, tags.size(), 2, false);
  for (const Tag& tag : tags) {
    append_number(out, static_cast<std::uint64_t>(tag.tag), 2, false);
    append_number(out, static_cast<std::uint64_t>(tag.type), 2, false);
    append_number(out, tag.count, 4, false);
    append_number(out, tag.value, 4, false);
  }
  append_number(out, 0, 4, false);
  return out;
}

std::uint32_t pixel(const Image& image, int x, int y) {
  const std::uint8_t* p = image.row(y) + 3 * x;
  return std::uint32_t{p[0]} << 16 | std::uint32_t{p[1]} << 8 | p[2];
}

int largest_difference(const Image& image, const cv::Mat& expected) {
  if (image.width != expected.cols || image.height != expected.rows) return 1000;
  int largest = 0;
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      for (int c = 0; c < 3; ++c) {
        largest = std::max(largest, std::abs(image.row(y)[3 * x + c] - expected.at<cv::Vec3b>(y, x)[2 - c]));
      }
    }
  }
  return largest;
}

}  // namespace glimpse::testing
