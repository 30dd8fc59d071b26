#include "data/captioned_set.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "core/json_check.h"
#include "core/text.h"
#include "decoder/vocabulary.h"

namespace glimpse::train {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::size_t kLargestFile = std::size_t{1} << 30;
constexpr int kFewNamed = 5;  ///< of many pictures that have the same fault

/// One JSON object of the file; every complaint says where it stands.
class Entry {
 public:
  Entry(const Json& json, std::string where) : json_(json), where_(std::move(where)) {
    if (!json.is_object()) fail("is not an object");
  }

  [[noreturn]] void fail(const std::string& what) const { throw Error(ErrorCode::kUsage, where_ + ' ' + what); }

  const Json* find(const char* key) const {
    const auto found = json_.find(key);
    return found == json_.end() || found->is_null() ? nullptr : &*found;
  }

  const Json& at(const char* key) const {
    const Json* value = find(key);
    if (value == nullptr) fail("has no \"" + std::string(key) + '"');
    return *value;
  }

  const Json& list(const char* key) const {
    const Json& value = at(key);
    if (!value.is_array()) fail("has a \"" + std::string(key) + "\" that is not a list");
    return value;
  }

  Entry entry(const char* list, std::size_t i) const {
    return {at(list)[i], where_ + ": " + list + '[' + std::to_string(i) + ']'};
  }

  std::string text(const char* key) const {
    const Json& value = at(key);
    if (!value.is_string()) fail("has a \"" + std::string(key) + "\" that is not a text");
    return value.get<std::string>();
  }

  std::string text_or_nothing(const char* key) const { return find(key) == nullptr ? std::string() : text(key); }

  /// Ids are whole numbers or texts.
  std::string id(const char* key) const {
    const Json& value = at(key);
    if (value.is_number_integer()) return value.dump();
    if (!value.is_string() || value.get_ref<const std::string&>().empty()) {
      fail("has a \"" + std::string(key) + "\" that is neither a whole number nor a text");
    }
    return value.get<std::string>();
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
    if (!token.is_string() || token.get_ref<const std::string&>().empty()) {
      sentence.fail("has \"tokens\" that are not all words");
    }
    words.push_back(token.get<std::string>());
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
  picture.id = image.find("cocoid") == nullptr ? name : image.id("cocoid");
  picture.split = image.text_or_nothing("split");
  const std::size_t count = image.list("sentences").size();
  for (std::size_t i = 0; i < count; ++i) {
    const Entry sentence = image.entry("sentences", i);
    if (sentence.find("tokens") == nullptr) {
      add_caption(picture, sentence, sentence.text("raw"));
    } else {
      std::vector<std::string> words = own_tokens(sentence);
      std::string raw = sentence.find("raw") == nullptr ? joined(words) : sentence.text("raw");
      add_caption(picture, sentence, std::move(raw), std::move(words));
    }
  }
  return picture;
}

std::vector<CaptionedPicture> read_karpathy(const Entry& root, const fs::path& images) {
  std::vector<CaptionedPicture> pictures;
  const std::size_t count = root.list("images").size();
  for (std::size_t i = 0; i < count; ++i) pictures.push_back(read_karpathy_picture(root.entry("images", i), images));
  return pictures;
}

std::vector<CaptionedPicture> read_coco(const Entry& root, const fs::path& images) {
  std::vector<CaptionedPicture> pictures;
  std::unordered_map<std::string, std::size_t> by_id;
  const std::size_t image_count = root.list("images").size();
  for (std::size_t i = 0; i < image_count; ++i) {
    const Entry image = root.entry("images", i);
    CaptionedPicture picture;
    picture.id = image.id("id");
    picture.split = image.text_or_nothing("split");
    if (image.find("file_name") != nullptr) picture.file = picture_path(image, images, image.text("file_name"));
    by_id.emplace(picture.id, pictures.size());
    pictures.push_back(std::move(picture));
  }
  const std::size_t annotation_count = root.list("annotations").size();
  for (std::size_t i = 0; i < annotation_count; ++i) {
    const Entry annotation = root.entry("annotations", i);
    const std::string id = annotation.id("image_id");
    const auto found = by_id.find(id);
    if (found == by_id.end()) annotation.fail("is a caption for image " + quote(id) + ", which \"images\" lacks");
    add_caption(pictures[found->second], annotation, annotation.text("caption"));
  }
  return pictures;
}

/// [x, y, width, height] in pixels.
Rect read_box(const Entry& thing) {
  const Json& box = thing.list("box");
  const bool is_right = box.size() == 4 && std::ranges::all_of(box, [](const Json& part) { return part.is_number(); });
  if (!is_right) thing.fail("has a \"box\" that is not four numbers: x, y, width, height");
  return {box[0].get<double>(), box[1].get<double>(), box[2].get<double>(), box[3].get<double>()};
}

std::vector<metrics::KnownThing> read_things(const Entry& line) {
  std::vector<metrics::KnownThing> things;
  if (line.find("things") == nullptr) return things;
  const std::size_t count = line.list("things").size();
  for (std::size_t i = 0; i < count; ++i) {
    const Entry thing = line.entry("things", i);
    things.push_back({thing.text_or_nothing("shape"), thing.text_or_nothing("colour"), thing.text_or_nothing("size"),
                      read_box(thing)});
  }
  return things;
}

CaptionedPicture read_line(const Entry& line, const fs::path& images) {
  CaptionedPicture picture;
  const std::string name = line.text("image");
  picture.file = picture_path(line, images, name);
  picture.id = line.find("id") == nullptr ? name : line.id("id");
  picture.split = line.text_or_nothing("split");
  picture.things = read_things(line);
  for (const Json& caption : line.list("captions")) {
    if (!caption.is_string()) line.fail("has \"captions\" that are not all texts");
    add_caption(picture, line, caption.get<std::string>());
  }
  return picture;
}

std::vector<CaptionedPicture> read_lines(std::string_view text, const std::string& file, const fs::path& images) {
  std::vector<CaptionedPicture> pictures;
  JsonCheck check;
  for (const std::string_view line : split_lines(text)) {
    if (!split_words(line).empty()) {
      check_json(line, file, check);
      const Json json = Json::parse(line);
      pictures.push_back(read_line({json, quote(file) + ", line " + std::to_string(check.first_line)}, images));
    }
    ++check.first_line;
  }
  return pictures;
}

/// Looks for the first key of the outermost object that tells the layouts apart, and stops there.
class LayoutScan : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return true; }
  bool boolean(bool /*value*/) override { return true; }
  bool number_integer(number_integer_t /*value*/) override { return true; }
  bool number_unsigned(number_unsigned_t /*value*/) override { return true; }
  bool number_float(number_float_t /*value*/, const string_t& /*text*/) override { return true; }
  bool string(string_t& /*value*/) override { return true; }
  bool binary(binary_t& /*value*/) override { return true; }
  bool start_object(std::size_t /*elements*/) override { return ++depth_ > 0; }
  bool end_object() override { return --depth_ > 0; }
  bool start_array(std::size_t /*elements*/) override { return ++depth_ > 1; }  // the outermost is an object
  bool end_array() override { return --depth_ > 0; }
  bool key(string_t& value) override {
    lines_ = depth_ == 1 && (value == "image" || value == "captions");
    return !(lines_ || (depth_ == 1 && (value == "images" || value == "annotations")));
  }
  bool parse_error(std::size_t /*position*/, const std::string& /*token*/, const Json::exception& /*error*/) override {
    return false;
  }

  bool lines() const { return lines_; }

 private:
  std::size_t depth_ = 0;
  bool lines_ = false;
};

bool is_lines(std::string_view text) {
  LayoutScan scan;
  Json::sax_parse(text, &scan, Json::input_format_t::json, false);
  return scan.lines();
}

std::vector<CaptionedPicture> read_any(std::string_view text, const std::string& file, const fs::path& images) {
  if (is_lines(text)) return read_lines(text, file, images);
  check_json(text, file);
  const Json json = Json::parse(text);
  if (!json.is_object() || !json.contains("images")) {
    throw Error(ErrorCode::kUsage, quote(file) +
                                       " holds no captioned pictures: known are Karpathy's JSON and COCO's (an object "
                                       "with \"images\"), and JSON lines with \"image\" and \"captions\"");
  }
  const Entry root(json, quote(file));
  return json.contains("annotations") ? read_coco(root, images) : read_karpathy(root, images);
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
