#include "data/captioned_set.h"

#include <algorithm>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "core/json.h"
#include "core/text.h"
#include "decoder/vocabulary.h"

namespace glimpse::train {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kLargestFile = std::size_t{1} << 30;
constexpr int kFewNamed = 5;  ///< of many pictures that have the same fault

/// One JSON object of the file; every complaint says where it stands.
class Entry {
 public:
  Entry(const Json& json, std::string where) : json_(json), where_(std::move(where)) {
    if (!json.is_object()) fail("is not an object");
  }

  [[noreturn]] void fail(const std::string& what) const { throw Error(ErrorCode::kUsage, where_ + ' ' + what); }

  bool has(std::string_view key) const { return !json_.at(key).is_null(); }

  const Json& at(std::string_view key) const {
    if (!has(key)) fail("has no \"" + std::string(key) + '"');
    return json_.at(key);
  }

  const Json::List& list(std::string_view key) const {
    if (!at(key).is_list()) fail("has a \"" + std::string(key) + "\" that is not a list");
    return at(key).items();
  }

  /// The objects of a list.
  std::vector<Entry> entries(std::string_view key) const {
    std::vector<Entry> entries;
    for (const Json& item : list(key)) {
      entries.emplace_back(item, where_ + ": " + std::string(key) + '[' + std::to_string(entries.size()) + ']');
    }
    return entries;
  }

  std::string text(std::string_view key) const {
    const auto value = at(key).get<std::string>();
    if (!value) fail("has a \"" + std::string(key) + "\" that is not a text");
    return *value;
  }

  std::string text_or_nothing(std::string_view key) const { return has(key) ? text(key) : std::string(); }

  /// Ids are whole numbers or texts.
  std::string id(std::string_view key) const {
    const Json& value = at(key);
    if (value.is_whole()) return value.dump();
    const auto text = value.get<std::string>();
    if (!text || text->empty()) fail("has a \"" + std::string(key) + "\" that is neither a whole number nor a text");
    return *text;
  }

 private:
  const Json& json_;
  std::string where_;
};

/// A picture's name in the file, made a path; the names are UTF-8 as JSON is.
fs::path picture_path(const Entry& entry, const fs::path& images, const std::string& name) {
  if (name.empty() || name.find('\0') != std::string::npos) entry.fail("has " + quote(name) + " for a file's name");
  return images / name;
}

/// The file's own words of a caption.
std::vector<std::string> own_tokens(const Entry& sentence) {
  std::vector<std::string> words;
  for (const Json& token : sentence.list("tokens")) {
    words.push_back(token.get<std::string>().value_or(""));
    if (words.back().empty()) sentence.fail("has \"tokens\" that are not all words");
  }
  return words;
}

void add_caption(CaptionedPicture& picture, const Entry& entry, std::string raw, std::vector<std::string> words) {
  if (words.empty()) entry.fail("is a caption without a word: " + quote(raw));
  picture.captions.push_back(std::move(raw));
  picture.tokens.push_back(std::move(words));
}

void add_caption(CaptionedPicture& picture, const Entry& entry, std::string raw) {
  std::vector<std::string> words = tokenise_caption(raw);
  add_caption(picture, entry, std::move(raw), std::move(words));
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

CaptionedPicture read_karpathy_picture(const Entry& image, const fs::path& images) {
  CaptionedPicture picture;
  const std::string folder = image.text_or_nothing("filepath");
  const std::string name = (folder.empty() ? "" : folder + '/') + image.text("filename");
  picture.file = picture_path(image, images, name);
  picture.id = image.has("cocoid") ? image.id("cocoid") : name;
  picture.split = image.text_or_nothing("split");
  for (const Entry& sentence : image.entries("sentences")) {
    if (!sentence.has("tokens")) {
      add_caption(picture, sentence, sentence.text("raw"));
    } else {
      std::vector<std::string> words = own_tokens(sentence);
      std::string raw = sentence.has("raw") ? sentence.text("raw") : joined(words);
      add_caption(picture, sentence, std::move(raw), std::move(words));
    }
  }
  return picture;
}

std::vector<CaptionedPicture> read_karpathy(const Entry& root, const fs::path& images) {
  std::vector<CaptionedPicture> pictures;
  for (const Entry& image : root.entries("images")) pictures.push_back(read_karpathy_picture(image, images));
  return pictures;
}

std::vector<CaptionedPicture> read_coco(const Entry& root, const fs::path& images) {
  std::vector<CaptionedPicture> pictures;
  std::unordered_map<std::string, std::size_t> by_id;
  for (const Entry& image : root.entries("images")) {
    CaptionedPicture picture;
    picture.id = image.id("id");
    picture.split = image.text_or_nothing("split");
    if (image.has("file_name")) picture.file = picture_path(image, images, image.text("file_name"));
    by_id.emplace(picture.id, pictures.size());
    pictures.push_back(std::move(picture));
  }
  for (const Entry& annotation : root.entries("annotations")) {
    const std::string id = annotation.id("image_id");
    const auto found = by_id.find(id);
    if (found == by_id.end()) annotation.fail("is a caption for image " + quote(id) + ", which \"images\" lacks");
    add_caption(pictures[found->second], annotation, annotation.text("caption"));
  }
  return pictures;
}

/// [x, y, width, height] in pixels.
Rect read_box(const Entry& thing) {
  thing.list("box");
  const auto box = thing.at("box").get<std::vector<double>>();
  if (!box || box->size() != 4) thing.fail("has a \"box\" that is not four numbers: x, y, width, height");
  return {(*box)[0], (*box)[1], (*box)[2], (*box)[3]};
}

std::vector<metrics::KnownThing> read_things(const Entry& line) {
  std::vector<metrics::KnownThing> things;
  if (!line.has("things")) return things;
  for (const Entry& thing : line.entries("things")) {
    things.push_back({thing.text_or_nothing("shape"), thing.text_or_nothing("colour"), thing.text_or_nothing("size"),
                      read_box(thing)});
  }
  return things;
}

CaptionedPicture read_line(const Entry& line, const fs::path& images) {
  CaptionedPicture picture;
  const std::string name = line.text("image");
  picture.file = picture_path(line, images, name);
  picture.id = line.has("id") ? line.id("id") : name;
  picture.split = line.text_or_nothing("split");
  picture.things = read_things(line);
  for (const Json& caption : line.list("captions")) {
    const auto text = caption.get<std::string>();
    if (!text) line.fail("has \"captions\" that are not all texts");
    add_caption(picture, line, *text);
  }
  return picture;
}

std::vector<CaptionedPicture> read_lines(std::string_view text, const std::string& file, const fs::path& images) {
  std::vector<CaptionedPicture> pictures;
  JsonSource source;
  for (const std::string_view line : split_lines(text)) {
    if (!split_words(line).empty()) {
      const Json json = parse_json(line, file, source);
      pictures.push_back(read_line({json, quote(file) + ", line " + std::to_string(source.first_line)}, images));
    }
    ++source.first_line;
  }
  return pictures;
}

std::vector<CaptionedPicture> read_any(std::string_view text, const std::string& file, const fs::path& images) {
  const std::string telling = first_key(text, {"image", "captions", "images", "annotations"});
  if (telling == "image" || telling == "captions") return read_lines(text, file, images);
  const Json json = parse_json(text, file);
  if (json.find("images") == nullptr) {
    throw Error(ErrorCode::kUsage, quote(file) +
                                       " holds no captioned pictures: known are Karpathy's JSON and COCO's (an object "
                                       "with \"images\"), and JSON lines with \"image\" and \"captions\"");
  }
  const Entry root(json, quote(file));
  return json.find("annotations") != nullptr ? read_coco(root, images) : read_karpathy(root, images);
}

/// The first few of `names`, quoted.
std::string first_few(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min<std::size_t>(names.size(), kFewNamed); ++i) {
    text += (i == 0 ? "" : ", ") + quote(names[i]);
  }
  return text + (names.size() > kFewNamed ? ", …" : "");
}

void check_set(const CaptionedSet& set) {
  const std::string file = quote(set.path.native());
  if (set.pictures.empty()) throw Error(ErrorCode::kUsage, file + " names no picture");
  std::set<std::string_view> ids;
  std::vector<std::string> bare;
  for (const CaptionedPicture& picture : set.pictures) {
    if (!ids.insert(picture.id).second) {
      throw Error(ErrorCode::kUsage, file + " has picture " + quote(picture.id) + " twice");
    }
    if (picture.captions.empty()) bare.push_back(picture.id);
  }
  if (bare.empty()) return;
  throw Error(ErrorCode::kUsage, file + ": " + std::to_string(bare.size()) + " of " +
                                     std::to_string(set.pictures.size()) +
                                     " pictures have no caption: " + first_few(bare));
}

std::string known_splits(const CaptionedSet& set) {
  std::set<std::string> names;
  for (const CaptionedPicture& picture : set.pictures) {
    if (!picture.split.empty()) names.insert(picture.split);
  }
  if (names.empty()) return "it says no splits at all";
  return "there are " + first_few({names.begin(), names.end()});
}

}  // namespace

CaptionedSet read_captioned_set(const fs::path& path, const fs::path& images) {
  CaptionedSet set;
  set.path = path;
  const std::string text = read_file(path, kLargestFile);
  set.pictures = read_any(text, path.native(), images.empty() ? path.parent_path() : images);
  check_set(set);
  return set;
}

CaptionedSet take_split(CaptionedSet set, std::string_view split, Restval restval) {
  const auto belongs = [&](const CaptionedPicture& picture) {
    return picture.split == split || (restval == Restval::kIsTrain && split == "train" && picture.split == "restval");
  };
  if (std::none_of(set.pictures.begin(), set.pictures.end(), belongs)) {
    throw Error(ErrorCode::kUsage,
                quote(set.path.native()) + " has no split " + quote(split) + "; " + known_splits(set));
  }
  std::erase_if(set.pictures, [&](const CaptionedPicture& picture) { return !belongs(picture); });
  return set;
}

void check_pictures_exist(const CaptionedSet& set) {
  std::vector<std::string> missing;
  for (const CaptionedPicture& picture : set.pictures) {
    std::error_code ignored;  // what cannot be looked at cannot be read either
    if (picture.file.empty() || !fs::is_regular_file(picture.file, ignored)) {
      missing.push_back(picture.file.empty() ? picture.id : picture.file.native());
    }
  }
  if (missing.empty()) return;
  throw Error(ErrorCode::kMissing, std::to_string(missing.size()) + " of the " + std::to_string(set.pictures.size()) +
                                       " pictures of " + quote(set.path.native()) + " are not where their names say: " +
                                       first_few(missing) + "; is the folder of the pictures the right one?");
}

}  // namespace glimpse::train
