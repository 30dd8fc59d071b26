/// Owns memory aligned for the widest vector loads; never copies, never initialises.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>

namespace glimpse {

class AlignedBuffer {
 public:
  static constexpr std::size_t kAlignment = 64;

  AlignedBuffer() = default;
  /// `bytes` of uninitialised memory; throws std::bad_alloc. Zero bytes own nothing.
  explicit AlignedBuffer(std::size_t bytes);

  std::byte* data() { return data_.get(); }
  const std::byte* data() const { return data_.get(); }
  std::size_t size() const { return size_; }

 private:
  struct Free {
    void operator()(std::byte* p) const { std::free(p); }
  };
  std::unique_ptr<std::byte, Free> data_;
  std::size_t size_ = 0;
};

}  // namespace glimpse
