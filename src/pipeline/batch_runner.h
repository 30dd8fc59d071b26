/// Many pictures through one model: list → read and decode → encode and search in batches → draw → deliver, side by
/// side, in bounded memory, results in the order of the list. A picture that fails is a value like any other.
///
///     const glimpse::Captioner captioner(model, {.batch = 8, .threads = 1});
///     glimpse::BatchRunner runner(captioner, {}, {.workers = 4});
///     runner.run({.next = list, .deliver = [](glimpse::BatchResult result) { … }});
#pragma once

#include <any>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include "core/error.h"
#include "image/image.h"
#include "pipeline/captioner.h"

namespace glimpse {

/// A picture to caption.
struct BatchInput {
  std::string path;                  ///< of its file, or what messages call it where `bytes` are given
  std::optional<std::string> bytes;  ///< the file's content, where it is no file of its own (a member of an archive)
  std::optional<Error> error;        ///< why there is no picture, where that is known: it is passed on
  std::any note;                     ///< the caller's own, given back with the result
};

/// What became of a picture.
struct BatchResult {
  std::string path;
  std::any note;
  int width = 0;  ///< of the upright original; 0 where it could not be read
  int height = 0;
  std::variant<std::vector<Caption>, Error> outcome;  ///< the captions, best first, at least one; or why there are none
  std::any drawn;                                     ///< what BatchHooks::draw made of it

  const std::vector<Caption>* captions() const { return std::get_if<std::vector<Caption>>(&outcome); }
  const Error* error() const { return std::get_if<Error>(&outcome); }
};

/// A captioned picture to draw on.
struct BatchPicture {
  const std::string& path;
  const std::any& note;
  const Image& picture;  ///< at full size
  const ViewTransform& transform;
  std::span<const Caption> captions;
};

/// The caller's part. What they throw ends the run, save where it says otherwise.
struct BatchHooks {
  /// The next picture, or nothing at the end. One call at a time, ahead of the others.
  std::function<std::optional<BatchInput>()> next;
  /// Whether `next` would wait for somebody else: what there is then goes on without a full batch. May be empty: never.
  std::function<bool()> waits = {};
  /// May be empty. On any thread, several at once. An Error or std::bad_alloc is this picture's failure, unless its
  /// code is kUsage or kModel, which are no picture's fault.
  std::function<std::any(const BatchPicture&)> draw = {};
  /// One call at a time, in the order of the list, for every picture that `next` gave.
  std::function<void(BatchResult)> deliver;
  /// How many pictures came before these, in a run that these continue: a picture stands at the place of its batch that
  /// its number in the whole list gives it, so that an interrupted list comes out as an uninterrupted one, bit for bit.
  std::size_t first = 0;
};

struct BatchOptions {
  int workers = 0;        ///< encoders at work at once, each on one processor thread; 0: all that the process may use
  LoadOptions load = {};  ///< limits; min_width and min_height are the model's
};

/// Where the time went, in seconds summed over threads.
struct BatchStats {
  double elapsed = 0;  ///< on the clock
  double list = 0;     ///< in `next`
  double read = 0;     ///< reading and decoding, and resizing to the model's input
  double encode = 0;
  double search = 0;
  double draw = 0;     ///< decoding at full size, and the hook
  double deliver = 0;  ///< in `deliver`
  int workers = 0;
};

class BatchRunner {
 public:
  /// `captioner` must have been compiled for one thread. Throws Error(kUsage) for options out of range and what
  /// CaptionSession throws.
  BatchRunner(const Captioner& captioner, const CaptionOptions& captions, const BatchOptions& options = {});
  ~BatchRunner();
  BatchRunner(const BatchRunner&) = delete;
  BatchRunner& operator=(const BatchRunner&) = delete;

  /// Runs until `next` is at its end or `stop` is requested, which lets everything that `next` gave be finished and
  /// delivered. Throws what hooks throw, Error(kUsage) and Error(kModel); results that were in flight are then lost.
  BatchStats run(const BatchHooks& hooks, const std::stop_token& stop = {});

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace glimpse
