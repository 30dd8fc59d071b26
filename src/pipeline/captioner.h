/// One call from pictures to captions: the API for programs that link glimpse.
///
///     const glimpse::Captioner captioner(glimpse::Model::load("glimpse-base.safetensors"));
///     glimpse::CaptionSession session(captioner);
///     const std::vector<glimpse::Caption> best = session.caption(glimpse::load_image("photo.jpg"));
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "decoder/caption.h"
#include "decoder/vocabulary.h"
#include "dnn/plan/plan.h"
#include "image/image.h"
#include "model/model.h"
#include "pipeline/region.h"
#include "search/search.h"

namespace glimpse {

struct CaptionerOptions {
  int batch = 1;  ///< pictures that go through the encoder at once
  /// For one session; 0: all that the process may use, which suits one session at a time. Sessions that run side by
  /// side share the processors: give 1 thread each.
  int threads = 0;
  /// Unset: measured where there is a `tuning_cache` to remember it, or every process would measure anew; else
  /// kWinograd, so that nothing is timed and two processes never differ.
  std::optional<dnn::Tuning> tuning;
  std::filesystem::path tuning_cache;  ///< see dnn::PlanOptions

  dnn::Tuning kernels() const;  ///< what `tuning` comes to
};

/// What to search for, in words; ids are looked up in the model's vocabulary.
struct CaptionOptions {
  search::SearchOptions search;        ///< its required, forbidden and prefix ids are filled in from the words below
  std::vector<std::string> required;   ///< texts, each of one word or more
  std::vector<std::string> forbidden;  ///< likewise
  std::string prefix;                  ///< a text that every caption begins with
  Region region;  ///< what the model looks at of every picture; unless set all of it, but no padding
  /// Of models with hard attention: cells are drawn, not the best taken. The same seed gives a picture the same
  /// captions, whatever the threads and the pictures beside it.
  std::optional<std::uint64_t> hard_seed;
};

/// A picture in the encoder's own layout.
struct PreparedPicture {
  std::vector<float> input;  ///< [3, height, width] of the model's input, normalised
  ViewTransform transform;   ///< back to the source's pixels
};

/// Seconds that captioning took.
struct CaptionTimes {
  double encode = 0;
  double search = 0;  ///< with the decoder's steps
};

/// The model, compiled. Const; copies share everything.
class Captioner {
 public:
  struct Impl;
  /// Throws Error(kModel) where the parts of the model do not fit together, Error(kUsage) for options out of range.
  explicit Captioner(const Model& model, const CaptionerOptions& options = {});

  const ModelConfig& config() const;
  const Vocabulary& vocabulary() const;
  const dnn::Plan& encoder() const;
  int batch() const;
  int threads() const;  ///< of one session

  /// Resizes and normalises; from any thread. Throws Error(kUsage) for a picture without pixels.
  PreparedPicture prepare(const Image& image) const;

 private:
  friend class CaptionSession;
  std::shared_ptr<const Impl> impl_;
};

/// All that changes while captioning; one per worker thread. Throws Error(kUsage) on construction for unknown words,
/// bad values, and a hard_seed that the model has no use for.
class CaptionSession {
 public:
  explicit CaptionSession(const Captioner& captioner, const CaptionOptions& options = {});
  ~CaptionSession();
  CaptionSession(CaptionSession&&) noexcept;
  CaptionSession& operator=(CaptionSession&&) noexcept;

  /// The best captions of one picture, best first, at least one, at most `search.top`. All overloads throw
  /// Error(kUsage) for a picture without pixels, and if the region does not intersect a picture.
  std::vector<Caption> caption(const Image& image);
  /// The same for any number of pictures, in batches of `Captioner::batch()`; results in the order of the list. Each
  /// picture gets what it would get alone.
  std::vector<std::vector<Caption>> caption(std::span<const Image> images);
  /// The same for prepared pictures at given places of the batch; null: nothing stands there, and no captions come
  /// back. What a picture gets depends on its place, in the last bits that floating point leaves open, but not on
  /// what stands at the others: the same picture at the same place gets the same to the last bit. Throws Error(kUsage)
  /// for more than `Captioner::batch()` places and for a picture that was prepared for another input.
  std::vector<std::vector<Caption>> caption(std::span<const PreparedPicture* const> places);

  /// Adds what every later batch takes to `times`; null: measures no longer.
  void measure(CaptionTimes* times);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace glimpse
