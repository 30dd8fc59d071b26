#include "set_run.h"

#include <algorithm>
#include <future>
#include <utility>

#include "cli/interrupt.h"
#include "cli/locations.h"
#include "cli/progress.h"
#include "cli/terminal.h"
#include "picture_reader.h"

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

/// What each cell of the model's map sees of a picture.
std::vector<Rect> cells_of(const ModelConfig& config, const Image& image) {
  const ViewTransform transform = view_transform(config.input, image.source_width, image.source_height);
  std::vector<Rect> cells;
  for (int cell = 0; cell < config.grid().cells(); ++cell) {
    cells.push_back(transform.cells_to_source(cell / config.cols, cell % config.cols, 1, 1, config.rows, config.cols));
  }
  return cells;
}

/// Captions batch after batch.
class SetRun {
 public:
  SetRun(const Captioner& captioner, const CaptionOptions& options, const CaptionListener& listener,
         std::size_t pictures)
      : config_(captioner.config()),
        listener_(listener),
        session_(captioner, options),
        progress_(pictures, "pictures") {}

  /// Captions those pictures of a batch that could be read and reports the others. `first` of the set's is its first.
  void add(std::vector<Picture>& batch, std::size_t first) {
    std::vector<Image> images;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      if (batch[i].error) {
        progress_.clear();
        report_error(batch[i].error->what());
        ++result_.failed;
      } else {
        images.push_back(std::move(batch[i].image));
        places.push_back(first + i);
      }
    }
    const std::vector<std::vector<Caption>> captions = session_.caption(images);
    for (std::size_t i = 0; i < captions.size(); ++i) {
      const Caption& best = captions[i].front();
      result_.captions.push_back({places[i], best.text});
      if (listener_) listener_(result_.captions.back(), best, cells_of(config_, images[i]));
    }
    progress_.advance(batch.size());
  }

  SetCaptions take() { return std::move(result_); }

 private:
  const ModelConfig& config_;
  const CaptionListener& listener_;
  CaptionSession session_;
  SetCaptions result_;
  Progress progress_;
};

}  // namespace

SetCaptions caption_set(const train::CaptionedSet& set, const ModelOptions& options, int batch,
                        const CaptionListener& listener) {
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
  SetRun run(captioner, options.caption, listener, set.pictures.size());
  for (std::size_t first = 0; first < set.pictures.size() && !interrupted(); first += size) {
    std::vector<Picture> now = next.get();
    if (first + size < set.pictures.size()) next = read_ahead(first + size);
    run.add(now, first);
  }
  return run.take();
}

}  // namespace glimpse::apps
