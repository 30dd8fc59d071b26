#include "train/stages/teacher_cache.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/error.h"
#include "core/tensor.h"

namespace glimpse::train {

namespace fs = std::filesystem;

TeacherCache::TeacherCache(const fs::path& folder, const std::string& key, std::size_t pictures, int views,
                           std::size_t values)
    : path_(folder / ("teacher-" + key + ".f16")),
      pictures_(pictures),
      halves_(values),
      held_(pictures * static_cast<std::size_t>(views)) {
  try {
    fs::create_directories(folder);
    const std::size_t bytes = held_.size() * (values * sizeof(std::uint16_t) + 1);
    std::error_code absent;
    if (fs::file_size(path_, absent) != bytes || absent) {
      std::ofstream(path_, std::ios::binary | std::ios::trunc).flush();
      fs::resize_file(path_, bytes);  // sparse; filled as the teacher runs
    }
  } catch (const fs::filesystem_error& error) {
    throw Error(ErrorCode::kIo, std::string("cannot keep what the teacher says: ") + error.what());
  }
  file_.open(path_, std::ios::binary | std::ios::in | std::ios::out);
  check("open");
  seek(held_.size() * halves_.size() * sizeof(std::uint16_t));
  file_.read(held_.data(), std::ssize(held_));
  check("read");
}

void TeacherCache::read(std::size_t picture, int view, std::span<float> values) {
  seek(slot(picture, view) * halves_.size() * sizeof(std::uint16_t));
  file_.read(reinterpret_cast<char*>(halves_.data()),
             static_cast<std::streamsize>(halves_.size() * sizeof(std::uint16_t)));
  check("read");
  std::ranges::transform(halves_, values.begin(), f16_to_float);
}

void TeacherCache::write(std::size_t picture, int view, std::span<const float> values) {
  std::ranges::transform(values, halves_.begin(), float_to_f16);
  const std::size_t bytes = halves_.size() * sizeof(std::uint16_t);
  const std::size_t index = slot(picture, view);
  seek(index * bytes);
  file_.write(reinterpret_cast<const char*>(halves_.data()), static_cast<std::streamsize>(bytes));
  // The mark is written last, after a flush, so that an interrupted run leaves no half-written view.
  file_.flush();
  check("write");
  seek(held_.size() * bytes + index);
  file_.put(1).flush();
  check("write");
  held_[index] = 1;
}

void TeacherCache::seek(std::size_t position) { file_.seekg(static_cast<std::streamoff>(position)); }

void TeacherCache::check(const char* doing) const {
  if (file_) return;
  throw Error(ErrorCode::kIo, std::string("cannot ") + doing + " " + quote(path_.native()) +
                                  ", where the teacher's maps are kept: " + std::strerror(errno));
}

}  // namespace glimpse::train
