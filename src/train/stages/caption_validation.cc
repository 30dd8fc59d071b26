#include "train/stages/caption_validation.h"

#include <string>
#include <vector>

#include "core/error.h"
#include "eval/set_run.h"
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
  options.tuning = dnn::Tuning::kDirect;  // the same scores on every run: no kernels chosen by measurement
  const Captioner captioner(Model(config, snapshot(parameters)), options);
  std::vector<std::string> captions;
  std::vector<std::vector<std::string>> references;
  // Unreadable pictures were reported when the set was first read; the score covers the others.
  for (const io::CaptionResult& made : eval::caption_set(pictures, captioner, {}).captions) {
    captions.push_back(made.caption);
    references.push_back(pictures[made.picture].captions);
  }
  if (captions.empty()) throw Error(ErrorCode::kDecode, "none of the validation pictures can be read");
  const metrics::Scores scores = metrics::score_captions(captions, references);
  return {{"BLEU-4", scores.bleu[3]}, {"CIDEr", scores.cider}};
}

}  // namespace glimpse::train
