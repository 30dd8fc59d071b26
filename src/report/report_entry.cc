#include "report/report_entry.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "core/json.h"
#include "core/numbers.h"
#include "image/pixels.h"

namespace glimpse {
namespace {

/// Four decimals, which is what people read off; JSON's null for what is no number.
Json number(double value) { return std::isfinite(value) ? Json(rounded(value, 4)) : Json(); }

std::string dump(const Json& json) { return json.dump({.ascii = true, .lenient = true}); }

/// An object without its braces.
std::string members(const Json& json) {
  const std::string text = dump(json);
  return text.substr(1, text.size() - 2);
}

Json word_to_json(const Glimpse& glimpse, std::size_t cells) {
  if (glimpse.alpha.size() != cells) {
    throw Error(ErrorCode::kInternal, "attention of " + std::to_string(glimpse.alpha.size()) + " cells where " +
                                          std::to_string(cells) + " are expected");
  }
  const QuantisedMap map = quantise(glimpse.alpha);
  return {{"word", glimpse.word},
          {"logProb", number(glimpse.log_prob)},
          {"beta", number(glimpse.beta)},
          {"peak", map.peak},
          {"map", to_base64(map.values)}};
}

Json caption_to_json(const Caption& caption, std::size_t cells) {
  Json words = Json::list();
  for (const Glimpse& glimpse : caption.glimpses) words.push_back(word_to_json(glimpse, cells));
  return {{"text", caption.text},
          {"logProb", number(caption.log_prob)},
          {"confidence", number(confidence(caption))},
          {"words", std::move(words)}};
}

/// `pixels` with sides of at most `longest`.
cv::Mat within(const cv::Mat& pixels, int longest) {
  const double scale = double(longest) / std::max(pixels.cols, pixels.rows);
  if (scale >= 1) return pixels;
  return codec::resize(pixels, {std::max(1, cvRound(pixels.cols * scale)), std::max(1, cvRound(pixels.rows * scale))});
}

std::string to_jpeg(const cv::Mat& pixels) {
  constexpr int kQuality = 84;
  cv::Mat blue_first;
  cv::cvtColor(pixels, blue_first, cv::COLOR_RGB2BGR);
  std::vector<unsigned char> bytes;
  cv::imencode(".jpg", blue_first, bytes, {cv::IMWRITE_JPEG_QUALITY, kQuality});
  return {bytes.begin(), bytes.end()};
}

}  // namespace

QuantisedMap quantise(std::span<const float> alpha) {
  constexpr double kSteps = 255;
  const auto valid = [](float value) { return std::isfinite(value) && value > 0 ? double(value) : 0.0; };
  QuantisedMap map;
  for (const float value : alpha) map.peak = std::max(map.peak, valid(value));
  map.values.reserve(alpha.size());
  for (const float value : alpha) {
    const double share = map.peak > 0 ? valid(value) / map.peak : 0;
    map.values += static_cast<char>(static_cast<std::uint8_t>(std::lround(share * kSteps)));
  }
  return map;
}

std::string to_base64(std::string_view bytes) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(bytes.size() - i, 3);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) group = group << 8 | (k < count ? static_cast<std::uint8_t>(bytes[i + k]) : 0);
    for (std::size_t k = 0; k < 4; ++k) text += k <= count ? kDigits[group >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

std::string report_summary(const ViewTransform& transform, const Caption& best, bool has_thumb) {
  return members({{"caption", best.text},
                  {"confidence", number(confidence(best))},
                  {"width", transform.source_width},
                  {"height", transform.source_height},
                  {"thumb", has_thumb}});
}

std::string report_summary(const Error& error) {
  return members({{"error", {{"code", to_string(error.code())}, {"message", error.what()}}}});
}

std::string report_details(const ViewTransform& transform, std::span<const Caption> captions, int rows, int cols) {
  const std::size_t cells = static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols);
  Json all = Json::list();
  for (const Caption& caption : captions) all.push_back(caption_to_json(caption, cells));
  const Json details = {
      {"rows", rows},
      {"cols", cols},
      {"frame", Json::list({transform.offset_x / transform.source_width, transform.offset_y / transform.source_height,
                            transform.scale_x * transform.input_width / transform.source_width,
                            transform.scale_y * transform.input_height / transform.source_height})},
      {"captions", std::move(all)}};
  return dump(details);
}

double confidence(const Caption& caption) {
  double sum = 0;
  for (const Glimpse& glimpse : caption.glimpses) sum += glimpse.log_prob;
  return std::exp(sum / static_cast<double>(caption.glimpses.size()));
}

ReportPictures report_pictures(const Image& picture) {
  constexpr int kPictureSide = 1280;
  constexpr int kThumbSide = 480;
  constexpr double kHardlyLarger = 1.4;
  try {
    ReportPictures jpegs;
    const cv::Mat pixels = within(codec::view(picture), kPictureSide);
    jpegs.picture = to_jpeg(pixels);
    if (std::max(pixels.cols, pixels.rows) > kHardlyLarger * kThumbSide) {
      jpegs.thumb = to_jpeg(within(pixels, kThumbSide));
    }
    return jpegs;
  } catch (const cv::Exception& error) {
    throw Error(ErrorCode::kInternal, "cannot encode a picture for the report: OpenCV: " + error.err);
  }
}

}  // namespace glimpse
