#include "core/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>
#include <utility>

#include "core/error.h"

namespace glimpse {
namespace {

[[noreturn]] void throw_errno(const char* what, const std::filesystem::path& path, int error) {
  const std::string message =
      std::string("cannot ") + what + ' ' + quote(path.native()) + ": " + std::generic_category().message(error);
  if (error == ENOENT || error == ENOTDIR) throw Error(ErrorCode::kMissing, message);
  if (error == EACCES || error == EPERM || error == EROFS) throw Error(ErrorCode::kPermission, message);
  throw Error(ErrorCode::kIo, message);
}

/// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return value_; }

 private:
  int value_;
};

/// Opens a regular file for reading; its size comes back in `size`. O_NONBLOCK keeps a pipe without a writer from
/// blocking before it is refused.
Descriptor open_regular(const std::filesystem::path& path, std::size_t& size) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) throw_errno("open", path, errno);
  Descriptor descriptor(fd);
  struct stat status = {};
  if (::fstat(fd, &status) != 0) throw_errno("examine", path, errno);
  if (S_ISDIR(status.st_mode)) throw Error(ErrorCode::kIo, "cannot read " + quote(path.native()) + ": it is a folder");
  if (!S_ISREG(status.st_mode)) {
    throw Error(ErrorCode::kIo, "cannot read " + quote(path.native()) + ": it is a pipe, socket or device, not a file");
  }
  size = static_cast<std::size_t>(status.st_size);
  return descriptor;
}

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path) {
  const Descriptor file = open_regular(path, size_);
  if (size_ == 0) return;
  void* address = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (address == MAP_FAILED) throw_errno("map", path, errno);
  data_ = static_cast<const std::byte*>(address);
}

MappedFile::~MappedFile() {
  // munmap takes a mutable pointer but does not write through it.
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

std::string read_file(const std::filesystem::path& path, std::size_t max_bytes) {
  std::size_t size = 0;
  const Descriptor file = open_regular(path, size);
  if (size > max_bytes) {
    throw Error(ErrorCode::kTooLarge, "cannot read " + quote(path.native()) + ": " + std::to_string(size) +
                                          " bytes, more than the limit of " + std::to_string(max_bytes));
  }
  std::string content(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got = ::read(file.get(), content.data() + done, size - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_errno("read", path, errno);
    if (got == 0) break;  // somebody shortened it meanwhile: what is left is what there is
    done += static_cast<std::size_t>(got);
  }
  content.resize(done);
  return content;
}

void write_atomically(const std::filesystem::path& path, const std::function<void(std::ostream&)>& write) {
  static std::atomic<unsigned> counter = 0;
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  // A name of its own length, since `path` may already be as long as names can be.
  const std::string temporary =
      (folder / (".glimpse-" + std::to_string(::getpid()) + '-' + std::to_string(counter++) + ".tmp")).native();
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0) throw_errno("write", path, errno);
  const Descriptor file(fd);
  try {
    std::ofstream stream(temporary, std::ios::binary);
    errno = 0;
    write(stream);
    stream.close();
    if (!stream) throw_errno("write", path, errno != 0 ? errno : EIO);
    if (::fsync(fd) != 0 || ::rename(temporary.c_str(), path.c_str()) != 0) throw_errno("write", path, errno);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
}

}  // namespace glimpse
