#include "io/picture_archive.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

namespace glimpse::io {
namespace {

constexpr std::array<std::string_view, 7> kArchiveSuffixes = {".tar",  ".tar.gz",  ".tgz", ".tar.bz2",
                                                              ".tbz2", ".tar.zst", ".tzst"};
constexpr std::size_t kBlock = 64 * 1024;

/// A member's name as it stands in the archive. libarchive gives names in the process's character set, which may not
/// have their characters, and as UTF-8, which they may not be.
std::string name_of(archive_entry* entry) {
  const char* name = archive_entry_pathname_utf8(entry);
  if (name == nullptr) name = archive_entry_pathname(entry);
  return name == nullptr ? "" : name;
}

}  // namespace

bool looks_like_archive(const std::filesystem::path& path) {
  std::string name = path.filename().string();
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c); });
  return std::any_of(kArchiveSuffixes.begin(), kArchiveSuffixes.end(),
                     [&name](std::string_view suffix) { return name.ends_with(suffix); });
}

void ArchiveReader::Close::operator()(archive* reader) const { archive_read_free(reader); }

ArchiveReader::ArchiveReader(std::string path, PictureNames names, std::size_t max_bytes)
    : path_(std::move(path)), names_(std::move(names)), max_bytes_(max_bytes), reader_(archive_read_new()) {
  if (reader_ == nullptr) throw std::bad_alloc();
  // Not xz, whose files can ask for gigabytes of memory to be unpacked, and nothing that runs other programs.
  archive_read_support_filter_gzip(reader_.get());
  archive_read_support_filter_bzip2(reader_.get());
  archive_read_support_filter_zstd(reader_.get());
  archive_read_support_format_tar(reader_.get());
  archive_read_support_format_empty(reader_.get());
  std::error_code unknown;
  if (std::filesystem::is_directory(path_, unknown)) throw damage("it is a folder");
  if (archive_read_open_filename(reader_.get(), path_.c_str(), kBlock) == ARCHIVE_OK) return;
  const int error = archive_errno(reader_.get());
  // How libarchive says that the bytes are none that it knows.
  if (error == EILSEQ || error < 0) throw damage(archive_error_string(reader_.get()));
  const bool denied = error == EACCES || error == EPERM;
  throw Error(error == ENOENT ? ErrorCode::kMissing
              : denied        ? ErrorCode::kPermission
                              : ErrorCode::kIo,
              "cannot open " + quote(path_) + ": " + std::strerror(error));
}

Error ArchiveReader::damage(const std::string& what) const {
  return {ErrorCode::kDecode, "cannot read the archive " + quote(path_) + ": " + what};
}

int ArchiveReader::next_header() {
  constexpr int kMostTries = 10;
  int status = ARCHIVE_RETRY;
  for (int i = 0; i < kMostTries && status == ARCHIVE_RETRY; ++i) {
    status = archive_read_next_header(reader_.get(), &entry_);
  }
  return status;
}

std::optional<Member> ArchiveReader::next(const std::stop_token& stop) {
  while (!ended_ && !stop.stop_requested()) {
    const int status = next_header();
    if (status == ARCHIVE_EOF) {
      ended_ = true;
    } else if (status != ARCHIVE_OK && status != ARCHIVE_WARN) {
      ended_ = true;
      const char* why = archive_error_string(reader_.get());
      return Member{path_, {}, damage(why == nullptr ? "it is damaged" : why)};
    } else if (const std::string name = name_of(entry_); archive_entry_filetype(entry_) == AE_IFREG &&
                                                         archive_entry_hardlink(entry_) == nullptr &&
                                                         names_.match(name)) {
      Member member{path_ + "/" + name, {}, {}};
      const auto size = archive_entry_size(entry_);
      read_content(member, size < 0 ? 0 : static_cast<std::size_t>(size));
      return member;
    }
  }
  return std::nullopt;
}

void ArchiveReader::read_content(Member& member, std::size_t promised) {
  const auto too_large = [&] {
    member.bytes = {};
    member.error = Error(ErrorCode::kTooLarge, "cannot read " + quote(member.path) + ": more than the limit of " +
                                                   std::to_string(max_bytes_) + " bytes");
  };
  if (promised > max_bytes_) return too_large();
  std::array<char, kBlock> block;
  while (true) {
    const la_ssize_t count = archive_read_data(reader_.get(), block.data(), block.size());
    if (count == ARCHIVE_RETRY) continue;
    if (count == 0) return;
    if (count < 0) {
      ended_ = count == ARCHIVE_FATAL;
      const char* why = archive_error_string(reader_.get());
      member.bytes = {};
      member.error = Error(ErrorCode::kDecode, "cannot read " + quote(member.path) + ": " +
                                                   (why == nullptr ? "the archive is damaged" : why));
      return;
    }
    if (member.bytes.size() + static_cast<std::size_t>(count) > max_bytes_) return too_large();
    member.bytes.append(block.data(), static_cast<std::size_t>(count));
  }
}

}  // namespace glimpse::io
