#include "set_run.h"

#include <algorithm>
#include <future>
#include <utility>

#include "interrupt.h"
#include "locations.h"
#include "picture_reader.h"
#include "progress.h"
#include "terminal.h"

namespace glimpse::apps {
namespace {

/// The pictures from `first` on that make the next batch.
std::vector<Picture> read_batch(const train::CaptionedSet& set, std::size_t first, std::size_t count,
                                const LoadOptions& options) {
  std::vector<Picture> batch;
  const std::size_t last = std::min(first + count, set.pictures.size());
  for (std::size_t i = first; i < last; ++i) {
    Picture& picture = batch.emplace_back();
    picture.path = set.pictures[i].file.native();
    load_picture(picture, [&options](Picture& loaded) { loaded.image = load_image(loaded.path, options); });
  }
  return batch;
}

LoadOptions load_options(const Preprocess& input) {
  LoadOptions options;
  options.min_width = input.width;
  options.min_height = input.height;
  return options;
}

/// Captions those pictures of a batch that could be read and reports the others.
void add_batch(std::vector<Picture>& batch, std::size_t first, CaptionSession& session, SetCaptions& result,
               Progress& progress) {
  std::vector<Image> images;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (batch[i].error) {
      progress.clear();
      report_error(batch[i].error->what());
      ++result.failed;
    } else {
      images.push_back(std::move(batch[i].image));
      places.push_back(first + i);
    }
  }
  const std::vector<std::vector<Caption>> captions = session.caption(images);
  for (std::size_t i = 0; i < captions.size(); ++i) result.captions.push_back({places[i], captions[i].front().text});
  progress.advance(batch.size());
}

}  // namespace

SetCaptions caption_set(const train::CaptionedSet& set, const ModelOptions& options, int batch) {
  const Model model = load_model(options.model);
  const auto size = static_cast<std::size_t>(batch);
  const LoadOptions load = load_options(model.config().input);
  const auto read_ahead = [&](std::size_t first) {
    return std::async(std::launch::async, read_batch, std::cref(set), first, size, std::cref(load));
  };
  std::future<std::vector<Picture>> next = read_ahead(0);  // decodes while the model is compiled

  CaptionerOptions captioner_options;
  captioner_options.batch = batch;
  captioner_options.threads = options.threads;
  captioner_options.tuning_cache = tuning_cache();
  const Captioner captioner(model, captioner_options);
  CaptionSession session(captioner, options.caption);
  SetCaptions result;
  Progress progress(set.pictures.size(), "pictures");
  for (std::size_t first = 0; first < set.pictures.size() && !interrupted(); first += size) {
    std::vector<Picture> now = next.get();
    if (first + size < set.pictures.size()) next = read_ahead(first + size);
    add_batch(now, first, session, result, progress);
  }
  return result;
}

}  // namespace glimpse::apps
