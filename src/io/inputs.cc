#include "io/inputs.h"

#include <glob.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <string_view>

namespace glimpse::io {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 13> kPictureExtensions = {"jpg", "jpeg", "jpe", "png", "webp", "tif", "tiff",
                                                                 "bmp", "pnm",  "ppm", "pgm", "pbm",  "gif"};
constexpr std::string_view kOverlayMark = ".glimpses.";  // in the names of overlays

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c); });
  return text;
}

struct Folder {
  std::vector<std::string> pictures;  ///< by name
  std::vector<std::string> folders;   ///< by name; neither hidden ones nor links
};

/// What is in `folder`; throws Error where it cannot be listed.
Folder list_folder(const fs::path& folder, const PictureNames& names) {
  Folder found;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code unreadable;  // an entry whose kind cannot be told is left to the loader to complain about
    if (!entry->is_directory(unreadable)) {
      if (names.match(entry->path())) found.pictures.push_back(entry->path().string());
    } else if (!entry->is_symlink(unreadable) && !entry->path().filename().string().starts_with('.')) {
      found.folders.push_back(entry->path().string());
    }
  }
  if (error) {
    const bool denied = error == std::errc::permission_denied;
    throw Error(denied ? ErrorCode::kPermission : ErrorCode::kIo,
                "cannot list the folder " + quote(folder.native()) + ": " + error.message());
  }
  std::sort(found.pictures.begin(), found.pictures.end());
  std::sort(found.folders.begin(), found.folders.end());
  return found;
}

/// Expands `pattern` as a shell would; throws Error(kMissing) where nothing matches.
std::vector<std::string> matches(const std::string& pattern) {
  glob_t result{};
  const int status = ::glob(pattern.c_str(), 0, nullptr, &result);
  std::vector<std::string> found(result.gl_pathv, result.gl_pathv + (status == 0 ? result.gl_pathc : 0));
  globfree(&result);
  if (found.empty()) throw Error(ErrorCode::kMissing, "nothing matches the pattern " + quote(pattern));
  return found;
}

}  // namespace

PictureNames::PictureNames(std::vector<std::string> extensions) {
  if (extensions.empty()) extensions.assign(kPictureExtensions.begin(), kPictureExtensions.end());
  for (std::string& extension : extensions) extensions_.push_back("." + lower(std::move(extension)));
}

bool PictureNames::match(const fs::path& path) const {
  const std::string name = path.filename().string();
  return !name.starts_with('.') && name.find(kOverlayMark) == std::string::npos &&
         std::find(extensions_.begin(), extensions_.end(), lower(path.extension().string())) != extensions_.end();
}

Inputs::Inputs(std::vector<std::string> arguments, InputOptions options)
    : arguments_(std::move(arguments)), options_(std::move(options)) {
  const auto lists = std::count(arguments_.begin(), arguments_.end(), "-");
  if (lists > 1) throw Error(ErrorCode::kUsage, "'-' is given twice, but there is one standard input");
  if (lists == 0 && options_.nul_separated) {
    throw Error(ErrorCode::kUsage, "-0 is about paths on standard input; give '-' to read them");
  }
}

std::optional<Input> Inputs::next(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (!pending_.empty()) {
      Pending pending = std::move(pending_.front());
      pending_.pop_front();
      if (pending.kind == Pending::Kind::kInput || (pending.kind == Pending::Kind::kFolderEnd && found_ == 0)) {
        ++found_;
        return std::move(pending.input);
      }
      if (pending.kind == Pending::Kind::kFolder) found_ = 0;
      if (pending.kind != Pending::Kind::kFolderEnd) open_folder(pending.input.path);
    } else if (reading_list_) {
      if (const std::optional<std::string> path = next_listed(stop)) {
        expand(*path, false);
      } else {
        reading_list_ = false;
      }
    } else if (next_argument_ == arguments_.size()) {
      return std::nullopt;
    } else if (const std::string& argument = arguments_[next_argument_++]; argument == "-") {
      reading_list_ = true;
    } else {
      expand(argument, true);
    }
  }
  return std::nullopt;
}

void Inputs::expand(const std::string& path, bool patterns) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  try {
    if (fs::is_directory(status)) {
      const std::string hint = options_.recursive ? " or below it" : " (subfolders are not looked into)";
      const Error empty(ErrorCode::kMissing, "no pictures in the folder " + quote(path) + hint);
      pending_.push_back({{path, std::nullopt}, Pending::Kind::kFolder});
      pending_.push_back({{path, empty}, Pending::Kind::kFolderEnd});
    } else if (patterns && status.type() == fs::file_type::not_found &&
               path.find_first_of("*?[") != std::string::npos) {
      for (const std::string& match : matches(path)) expand(match, false);
    } else {
      pending_.push_back({{path, std::nullopt}});
    }
  } catch (const Error& failure) {
    pending_.push_back({{path, failure}});
  }
}

/// Puts the folder's pictures, and then its folders, before what else is pending.
void Inputs::open_folder(const std::string& path) {
  std::vector<Pending> inside;
  try {
    Folder folder = list_folder(path, options_.names);
    for (std::string& picture : folder.pictures) inside.push_back({{std::move(picture), std::nullopt}});
    for (std::string& inner : folder.folders) {
      if (options_.recursive) inside.push_back({{std::move(inner), std::nullopt}, Pending::Kind::kFolderWithin});
    }
  } catch (const Error& failure) {
    inside.push_back({{path, failure}});
  }
  pending_.insert(pending_.begin(), std::make_move_iterator(inside.begin()), std::make_move_iterator(inside.end()));
}

bool Inputs::waits() const {
  if (!reading_list_ || list_ended_ || !pending_.empty()) return false;
  if (list_buffer_.find(separator()) != std::string::npos) return false;
  pollfd waiting{STDIN_FILENO, POLLIN, 0};
  return ::poll(&waiting, 1, 0) == 0;
}

std::optional<std::string> Inputs::next_listed(const std::stop_token& stop) {
  constexpr int kPatienceMs = 50;  // how long a request to stop may have to wait
  while (!stop.stop_requested()) {
    const std::size_t end = list_buffer_.find(separator());
    if (end != std::string::npos || list_ended_) {
      std::string path = list_buffer_.substr(0, end);
      list_buffer_.erase(0, end == std::string::npos ? end : end + 1);
      if (separator() == '\n' && path.ends_with('\r')) path.pop_back();
      if (!path.empty()) return path;
      if (end == std::string::npos) return std::nullopt;
      continue;
    }
    pollfd waiting{STDIN_FILENO, POLLIN, 0};
    if (::poll(&waiting, 1, kPatienceMs) == 0) continue;
    std::array<char, 4096> chunk;
    const ssize_t count = ::read(STDIN_FILENO, chunk.data(), chunk.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      pending_.push_back(
          {{"-", Error(ErrorCode::kIo, std::string("cannot read standard input: ") + std::strerror(errno))}});
    }
    if (count <= 0) list_ended_ = true;
    if (count > 0) list_buffer_.append(chunk.data(), static_cast<std::size_t>(count));
  }
  return std::nullopt;
}

}  // namespace glimpse::io
