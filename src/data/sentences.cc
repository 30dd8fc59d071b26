#include "data/sentences.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>
#include <new>
#include <optional>
#include <span>
#include <string>

#include "core/error.h"
#include "core/file.h"

namespace glimpse::train {
namespace {

constexpr std::size_t kLongestLine = std::size_t{64} << 10;

/// Makes lines of text that comes in pieces.
class LineSplitter {
 public:
  LineSplitter(const std::filesystem::path& path, const std::function<void(std::string_view)>& take)
      : path_(path), take_(take) {}

  void add(std::string_view piece) {
    while (!piece.empty()) {
      const std::size_t end = piece.find('\n');
      const std::string_view part = piece.substr(0, end);
      if (rest_.size() + part.size() > kLongestLine) {
        throw Error(ErrorCode::kTooLarge, quote(path_.native()) + " line " + std::to_string(line_) +
                                              " is longer than " + std::to_string(kLongestLine) +
                                              " bytes; give a sentence a line");
      }
      rest_ += part;
      if (end == std::string_view::npos) return;
      finish();
      piece.remove_prefix(end + 1);
    }
  }

  void finish() {
    std::string_view line = rest_;
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.find_first_not_of(" \t\v\f\r") != std::string_view::npos) take_(line);
    rest_.clear();
    ++line_;
  }

 private:
  const std::filesystem::path& path_;
  const std::function<void(std::string_view)>& take_;
  std::string rest_;  ///< of the line that is not complete
  std::size_t line_ = 1;
};

/// zlib's state for one gzip file.
class Inflater {
 public:
  explicit Inflater(std::span<const std::byte> bytes) : left_(bytes) {
    constexpr int kGzipOnly = 16 + MAX_WBITS;
    if (inflateInit2(&stream_, kGzipOnly) != Z_OK) throw std::bad_alloc();
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// The next piece; empty at the end. Nothing where the data is damaged or breaks off. It stands until the next call.
  std::optional<std::string_view> next() {
    std::string_view piece;
    while (piece.empty() && !at_end_) {
      if (stream_.avail_in == 0) refill();
      stream_.next_out = reinterpret_cast<Bytef*>(buffer_.data());
      stream_.avail_out = static_cast<uInt>(buffer_.size());
      const int status = inflate(&stream_, Z_NO_FLUSH);
      if (status != Z_OK && status != Z_STREAM_END) return std::nullopt;
      piece = {buffer_.data(), buffer_.size() - stream_.avail_out};
      if (status == Z_STREAM_END && !begin_member()) return std::nullopt;
    }
    return piece;
  }

 private:
  /// After a member comes the file's end or another member.
  bool begin_member() {
    if (stream_.avail_in == 0) refill();
    at_end_ = stream_.avail_in == 0;
    return at_end_ || inflateReset(&stream_) == Z_OK;
  }

  void refill() {
    const std::size_t size = std::min<std::size_t>(left_.size(), std::numeric_limits<uInt>::max());
    // zlib's interface is older than const.
    stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(left_.data()));
    stream_.avail_in = static_cast<uInt>(size);
    left_ = left_.subspan(size);
  }

  z_stream stream_ = {};
  std::span<const std::byte> left_;  ///< what zlib has not been given yet
  std::array<char, std::size_t{64} << 10> buffer_ = {};
  bool at_end_ = false;
};

bool is_gzip(std::span<const std::byte> bytes) {
  return bytes.size() >= 2 && bytes[0] == std::byte{0x1f} && bytes[1] == std::byte{0x8b};
}

}  // namespace

void read_sentences(const std::filesystem::path& path, const std::function<void(std::string_view)>& take) {
  const MappedFile file(path);
  LineSplitter lines(path, take);
  if (!is_gzip(file.bytes())) {
    lines.add({reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()});
  } else {
    Inflater inflater(file.bytes());
    std::optional<std::string_view> piece;
    while ((piece = inflater.next()) && !piece->empty()) lines.add(*piece);
    if (!piece) {
      throw Error(ErrorCode::kIo,
                  "cannot read " + quote(path.native()) + ": its compressed data is damaged or cut short");
    }
  }
  lines.finish();
}

}  // namespace glimpse::train
