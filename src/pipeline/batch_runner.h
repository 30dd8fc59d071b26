/// Many pictures through one model: list → read and decode → encode and search in batches → draw → deliver, side by
/// side, in bounded memory, results in the order of the list. A picture that fails is a value like any other.
///
///     const glimpse::Captioner captioner(model, {.batch = 8, .threads = 1});
///     glimpse::BatchRunner runner(captioner, {}, {.workers = 4});
///     glimpse::CallingSink print([](glimpse::BatchResult& result) { … });
///     runner.run({.next = list}, {&print});
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include "image/image.h"
#include "pipeline/captioner.h"
#include "pipeline/picture_sink.h"

namespace glimpse {

/// The source of pictures.
struct BatchList {
  /// The next picture, or nothing at the end, and soon after the token's stop is requested: the run's own, or because
  /// something ends it. One call at a time, ahead of the others. What it throws ends the run.
  std::function<std::optional<BatchInput>(const std::stop_token& stop)> next;
  /// Whether `next` would wait for somebody else: what there is then goes on without a full batch. May be empty: never.
  std::function<bool()> waits = {};
  /// How many pictures came before these, in a run that these continue: a picture stands at the place of its batch that
  /// its number in the whole list gives it, so that an interrupted list comes out as an uninterrupted one, bit for bit.
  std::size_t first = 0;
};

struct BatchOptions {
  int workers = 0;        ///< sessions at work at once; 0: one for each processor thread that the process may use
  LoadOptions load = {};  ///< limits; min_width and min_height are the model's
};

/// Time a stage, in seconds summed over threads.
struct BatchStats {
  double elapsed = 0;  ///< on the clock
  double list = 0;     ///< in `next` and planning
  double read = 0;     ///< reading and decoding, and resizing to the model's input
  double encode = 0;
  double search = 0;
  double draw = 0;  ///< decoding at full size, and drawing
  double deliver = 0;
  int workers = 0;
};

class BatchRunner {
 public:
  /// One worker on all threads of `captioner`, or several of a captioner of one thread. Throws Error(kUsage) for
  /// options out of range, for several workers of several threads each, which would crowd each other out, and what
  /// CaptionSession throws.
  BatchRunner(const Captioner& captioner, const CaptionOptions& captions, const BatchOptions& options = {});
  ~BatchRunner();
  BatchRunner(const BatchRunner&) = delete;
  BatchRunner& operator=(const BatchRunner&) = delete;

  /// Runs until `next` is at its end or `stop` is requested, which lets everything that `next` gave be finished and
  /// delivered, to each of `sinks` in turn. Encodes and searches on the calling thread and on others; all else happens
  /// on others. Throws what the list and the sinks throw, Error(kUsage), also for a list without `next`, and
  /// Error(kModel); results that were in flight are then lost.
  BatchStats run(const BatchList& list, const std::vector<PictureSink*>& sinks, const std::stop_token& stop = {});

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace glimpse
