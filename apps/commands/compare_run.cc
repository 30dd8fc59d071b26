#include "commands/compare_run.h"

#include <algorithm>

#include "cli/interrupt.h"
#include "cli/locations.h"
#include "core/file.h"
#include "image/image.h"

namespace glimpse::apps {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPictures = 64;  ///< that speeds are measured on
constexpr int kRounds = 9;

/// A model that speeds are measured of.
class Contestant {
 public:
  Contestant(const fs::path& model, const std::vector<Image>& images, const ModelOptions& options,
             const CaptionerOptions& captioner)
      : captioner_(Model::load(model), captioner), session_(captioner_, options.caption) {
    for (const Image& image : images) pictures_.push_back(captioner_.prepare(image));
  }

  void run(bool counts) {
    const Stopwatch watch;
    const auto batch = static_cast<std::size_t>(captioner_.batch());
    for (std::size_t first = 0; first < pictures_.size(); first += batch) {
      std::vector<const PreparedPicture*> places;
      for (std::size_t i = first; i < std::min(first + batch, pictures_.size()); ++i) places.push_back(&pictures_[i]);
      session_.caption(places);
    }
    if (counts) rates_.push_back(1000 * static_cast<double>(pictures_.size()) / watch.milliseconds());
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

/// Refuses to go on with a training by another recipe. Threads are no part of what is learnt.
void check_same_recipe(const fs::path& file, const train::Recipe& recipe) {
  train::Recipe before = train::read_recipe(file);
  before.threads = recipe.threads;
  if (train::to_text(before) == train::to_text(recipe)) return;
  throw Error(ErrorCode::kUsage, quote(recipe.output.native() + ".training") + " was begun by another recipe, " +
                                     quote(file.native()) + "; --overwrite begins anew");
}

}  // namespace

void train_variant(const train::Recipe& recipe, train::Trainer::Start start, train::Observer& observer) {
  using Start = train::Trainer::Start;
  fs::path file = recipe.output;
  file.replace_extension(".conf");
  train::Recipe here = recipe;
  here.folder = file.parent_path();
  train::Trainer trainer = blame_recipe([&] { return train::Trainer(here, observer); });
  const bool begun = fs::exists(trainer.folder() / "journal.jsonl");
  if (start == Start::kGoOn && begun) check_same_recipe(file, here);
  if (start == Start::kGoOn && !begun) start = Start::kAnew;
  if (start == Start::kOver || !begun) {
    write_atomically(file, [&](std::ostream& out) { out << train::to_text(here); });
  }
  trainer.run(start);
}

std::vector<double> measure_speeds(const std::vector<fs::path>& models, const train::CaptionedSet& set,
                                   const ModelOptions& options, int batch) {
  const std::vector<Image> images = first_images(set);
  CaptionerOptions captioner;
  captioner.batch = batch;
  captioner.threads = options.threads;
  captioner.tuning_cache = tuning_cache();
  std::vector<Contestant> contestants;
  contestants.reserve(models.size());
  for (const fs::path& model : models) contestants.emplace_back(model, images, options, captioner);
  for (int round = -1; round < kRounds && !interrupted(); ++round) {
    for (Contestant& contestant : contestants) contestant.run(round >= 0);
  }
  std::vector<double> speeds;
  speeds.reserve(contestants.size());
  for (Contestant& contestant : contestants) speeds.push_back(contestant.median());
  return speeds;
}

std::int64_t count_parameters(const fs::path& model) {
  const Model loaded = Model::load(model);
  std::int64_t count = 0;
  for (const auto& [name, tensor] : loaded.weights().tensors()) count += tensor.count();
  return count;
}

}  // namespace glimpse::apps
