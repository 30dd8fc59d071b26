#include "io/coco_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "core/error.h"
#include "io/results.h"

namespace glimpse::io {
namespace {

namespace fs = std::filesystem;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::string coco_id(const fs::path& picture) {
  constexpr std::size_t kDigits = 12;
  std::string stem = picture.stem().string();
  const auto digits = static_cast<std::size_t>(std::find_if_not(stem.rbegin(), stem.rend(), is_digit) - stem.rbegin());
  if (digits != kDigits) return stem;
  stem.erase(0, stem.size() - kDigits);
  stem.erase(0, std::min(stem.find_first_not_of('0'), kDigits - 1));
  return stem;
}

CocoFile::CocoFile(fs::path path, bool replace) : path_(std::move(path)), partial_(path_.native() + ".partial") {
  std::error_code unknown;
  if (!replace && fs::exists(path_, unknown)) {
    throw Error(ErrorCode::kUsage, quote(path_.native()) + " exists already; --overwrite replaces it");
  }
  errno = 0;
  stream_.open(partial_, std::ios::binary | std::ios::trunc);
  if (stream_) return;
  const int error = errno;
  throw Error(error == EACCES || error == EPERM ? ErrorCode::kPermission : ErrorCode::kIo,
              "cannot write " + quote(partial_.native()) + ": " + std::strerror(error));
}

CocoFile::~CocoFile() {
  if (!stream_.is_open()) return;
  stream_.close();
  std::error_code ignored;
  fs::remove(partial_, ignored);
}

void CocoFile::add(const std::string& picture, const std::string& caption) {
  stream_ << (empty_ ? "[" : ",\n") << coco_entry(coco_id(picture), caption);
  empty_ = false;
}

void CocoFile::deliver(BatchResult& result) {
  if (result.error() == nullptr) add(result.path, result.captions()->front().text);
}

void CocoFile::finish() {
  stream_ << (empty_ ? "[]\n" : "]\n");
  stream_.close();
  std::error_code error;
  if (stream_) {
    fs::rename(partial_, path_, error);
  } else {
    error = std::make_error_code(std::errc::io_error);
  }
  if (error) {
    throw Error(error == std::errc::permission_denied ? ErrorCode::kPermission : ErrorCode::kIo,
                "cannot write " + quote(path_.native()) + ": " + error.message());
  }
}

}  // namespace glimpse::io
