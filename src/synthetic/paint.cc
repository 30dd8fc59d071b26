#include "synthetic/paint.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <opencv2/imgproc.hpp>
#include <string>

#include "core/error.h"

namespace glimpse::scenes {
namespace {

constexpr int kLeastSide = 16;
constexpr int kMostSide = 4096;
/// Shapes are drawn this many times larger and then shrunk, which makes their edges smooth.
constexpr int kFiner = 4;

using Outline = std::vector<cv::Point2d>;

/// A thing's own plane: its centre is the origin, its radius 1, y downwards.
class Stencil {
 public:
  Stencil(const Thing& thing, int side)
      : thing_(thing), side_(side * kFiner), mask_(side_, side_, CV_8UC1, cv::Scalar(0)) {}

  Stencil& polygon(const Outline& outline, bool fill = true) {
    constexpr int kFraction = 4;  // bits
    std::vector<cv::Point> points;
    for (const cv::Point2d& point : outline) {
      const cv::Point2d place = where(point) * (1 << kFraction);
      points.emplace_back(cvRound(place.x), cvRound(place.y));
    }
    cv::fillPoly(mask_, std::vector<std::vector<cv::Point>>{points}, value(fill), cv::LINE_8, kFraction);
    return *this;
  }

  Stencil& circle(cv::Point2d centre, double radius, bool fill = true) {
    constexpr int kCorners = 72;
    Outline outline;
    for (int i = 0; i < kCorners; ++i) {
      const double angle = 2 * std::numbers::pi * i / kCorners;
      outline.push_back(centre + radius * cv::Point2d(std::cos(angle), std::sin(angle)));
    }
    return polygon(outline, fill);
  }

  Stencil& box(double left, double top, double right, double bottom, bool fill = true) {
    return polygon({{left, top}, {right, top}, {right, bottom}, {left, bottom}}, fill);
  }

  /// How much of each pixel is covered, 0..255, [side, side].
  cv::Mat cover() const {
    cv::Mat cover;
    cv::resize(mask_, cover, {side_ / kFiner, side_ / kFiner}, 0, 0, cv::INTER_AREA);
    return cover;
  }

 private:
  static cv::Scalar value(bool fill) { return cv::Scalar(fill ? 255 : 0); }

  cv::Point2d where(cv::Point2d point) const {
    const double c = std::cos(thing_.turn);
    const double s = std::sin(thing_.turn);
    const cv::Point2d turned(c * point.x - s * point.y, s * point.x + c * point.y);
    return (cv::Point2d(thing_.x, thing_.y) + thing_.radius * turned) * side_;
  }

  const Thing& thing_;
  int side_;
  cv::Mat mask_;
};

Outline star_outline() {
  Outline outline;
  for (int i = 0; i < 10; ++i) {
    const double angle = std::numbers::pi * (i / 5.0 - 0.5);
    outline.push_back((i % 2 == 0 ? 1.0 : 0.42) * cv::Point2d(std::cos(angle), std::sin(angle)));
  }
  return outline;
}

void draw_flower(Stencil& stencil) {
  for (int i = 0; i < 6; ++i) {
    const double angle = std::numbers::pi * i / 3;
    stencil.circle(0.62 * cv::Point2d(std::cos(angle), std::sin(angle)), 0.36);
  }
  stencil.circle({0, 0}, 0.4).circle({0, 0}, 0.2, false);
}

void draw(Shape shape, Stencil& stencil) {
  switch (shape) {
    case Shape::kCircle:
      stencil.circle({0, 0}, 1);
      return;
    case Shape::kSquare:
      stencil.box(-0.82, -0.82, 0.82, 0.82);
      return;
    case Shape::kTriangle:
      stencil.polygon({{0, -1}, {0.95, 0.75}, {-0.95, 0.75}});
      return;
    case Shape::kStar:
      stencil.polygon(star_outline());
      return;
    case Shape::kCross:
      stencil.box(-0.3, -0.95, 0.3, 0.95).box(-0.95, -0.3, 0.95, 0.3);
      return;
    case Shape::kRing:
      stencil.circle({0, 0}, 1).circle({0, 0}, 0.6, false);
      return;
    case Shape::kHeart:
      stencil.circle({-0.44, -0.36}, 0.48).circle({0.44, -0.36}, 0.48);
      stencil.polygon({{-0.86, -0.12}, {0, -0.4}, {0.86, -0.12}, {0, 0.95}});
      return;
    case Shape::kHouse:
      stencil.polygon({{0, -0.98}, {0.95, -0.2}, {-0.95, -0.2}})
          .box(-0.7, -0.22, 0.7, 0.85)
          .box(-0.18, 0.3, 0.18, 0.86, false);
      return;
    case Shape::kTree:
      stencil.polygon({{0, -1}, {0.62, -0.1}, {-0.62, -0.1}})
          .polygon({{0, -0.55}, {0.8, 0.55}, {-0.8, 0.55}})
          .box(-0.14, 0.5, 0.14, 0.98);
      return;
    case Shape::kBoat:
      stencil.polygon({{-0.95, 0.35}, {0.95, 0.35}, {0.55, 0.85}, {-0.55, 0.85}});
      stencil.polygon({{-0.06, -0.95}, {0.68, 0.2}, {-0.06, 0.2}}).polygon({{-0.2, -0.6}, {-0.2, 0.2}, {-0.7, 0.2}});
      return;
    case Shape::kFish:
      for (int i = 0; i < 5; ++i) stencil.circle({-0.55 + 0.2 * i, 0}, 0.44 - 0.05 * std::abs(i - 2));
      stencil.polygon({{0.25, 0}, {0.95, -0.5}, {0.95, 0.5}}).circle({-0.55, -0.12}, 0.09, false);
      return;
    case Shape::kFlower:
      draw_flower(stencil);
      return;
  }
}

void paint_background(const Background& background, cv::Mat& picture) {
  Random random(background.seed);
  for (int y = 0; y < picture.rows; ++y) {
    const double share = picture.rows == 1 ? 0 : static_cast<double>(y) / (picture.rows - 1);
    for (int x = 0; x < picture.cols; ++x) {
      const double noise = background.grain * random.normal();
      auto& pixel = picture.at<cv::Vec3b>(y, x);
      for (int c = 0; c < 3; ++c) {
        const auto i = static_cast<std::size_t>(c);
        pixel[c] =
            cv::saturate_cast<std::uint8_t>((1 - share) * background.top[i] + share * background.bottom[i] + noise);
      }
    }
  }
}

/// Paints it with a light from above, and says where it is seen.
Rect paint_thing(const Thing& thing, cv::Mat& picture) {
  Stencil stencil(thing, picture.rows);
  draw(thing.shape, stencil);
  const cv::Mat cover = stencil.cover();
  const std::array<int, 3> colour = rgb(thing.colour);
  for (int y = 0; y < picture.rows; ++y) {
    const double light = -14 * ((y + 0.5) / picture.rows - thing.y) / thing.radius;
    for (int x = 0; x < picture.cols; ++x) {
      const double share = cover.at<std::uint8_t>(y, x) / 255.0;
      if (share == 0) continue;
      auto& pixel = picture.at<cv::Vec3b>(y, x);
      for (int c = 0; c < 3; ++c) {
        const double here = std::clamp(colour[static_cast<std::size_t>(c)] + light, 0.0, 255.0);
        pixel[c] = cv::saturate_cast<std::uint8_t>((1 - share) * pixel[c] + share * here);
      }
    }
  }
  const cv::Rect box = cv::boundingRect(cover);
  return {static_cast<double>(box.x), static_cast<double>(box.y), static_cast<double>(box.width),
          static_cast<double>(box.height)};
}

}  // namespace

PaintedScene paint(const Scene& scene, int side) {
  if (side < kLeastSide || side > kMostSide) {
    throw Error(ErrorCode::kUsage, "scenes of " + std::to_string(side) + " pixels; give " + std::to_string(kLeastSide) +
                                       " to " + std::to_string(kMostSide));
  }
  PaintedScene painted;
  painted.image = Image(side, side);
  cv::Mat picture(side, side, CV_8UC3, painted.image.pixels.data());
  paint_background(scene.background, picture);
  for (const Thing& thing : scene.things) painted.boxes.push_back(paint_thing(thing, picture));
  return painted;
}

}  // namespace glimpse::scenes
