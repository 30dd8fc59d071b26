#include "io/record_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "core/error.h"

namespace glimpse::io {

RecordFile::RecordFile(std::filesystem::path path, Start start, const EarlierLine& earlier)
    : path_(std::move(path)), keep_(start != Start::kNew) {
  const int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | (start == Start::kNew ? O_EXCL : 0);
  descriptor_ = ::open(path_.c_str(), flags, 0666);
  if (descriptor_ < 0 && errno == EEXIST && start == Start::kNew) {
    throw Error(ErrorCode::kUsage,
                quote(path_.native()) + " exists already; --resume goes on with it (JSONL), --overwrite begins anew");
  }
  if (descriptor_ < 0) fail("write", errno);
  try {
    struct stat status = {};
    if (::fstat(descriptor_, &status) != 0) fail("examine", errno);
    if (!S_ISREG(status.st_mode)) {
      throw Error(ErrorCode::kUsage, "cannot write records to " + quote(path_.native()) + ": it is no file");
    }
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
      throw Error(ErrorCode::kUsage, "another glimpse is writing " + quote(path_.native()) + " at this moment");
    }
    if (start == Start::kContinue) keep_lines(earlier);
    cut();
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

RecordFile::~RecordFile() {
  if (!keep_ && size_ == 0) ::unlink(path_.c_str());
  ::close(descriptor_);
}

void RecordFile::fail(const char* what, int error) const {
  const ErrorCode code = error == EACCES || error == EPERM || error == EROFS ? ErrorCode::kPermission
                         : error == ENOENT                                   ? ErrorCode::kMissing
                                                                             : ErrorCode::kIo;
  throw Error(code, std::string("cannot ") + what + " " + quote(path_.native()) + ": " + std::strerror(error));
}

/// Reads the file a piece at a time; size_ becomes that of the lines that are records.
void RecordFile::keep_lines(const EarlierLine& earlier) {
  std::string text;  // of which the first bytes belong to a line that began before
  std::array<char, 64 * 1024> piece;
  std::size_t number = 0;
  std::size_t doubtful = 0;  // number of a line that is no record
  while (true) {
    const ssize_t count = ::read(descriptor_, piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("read", errno);
    if (count == 0) break;
    text.append(piece.data(), static_cast<std::size_t>(count));
    std::size_t begin = 0;
    for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
      if (doubtful != 0) refuse(doubtful);  // it was not the last one
      ++number;
      if (earlier && !earlier(std::string_view(text).substr(begin, end - begin), number)) {
        doubtful = number;
      } else {
        size_ += end + 1 - begin;
      }
      begin = end + 1;
    }
    text.erase(0, begin);
  }
  // Only what can be the rest of a record is cut off: a file without any may be somebody's notes.
  if (size_ == 0 && (doubtful != 0 || (!text.empty() && text.front() != '{'))) refuse(1);
}

void RecordFile::refuse(std::size_t number) const {
  throw Error(ErrorCode::kUsage, "cannot go on with " + quote(path_.native()) + ": line " + std::to_string(number) +
                                     " is no record of glimpse; --overwrite begins anew");
}

/// Takes away what stands after the whole lines, and goes to their end.
void RecordFile::cut() {
  if (::ftruncate(descriptor_, static_cast<off_t>(size_)) != 0) fail("repair", errno);
  if (::lseek(descriptor_, static_cast<off_t>(size_), SEEK_SET) < 0) fail("write", errno);
}

void RecordFile::append(std::string_view record) {
  std::string_view rest = record;
  while (!rest.empty()) {
    const ssize_t count = ::write(descriptor_, rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      const int error = errno;
      cut();
      fail("write", error);
    }
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
  size_ += record.size();
}

void RecordFile::finish() {
  if (::fsync(descriptor_) != 0 && errno != EINVAL) fail("write", errno);
  keep_ = true;
}

}  // namespace glimpse::io
