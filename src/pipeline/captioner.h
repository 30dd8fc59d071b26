/// One call from pictures to captions: the API for programs that link glimpse.
///
///     const glimpse::Captioner captioner(glimpse::Model::load("glimpse-seed.safetensors"));
///     glimpse::CaptionSession session(captioner);
///     const std::vector<glimpse::Caption> best = session.caption(glimpse::load_image("photo.jpg"));
#pragma once

#include <memory>
#include <span>
#include <variant>
#include <vector>

#include "core/error.h"
#include "decoder/caption.h"
#include "decoder/vocabulary.h"
#include "dnn/plan.h"
#include "image/image.h"
#include "model/model.h"
#include "search/search.h"

namespace glimpse {

struct CaptionerOptions {
  int threads = 0;  ///< 0: all that the process may use
  dnn::Tuning tuning = dnn::Tuning::kMeasure;
  std::filesystem::path tuning_cache;  ///< see dnn::PlanOptions
};

/// What search needs from a user, in words; ids are looked up in the model's vocabulary.
struct CaptionOptions {
  search::SearchOptions search;
  std::vector<std::string> required;
  std::vector<std::string> forbidden;
  std::string prefix;
};

/// Const: the model compiled. Shared by sessions.
class Captioner {
 public:
  struct Impl;
  /// Throws Error(kModel) where the parts of the model do not fit together.
  explicit Captioner(Model model, const CaptionerOptions& options = {});

  const ModelConfig& config() const;
  const Vocabulary& vocabulary() const;
  /// Options in ids, checked; throws Error(kUsage) naming the unknown word or the bad value.
  search::SearchOptions resolve(const CaptionOptions& options) const;

 private:
  friend class CaptionSession;
  std::shared_ptr<const Impl> impl_;
};

/// All that changes while captioning, for batches of at most `batch` pictures; one per worker thread.
class CaptionSession {
 public:
  explicit CaptionSession(Captioner captioner, const CaptionOptions& options = {}, int batch = 1);
  ~CaptionSession();

  /// The best captions of one picture, best first, at most `search.top`.
  std::vector<Caption> caption(const Image& image);
  /// The same for up to `batch` pictures at once; the results are those of one at a time.
  std::vector<std::vector<Caption>> caption(std::span<const Image> images);
  int batch() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace glimpse
