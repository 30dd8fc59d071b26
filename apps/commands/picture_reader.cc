#include "commands/picture_reader.h"

#include <new>
#include <span>
#include <utility>

#include "cli/stopwatch.h"
#include "core/file.h"

namespace glimpse::apps {

void load_picture(Picture& picture, const std::function<void(Picture&)>& load) {
  const Stopwatch watch;
  try {
    load(picture);
  } catch (const Error& error) {
    picture.error = error;
  } catch (const std::bad_alloc&) {
    picture.error = Error(ErrorCode::kTooLarge, "not enough memory to decode " + quote(picture.path));
  }
  picture.milliseconds = watch.milliseconds();
}

PictureReader::PictureReader(io::Inputs inputs, const Preprocess& preprocess, bool keep_full_size)
    : inputs_(std::move(inputs)), keep_full_size_(keep_full_size) {
  scaled_.min_width = preprocess.width;
  scaled_.min_height = preprocess.height;
  ahead_ = std::async(std::launch::async, [this] { return read(); });
}

PictureReader::~PictureReader() {
  stop_.request_stop();
  if (ahead_.valid()) ahead_.wait();
}

std::optional<Picture> PictureReader::next() {
  if (!ahead_.valid()) return std::nullopt;
  std::optional<Picture> picture = ahead_.get();
  if (picture) ahead_ = std::async(std::launch::async, [this] { return read(); });
  return picture;
}

std::optional<Picture> PictureReader::read() {
  std::optional<io::Input> input = inputs_.next(stop_.get_token());
  if (!input) return std::nullopt;
  Picture picture;
  picture.path = std::move(input->path);
  picture.error = std::move(input->error);
  if (picture.error) return picture;
  load_picture(picture, [this](Picture& loaded) { load(loaded); });
  return picture;
}

void PictureReader::load(Picture& picture) const {
  if (!keep_full_size_) {
    picture.image = load_image(picture.path, scaled_);
    return;
  }
  // The model gets the same pixels as without overlays, so that the captions are the same.
  const LoadOptions full;
  const std::string bytes = read_file(picture.path, full.max_bytes);
  picture.image = decode_image(std::as_bytes(std::span(bytes)), picture.path, scaled_);
  picture.full = decode_image(std::as_bytes(std::span(bytes)), picture.path, full);
}

}  // namespace glimpse::apps
