/// Pictures in tar archives (WebDataset shards), one member at a time, plain or compressed with gzip, bzip2 or zstd.
/// Nothing is unpacked to disk, and no more than one member is in memory, whatever headers say.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "core/error.h"
#include "io/inputs.h"

struct archive;
struct archive_entry;

namespace glimpse::io {

/// By the name: .tar, .tar.gz, .tgz, .tar.bz2, .tbz2, .tar.zst, .tzst, in any case.
bool looks_like_archive(const std::filesystem::path& path);

struct Member {
  std::string path;            ///< shard.tar/member.jpg; the archive's own where it cannot be read on
  std::string bytes;           ///< its content
  std::optional<Error> error;  ///< then there is no content
};

class ArchiveReader {
 public:
  /// Throws Error (kMissing, kPermission, kIo, kDecode) naming the archive.
  ArchiveReader(std::string path, PictureNames names, std::size_t max_bytes);

  /// The next member that is a picture by its name; one that cannot be read, or is larger than `max_bytes`, has an
  /// error. Where the archive is cut short or damaged a last one says so. Nothing at the end and soon after `stop` is
  /// requested.
  std::optional<Member> next(const std::stop_token& stop);

 private:
  struct Close {
    void operator()(archive* reader) const;
  };

  /// The next header's status, with libarchive's wish to try again granted.
  int next_header();
  void read_content(Member& member, std::size_t promised);
  Error damage(const std::string& what) const;

  std::string path_;
  PictureNames names_;
  std::size_t max_bytes_;
  std::unique_ptr<archive, Close> reader_;
  archive_entry* entry_ = nullptr;
  bool ended_ = false;
};

}  // namespace glimpse::io
