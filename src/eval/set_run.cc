#include "eval/set_run.h"

#include <optional>

#include "image/image.h"
#include "pipeline/batch_runner.h"

namespace glimpse::eval {
namespace {

/// The rectangle of a picture of this size that each cell covers.
std::vector<Rect> cells_of(const ModelConfig& config, int width, int height) {
  const ViewTransform transform = view_transform(config.input, width, height);
  std::vector<Rect> cells;
  for (int cell = 0; cell < config.grid().cells(); ++cell) {
    cells.push_back(transform.cells_to_source(cell / config.cols, cell % config.cols, 1, 1, config.rows, config.cols));
  }
  return cells;
}

}  // namespace

SetCaptions caption_set(std::span<const train::CaptionedPicture> pictures, const Captioner& captioner,
                        const CaptionOptions& options, const SetEvents& events, const std::stop_token& stop,
                        const CaptionListener& listener) {
  SetCaptions made;
  const auto deliver = [&](const BatchResult& result) {
    if (const Error* error = result.error()) {
      ++made.failed;
      if (events.failed) events.failed(*error);
    } else {
      const Caption& best = result.captions()->front();
      made.captions.push_back({result.number, best.text});
      if (listener) listener(made.captions.back(), best, cells_of(captioner.config(), result.width, result.height));
    }
    if (events.advanced) events.advanced();
  };
  std::size_t next = 0;
  BatchList list;
  list.next = [&](const std::stop_token& /*stop*/) -> std::optional<BatchInput> {
    if (next == pictures.size()) return std::nullopt;
    return BatchInput{.path = pictures[next++].file.native()};
  };
  CallingSink sink(deliver);
  BatchRunner(captioner, options, {.workers = 1}).run(list, {&sink}, stop);
  return made;
}

}  // namespace glimpse::eval
