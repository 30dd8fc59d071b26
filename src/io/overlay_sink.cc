#include "io/overlay_sink.h"

#include <utility>
#include <vector>

namespace glimpse::io {

namespace fs = std::filesystem;

class OverlaySink::Task : public PictureTask {
 public:
  /// `stems`: what the names of the captions' files begin with.
  Task(const OverlaySink& sink, std::vector<fs::path> stems, bool first)
      : sink_(sink), stems_(std::move(stems)), first_(first) {}

  void draw(const BatchPicture& picture, BatchResult& result) override {
    const OverlaySinkOptions& options = sink_.options_;
    for (std::size_t i = 0; i < picture.captions.size(); ++i) {
      std::vector<std::string>& files = result.files.emplace_back();
      for (const Overlay& overlay : draw_overlays(picture.picture, picture.captions[i], options.rows, options.cols,
                                                  picture.transform, sink_.overlay_)) {
        const fs::path file = stems_[i].native() + overlay.suffix;
        if (!options.existing.replace && !options.existing.resume && is_there(file)) {
          throw Error(exists_already(file, options.existing, first_, options.sidecars));
        }
        files.push_back(write_overlay(overlay, stems_[i]).native());
      }
    }
  }

  bool deliver(BatchResult& /*result*/) override { return true; }

 private:
  const OverlaySink& sink_;
  std::vector<fs::path> stems_;
  bool first_;
};

std::unique_ptr<PictureTask> OverlaySink::plan(BatchInput& input) {
  std::vector<fs::path> stems;
  for (int i = 0; i < options_.captions; ++i) stems.push_back(names_.next(input.path));
  return std::make_unique<Task>(*this, std::move(stems), planned_++ == 0);
}

void OverlaySink::pass(const std::string& path) {
  for (int i = 0; i < options_.captions; ++i) names_.next(path);
}

}  // namespace glimpse::io
