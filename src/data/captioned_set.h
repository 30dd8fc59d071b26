/// Reads captioned pictures: Karpathy's JSON, COCO captions JSON, and JSON lines of our own. The content decides the
/// layout.
///
/// Karpathy: {"images": [{"filepath", "filename", "split", "sentences": [{"raw", "tokens"}], "cocoid"}]}, of which
/// filepath, tokens and cocoid may be missing. COCO: {"images": [{"id", "file_name"}], "annotations": [{"image_id",
/// "caption"}]}. JSON lines: {"image", "captions": [...], "id", "split", "things": [{"shape", "colour", "size", "box":
/// [x, y, width, height]}]} a line, of which id, split and things may be missing, and of a thing all but the box.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/grounding.h"

namespace glimpse::train {

struct CaptionedPicture {
  std::filesystem::path file;         ///< in the images folder; empty where a COCO file names none
  std::string id;                     ///< cocoid, id, or the picture's name as the file has it
  std::string split;                  ///< empty where the file says none
  std::vector<std::string> captions;  ///< as written; at least one
  /// A list a caption, as tokenise_caption (decoder/vocabulary.h) makes them, or the file's own where it has some; no
  /// list is empty.
  std::vector<std::vector<std::string>> tokens;
  std::vector<metrics::KnownThing> things;  ///< what stands in the picture, where the file says it
};

struct CaptionedSet {
  std::filesystem::path path;  ///< the file it was read from
  std::vector<CaptionedPicture> pictures;
};

/// Reads a set. `images` is the folder that the pictures' names are relative to; where it is empty, the folder that
/// `path` stands in. Whether the pictures exist is not looked at. Throws Error naming file, line or entry: kMissing,
/// kPermission, kIo, kTooLarge; kUsage for what is not JSON or none of the three layouts, values of the wrong type,
/// pictures without captions, captions without a word, ids that occur twice, and for no pictures at all.
CaptionedSet read_captioned_set(const std::filesystem::path& path, const std::filesystem::path& images = {});

/// What becomes of Karpathy's `restval`: the part of COCO's validation pictures that may be trained on.
enum class Restval { kApart, kIsTrain };

/// The pictures of one split, in order. Throws Error(kUsage) with the splits that there are where it has none.
CaptionedSet take_split(CaptionedSet set, std::string_view split, Restval restval = Restval::kApart);

/// Throws Error(kMissing) with how many of the pictures' files do not exist, and the first few of them.
void check_pictures_exist(const CaptionedSet& set);

}  // namespace glimpse::train
