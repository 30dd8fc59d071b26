#include "eval/speeds.h"

#include <algorithm>
#include <chrono>

#include "core/error.h"
#include "image/image.h"

namespace glimpse::eval {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPictures = 64;  ///< that speeds are measured on
constexpr int kRounds = 9;

/// A model that speeds are measured of.
class Contestant {
 public:
  Contestant(const fs::path& model, const std::vector<Image>& images, const CaptionerOptions& captioner,
             const CaptionOptions& options)
      : captioner_(Model::load(model), captioner), session_(captioner_, options) {
    for (const Image& image : images) pictures_.push_back(captioner_.prepare(image));
  }

  void run(bool counts) {
    const auto begin = std::chrono::steady_clock::now();
    const auto batch = static_cast<std::size_t>(captioner_.batch());
    for (std::size_t first = 0; first < pictures_.size(); first += batch) {
      std::vector<const PreparedPicture*> places;
      for (std::size_t i = first; i < std::min(first + batch, pictures_.size()); ++i) places.push_back(&pictures_[i]);
      session_.caption(places);
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    if (counts) rates_.push_back(static_cast<double>(pictures_.size()) / seconds.count());
  }

  double median() {
    if (rates_.empty()) return 0;
    std::ranges::sort(rates_);
    return rates_[rates_.size() / 2];
  }

 private:
  Captioner captioner_;
  CaptionSession session_;
  std::vector<PreparedPicture> pictures_;
  std::vector<double> rates_;
};

std::vector<Image> first_images(const train::CaptionedSet& set) {
  std::vector<Image> images;
  for (const train::CaptionedPicture& picture : set.pictures) {
    if (images.size() == kPictures) break;
    try {
      images.push_back(load_image(picture.file));
    } catch (const Error&) {
      continue;  // reported where it was to be captioned
    }
  }
  return images;
}

}  // namespace

std::vector<double> measure_speeds(const std::vector<fs::path>& models, const train::CaptionedSet& set,
                                   const CaptionerOptions& captioner, const CaptionOptions& options,
                                   const std::stop_token& stop) {
  const std::vector<Image> images = first_images(set);
  std::vector<Contestant> contestants;
  contestants.reserve(models.size());
  for (const fs::path& model : models) contestants.emplace_back(model, images, captioner, options);
  for (int round = -1; round < kRounds && !stop.stop_requested(); ++round) {
    for (Contestant& contestant : contestants) contestant.run(round >= 0);
  }
  std::vector<double> speeds;
  speeds.reserve(contestants.size());
  for (Contestant& contestant : contestants) speeds.push_back(contestant.median());
  return speeds;
}

}  // namespace glimpse::eval
