/// File access: reading with errors that name the file, memory maps, and atomic replacement.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <ostream>
#include <span>
#include <string>

namespace glimpse {

/// A read-only memory map of a whole regular file. Throws Error (kMissing, kPermission, kIo with the path and the
/// system's reason). An empty file maps to an empty span.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// The whole of a regular file of at most `max_bytes`. Throws Error: kMissing, kPermission, kIo (also for folders and
/// devices), kTooLarge. Unlike a map it survives the file being truncated by somebody else, so pictures are read with
/// it.
std::string read_file(const std::filesystem::path& path, std::size_t max_bytes);

/// Writes a file so that readers see the old one or the whole new one: a temporary file beside it, flushed to disk,
/// then renamed. Throws Error (kPermission, kIo: also a full disk); the old file then stands as it was.
void write_atomically(const std::filesystem::path& path, const std::function<void(std::ostream&)>& write);

}  // namespace glimpse
