/// Reads existing captions: COCO results JSON ([{"image_id", "caption"}]), which is also written, and the JSON lines
/// that `glimpse caption --format json` writes.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "data/captioned_set.h"

namespace glimpse::io {

struct CaptionResult {
  std::size_t picture = 0;  ///< an index into the set's pictures
  std::string caption;
};

struct Results {
  std::vector<CaptionResult> captions;  ///< in the set's order, at most one a picture
  int failed = 0;                       ///< records that hold an error instead of a caption
};

/// Reads results of pictures of `set`: an image_id is a picture's id; a path is that of the picture whose file has the
/// same name, folders left aside. Throws Error naming file and line or entry, kUsage for what is none of the two
/// layouts, pictures that the set does not have or has several of by that name, and two captions of one picture.
Results read_results(const std::filesystem::path& path, const train::CaptionedSet& set);

/// One entry of COCO results JSON: {"image_id": …, "caption": …}. An id that is a whole number is written as one.
std::string coco_entry(const std::string& id, const std::string& caption);

/// COCO results JSON, atomically. Ids that are whole numbers are written as numbers. Throws Error(kIo, kPermission).
void write_results(const std::filesystem::path& path, const train::CaptionedSet& set,
                   std::span<const CaptionResult> captions);

}  // namespace glimpse::io
