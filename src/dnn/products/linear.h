/// Dense layers whose weights are constant: packed once into the layout that oneDNN's matrix product asks for, shared
/// by every session, executed by a kernel built for a fixed number of rows.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "core/tensor.h"

namespace glimpse::dnn {

/// dst = src · weightᵀ + bias. Const and thread-safe; copies share the packed weights.
class Linear {
 public:
  struct Impl;
  Linear() = default;
  /// weight [out, in]; bias [out], or empty for none. `name` stands in error messages. The weights are packed here, the
  /// plain ones are not kept.
  Linear(const std::string& name, const Tensor& weight, std::span<const float> bias);

  std::int64_t in() const;
  std::int64_t out() const;
  std::size_t bytes() const;  ///< of packed weights
  explicit operator bool() const { return impl_ != nullptr; }

 private:
  friend class LinearKernel;
  std::shared_ptr<const Impl> impl_;
};

/// A Linear for `rows` rows: one primitive with its scratchpad and stream. One per session and use, run by one thread
/// at a time; it runs on as many threads as were in force when it was built.
class LinearKernel {
 public:
  LinearKernel();
  /// Throws Error(kModel) naming the layer where oneDNN refuses it. `relu`: dst = max(0, dst).
  LinearKernel(const Linear& linear, std::int64_t rows, bool relu = false);
  ~LinearKernel();
  LinearKernel(LinearKernel&&) noexcept;
  LinearKernel& operator=(LinearKernel&&) noexcept;

  /// src [rows, in], dst [rows, out], both dense.
  void run(const float* src, float* dst);
  /// oneDNN's name of the kernel, e.g. "brg:avx512_core".
  std::string implementation() const;
  explicit operator bool() const { return impl_ != nullptr; }

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace glimpse::dnn
