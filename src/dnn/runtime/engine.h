/// What every file of this level needs of oneDNN: the process's one CPU engine, errors in glimpse's own type, the
/// thread count around primitives, and packing of constant tensors. Internal to src/dnn: the only place where dnnl.hpp
/// may be seen.
#pragma once

#include <oneapi/dnnl/dnnl.hpp>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "core/error.h"
#include "core/tensor.h"
#include "dnn/runtime/threads.h"

namespace glimpse::dnn {

/// The process-wide CPU engine; thread-safe.
const dnnl::engine& cpu_engine();

/// Throws Error(kModel): "<step>: oneDNN refuses it: <reason>".
[[noreturn]] void throw_translated(std::string_view step, const dnnl::error& error);

/// Runs `body`, translating oneDNN's exceptions into Error(kModel) that name `step`.
template <typename Body>
auto translate_errors(std::string_view step, Body&& body) -> std::invoke_result_t<Body> {
  try {
    return std::forward<Body>(body)();
  } catch (const dnnl::error& error) {
    throw_translated(step, error);
  }
}

namespace detail {
/// Defined by the threading runtime that oneDNN was built with.
void run_on_threads(int count, void (*body)(void*), void* argument);
}  // namespace detail

/// Runs `body` so that primitives created or executed in it, and parallel_for, use `count` threads; the calling
/// thread's own count is as before afterwards. With the TBB runtime this is the only way to limit oneDNN, so everything
/// that creates or executes primitives runs inside it. Cheap enough for every call.
template <typename Body>
void run_on_threads(int count, Body&& body) {
  using Plain = std::remove_reference_t<Body>;
  detail::run_on_threads(
      count, [](void* argument) { (*static_cast<Plain*>(argument))(); },
      const_cast<void*>(static_cast<const void*>(&body)));
}

/// A dense f32 tensor descriptor in `tag` (by default the library chooses: format_tag::any).
dnnl::memory::desc f32_desc(const dnnl::memory::dims& dims,
                            dnnl::memory::format_tag tag = dnnl::memory::format_tag::any);

/// `values`, dense in `plain`, in a memory of its own laid out as `packed`: how weights reach the layout that their
/// primitive asked for.
dnnl::memory pack(const float* values, const dnnl::memory::desc& plain, const dnnl::memory::desc& packed);

}  // namespace glimpse::dnn
