/// Writes an animated WebP.
#pragma once

#include <filesystem>
#include <span>

#include "image/image.h"

namespace glimpse {

struct Frame {
  Image image;
  int milliseconds = 0;  ///< for which it is shown
};

/// The frames, which have one size, over and over again; lossy, but sharp enough for text. Written atomically. Throws
/// Error naming the file: kMissing (its folder), kIo, kPermission; kUsage for frames that no WebP can hold (none, of
/// several sizes, longer than 16383 pixels).
void write_animation(std::span<const Frame> frames, const std::filesystem::path& path);

}  // namespace glimpse
