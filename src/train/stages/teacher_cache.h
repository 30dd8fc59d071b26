/// A teacher's outputs for a few fixed views of each picture, kept in F16 on disk: the teacher runs once a view,
/// whatever the number of epochs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <vector>

namespace glimpse::train {

class TeacherCache {
 public:
  /// Opens what an earlier run left under the same `key` in `folder`, or begins it. `values`: numbers a view. Throws
  /// Error(kIo, kPermission) for folder and file.
  TeacherCache(const std::filesystem::path& folder, const std::string& key, std::size_t pictures, int views,
               std::size_t values);

  bool has(std::size_t picture, int view) const { return held_[slot(picture, view)] != 0; }
  /// Of a view that is there. Throws Error(kIo).
  void read(std::size_t picture, int view, std::span<float> values);
  /// Keeps them, rounded to F16. Throws Error(kIo): also a full disk.
  void write(std::size_t picture, int view, std::span<const float> values);

 private:
  std::size_t slot(std::size_t picture, int view) const { return static_cast<std::size_t>(view) * pictures_ + picture; }
  void seek(std::size_t position);
  void check(const char* doing) const;

  std::filesystem::path path_;
  std::size_t pictures_;
  std::vector<std::uint16_t> halves_;  ///< of one view
  std::vector<char> held_;             ///< [views, pictures]
  std::fstream file_;                  ///< [views, pictures, values] F16, then a byte a view: whether it is there
};

}  // namespace glimpse::train
