#include "eval/set_run.h"

#include <algorithm>
#include <future>
#include <new>
#include <optional>
#include <utility>

#include "image/image.h"

namespace glimpse::eval {
namespace {

/// A picture as it came off the disk, or why it did not.
struct Picture {
  Image image;
  std::optional<Error> error;
};

/// The pictures from `first` on that make the next batch.
std::vector<Picture> read_batch(const train::CaptionedSet& set, std::size_t first, std::size_t count,
                                const LoadOptions& options) {
  std::vector<Picture> batch;
  const std::size_t last = std::min(first + count, set.pictures.size());
  for (std::size_t i = first; i < last; ++i) {
    Picture& picture = batch.emplace_back();
    try {
      picture.image = load_image(set.pictures[i].file, options);
    } catch (const Error& error) {
      picture.error = error;
    } catch (const std::bad_alloc&) {
      picture.error =
          Error(ErrorCode::kTooLarge, "not enough memory to decode " + quote(set.pictures[i].file.native()));
    }
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
  SetRun(const Captioner& captioner, const CaptionOptions& options, const SetEvents& events,
         const CaptionListener& listener)
      : config_(captioner.config()), events_(events), listener_(listener), session_(captioner, options) {}

  /// Captions those pictures of a batch that could be read and reports the others. `first` of the set's is its first.
  void add(std::vector<Picture>& batch, std::size_t first) {
    std::vector<Image> images;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      if (batch[i].error) {
        if (events_.failed) events_.failed(*batch[i].error);
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
    if (events_.advanced) events_.advanced(batch.size());
  }

  SetCaptions take() { return std::move(result_); }

 private:
  const ModelConfig& config_;
  const SetEvents& events_;
  const CaptionListener& listener_;
  CaptionSession session_;
  SetCaptions result_;
};

}  // namespace

SetCaptions caption_set(const train::CaptionedSet& set, const Captioner& captioner, const CaptionOptions& options,
                        const SetEvents& events, const std::stop_token& stop, const CaptionListener& listener) {
  const auto size = static_cast<std::size_t>(captioner.batch());
  const LoadOptions load = load_options(captioner.config().input);
  const auto read_ahead = [&](std::size_t first) {
    return std::async(std::launch::async, read_batch, std::cref(set), first, size, std::cref(load));
  };
  SetRun run(captioner, options, events, listener);
  std::future<std::vector<Picture>> next = read_ahead(0);
  for (std::size_t first = 0; first < set.pictures.size() && !stop.stop_requested(); first += size) {
    std::vector<Picture> now = next.get();
    if (first + size < set.pictures.size()) next = read_ahead(first + size);
    run.add(now, first);
  }
  return run.take();
}

}  // namespace glimpse::eval
