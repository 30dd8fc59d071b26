#include "io/results.h"

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "core/file.h"
#include "core/json.h"
#include "core/text.h"

namespace glimpse::io {
namespace {

constexpr std::size_t kLargestFile = std::size_t{1} << 30;

/// Finds pictures by their ids and by their files' names.
class PictureIndex {
 public:
  explicit PictureIndex(const train::CaptionedSet& set) : file_(quote(set.path.native())) {
    for (std::size_t i = 0; i < set.pictures.size(); ++i) {
      by_id_.emplace(set.pictures[i].id, i);
      if (!set.pictures[i].file.has_filename()) continue;
      const auto [found, is_new] = by_name_.emplace(set.pictures[i].file.filename().native(), i);
      if (!is_new) found->second = kSeveral;
    }
  }

  std::size_t by_id(const std::string& id, const std::string& where) const {
    const auto found = by_id_.find(id);
    if (found == by_id_.end()) fail(where, "image " + quote(id) + ", which " + file_ + " does not have");
    return found->second;
  }

  std::size_t by_path(const std::string& path, const std::string& where) const {
    const auto found = by_name_.find(std::filesystem::path(path).filename().native());
    if (found == by_name_.end()) fail(where, "picture " + quote(path) + ", which " + file_ + " does not have");
    if (found->second == kSeveral) fail(where, "picture " + quote(path) + ", of which " + file_ + " has several");
    return found->second;
  }

 private:
  static constexpr std::size_t kSeveral = SIZE_MAX;

  [[noreturn]] static void fail(const std::string& where, const std::string& what) {
    throw Error(ErrorCode::kUsage, where + " is about " + what);
  }

  std::string file_;
  std::unordered_map<std::string, std::size_t> by_id_;
  std::unordered_map<std::string, std::size_t> by_name_;
};

class ResultsReader {
 public:
  explicit ResultsReader(const train::CaptionedSet& set) : index_(set) {}

  void add(const Json& entry, const std::string& where) {
    const auto text = [&](const char* key) {
      const auto found = entry.at(key).get<std::string>();
      if (!found) throw Error(ErrorCode::kUsage, where + " has no text \"" + key + '"');
      return *found;
    };
    if (!entry.is_object()) throw Error(ErrorCode::kUsage, where + " is not an object");
    if (entry.find("error") != nullptr) {
      ++results_.failed;
      return;
    }
    const Json* id = entry.find("image_id");
    const std::size_t picture = id == nullptr    ? index_.by_path(text("path"), where)
                                : id->is_whole() ? index_.by_id(id->dump(), where)
                                                 : index_.by_id(text("image_id"), where);
    results_.captions.push_back({picture, text("caption")});
  }

  /// Throws where a picture has two captions.
  Results finish(const train::CaptionedSet& set, const std::string& file) {
    std::vector<CaptionResult>& captions = results_.captions;
    const auto before = [](const CaptionResult& a, const CaptionResult& b) { return a.picture < b.picture; };
    std::sort(captions.begin(), captions.end(), before);
    const auto twice = std::adjacent_find(captions.begin(), captions.end(),
                                          [](const auto& a, const auto& b) { return a.picture == b.picture; });
    if (twice == captions.end()) return std::move(results_);
    throw Error(ErrorCode::kUsage, file + " has two captions of " + quote(set.pictures[twice->picture].id));
  }

 private:
  PictureIndex index_;
  Results results_;
};

Json id_json(const std::string& id) {
  constexpr std::size_t kMostDigits = 18;  // that a 64-bit number surely holds
  const bool is_number = !id.empty() && id.size() <= kMostDigits && (id == "0" || id.front() != '0') &&
                         std::all_of(id.begin(), id.end(), [](char c) { return c >= '0' && c <= '9'; });
  return is_number ? Json(std::stoll(id)) : Json(id);
}

}  // namespace

Results read_results(const std::filesystem::path& path, const train::CaptionedSet& set) {
  const std::string text = read_file(path, kLargestFile);
  const std::string file = quote(path.native());
  ResultsReader reader(set);
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first != std::string::npos && text[first] == '[') {
    const Json list = parse_json(text, path.native());
    for (std::size_t i = 0; i < list.items().size(); ++i) {
      reader.add(list.items()[i], file + ": [" + std::to_string(i) + ']');
    }
    return reader.finish(set, file);
  }
  JsonSource source;
  for (const std::string_view line : split_lines(text)) {
    if (!split_words(line).empty()) {
      reader.add(parse_json(line, path.native(), source), file + ", line " + std::to_string(source.first_line));
    }
    ++source.first_line;
  }
  return reader.finish(set, file);
}

std::string coco_entry(const std::string& id, const std::string& caption) {
  const Json json = {{"image_id", id_json(id)}, {"caption", caption}};
  return json.dump({.lenient = true});
}

void write_results(const std::filesystem::path& path, const train::CaptionedSet& set,
                   std::span<const CaptionResult> captions) {
  write_atomically(path, [&](std::ostream& stream) {
    const char* separator = "[";
    for (const CaptionResult& result : captions) {
      stream << separator << coco_entry(set.pictures[result.picture].id, result.caption);
      separator = ",\n";
    }
    stream << (captions.empty() ? "[]\n" : "]\n");
  });
}

}  // namespace glimpse::io
