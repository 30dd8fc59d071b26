/// Outputs of a run over pictures: records, drawings, scores. Each sink makes one task a picture when it is listed; the
/// task travels with the picture until it is delivered.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/error.h"
#include "decoder/caption.h"
#include "image/image.h"

namespace glimpse {

/// A picture to caption.
struct BatchInput {
  std::string path;                       ///< of its file, or what messages call it where `bytes` are given
  std::optional<std::string> bytes = {};  ///< the file's content, where it is no file of its own (in an archive)
  std::optional<Error> error = {};        ///< a failure known beforehand; it becomes the result
};

/// The result of one picture.
struct BatchResult {
  std::size_t number = 0;  ///< in the run, from 0 on
  std::string path;
  int width = 0;  ///< of the upright original; 0 where it could not be read
  int height = 0;
  double seconds = 0;  ///< that it took to read it, and to caption the batch that it was in
  std::variant<std::vector<Caption>, Error> outcome;  ///< the captions, best first, at least one; or why there are none
  std::vector<std::vector<std::string>> files;        ///< drawn of each caption, where a sink draws any

  const std::vector<Caption>* captions() const { return std::get_if<std::vector<Caption>>(&outcome); }
  const Error* error() const { return std::get_if<Error>(&outcome); }
};

/// A captioned picture to draw on.
struct BatchPicture {
  const std::string& path;
  const Image& picture;  ///< at full size
  const ViewTransform& transform;
  std::span<const Caption> captions;
};

/// One sink's work on one picture.
class PictureTask {
 public:
  virtual ~PictureTask() = default;

  /// Where the sink draws, for a picture that has captions. On any thread, several pictures at once. An Error or
  /// std::bad_alloc is this picture's failure, unless its code is kUsage or kModel, which are no picture's fault. May
  /// add to the result's files.
  virtual void draw(const BatchPicture& /*picture*/, BatchResult& /*result*/) {}

  /// One call at a time, in the order of the list, for every picture. May turn captions into an error; false leaves the
  /// picture out after all: the sinks after this one hear no more of it.
  virtual bool deliver(BatchResult& result) = 0;
};

class PictureSink {
 public:
  virtual ~PictureSink() = default;

  /// Whether its tasks draw, for which pictures are decoded at full size.
  virtual bool draws() const { return false; }

  /// Decides about the next picture of the list; may give it an error. Null leaves it out: the sinks after this one
  /// never hear of it, those before drop what they planned. One call at a time, beside `deliver` of pictures before.
  virtual std::unique_ptr<PictureTask> plan(BatchInput& input) = 0;

  /// Called once, when the last picture has been delivered; not where an error ended the run.
  virtual void finish() {}
};

/// A sink that only takes delivered results.
class DeliverySink : public PictureSink {
 public:
  std::unique_ptr<PictureTask> plan(BatchInput& input) final;

 protected:
  virtual void deliver(BatchResult& result) = 0;

 private:
  class Task;
};

/// Calls a function for every result.
class CallingSink : public DeliverySink {
 public:
  explicit CallingSink(std::function<void(BatchResult&)> deliver) : deliver_(std::move(deliver)) {}

 protected:
  void deliver(BatchResult& result) override { deliver_(result); }

 private:
  std::function<void(BatchResult&)> deliver_;
};

}  // namespace glimpse
