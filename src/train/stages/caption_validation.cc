#include "train/stages/caption_validation.h"

#include <string>
#include <vector>

#include "core/error.h"
#include "metrics/scores.h"
#include "pipeline/captioner.h"

namespace glimpse::train {
namespace {

constexpr int kBatch = 16;

}  // namespace

Measures score_captioner(const ModelConfig& config, const ParameterSet& parameters,
                         std::span<const CaptionedPicture> pictures, int threads) {
  CaptionerOptions options;
  options.batch = kBatch;
  options.threads = threads;
  options.tuning = dnn::Tuning::kDirect;  // the same scores whatever a measurement would choose
  const Captioner captioner(Model(config, snapshot(parameters)), options);
  CaptionSession session(captioner);
  LoadOptions load;
  load.min_width = config.input.width;
  load.min_height = config.input.height;

  std::vector<std::string> captions;
  std::vector<std::vector<std::string>> references;
  std::vector<Image> images;
  const auto caption_images = [&] {
    for (const std::vector<Caption>& best : session.caption(images)) captions.push_back(best.front().text);
    images.clear();
  };
  for (const CaptionedPicture& picture : pictures) {
    try {
      images.push_back(load_image(picture.file, load));
    } catch (const Error&) {
      continue;  // reported where the set was first read; a score is of the pictures that there are
    }
    references.push_back(picture.captions);
    if (images.size() == kBatch) caption_images();
  }
  if (!images.empty()) caption_images();
  if (captions.empty()) throw Error(ErrorCode::kDecode, "none of the validation pictures can be read");
  const metrics::Scores scores = metrics::score_captions(captions, references);
  return {{"BLEU-4", scores.bleu[3]}, {"CIDEr", scores.cider}};
}

}  // namespace glimpse::train
