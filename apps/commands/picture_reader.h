/// Reads pictures ahead: while one is captioned the next one is decoded.
#pragma once

#include <functional>
#include <future>
#include <optional>
#include <stop_token>
#include <string>

#include "cli/interrupt.h"
#include "core/error.h"
#include "image/image.h"
#include "io/inputs.h"

namespace glimpse::apps {

/// A picture as it came off the disk, or why it did not.
struct Picture {
  std::string path;
  Image image;                 ///< for captioning: no larger than the model needs
  std::optional<Image> full;   ///< for drawing on, where asked for
  std::optional<Error> error;  ///< then there is no image
  double milliseconds = 0;     ///< that reading and decoding took
};

/// Calls `load` for a picture and keeps, as its error, what went wrong with it; measures the time.
void load_picture(Picture& picture, const std::function<void(Picture&)>& load);

class PictureReader {
 public:
  /// Begins with the first picture at once.
  PictureReader(io::Inputs inputs, const Preprocess& preprocess, bool keep_full_size);
  ~PictureReader();
  PictureReader(const PictureReader&) = delete;
  PictureReader& operator=(const PictureReader&) = delete;

  /// Nothing at the end and on Ctrl-C.
  std::optional<Picture> next();

 private:
  std::optional<Picture> read();
  void load(Picture& picture) const;

  io::Inputs inputs_;
  LoadOptions scaled_;
  bool keep_full_size_;
  std::stop_source stop_;
  std::stop_callback<std::function<void()>> on_interrupt_{interrupt_token(), [this] { stop_.request_stop(); }};
  std::future<std::optional<Picture>> ahead_;
};

}  // namespace glimpse::apps
