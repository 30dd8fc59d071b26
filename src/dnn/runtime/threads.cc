#include "dnn/runtime/threads.h"

#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <memory>
#include <thread>

#include "dnn/runtime/cgroup.h"
#include "dnn/runtime/engine.h"

namespace glimpse::dnn {
namespace {

/// Processors in the affinity mask.
int affine_processors() {
  // The kernel refuses masks shorter than its own, which may be longer than cpu_set_t: grow until it takes one.
  for (int bits = CPU_SETSIZE; bits <= (1 << 20); bits *= 2) {
    struct Free {
      void operator()(cpu_set_t* set) const { CPU_FREE(set); }
    };
    const std::unique_ptr<cpu_set_t, Free> set(CPU_ALLOC(bits));
    const std::size_t bytes = CPU_ALLOC_SIZE(bits);
    if (set == nullptr) break;
    if (::sched_getaffinity(0, bytes, set.get()) == 0) return CPU_COUNT_S(bytes, set.get());
    if (errno != EINVAL) break;
  }
  return static_cast<int>(std::thread::hardware_concurrency());
}

std::string_view runtime_name() {
  switch (dnnl_version()->cpu_runtime) {
    case DNNL_RUNTIME_OMP:
      return "OpenMP";
    case DNNL_RUNTIME_TBB:
      return "TBB";
    case DNNL_RUNTIME_SEQ:
      return "sequential";
    default:
      return "thread pool";
  }
}

}  // namespace

int available_threads() {
  const int processors = std::max(1, affine_processors());
  const std::optional<double> quota = cgroup_cpu_quota("/proc/self/cgroup", "/sys/fs/cgroup");
  if (!quota || *quota >= processors) return processors;
  return std::max(1, static_cast<int>(std::ceil(*quota)));
}

std::string_view instruction_set() {
  switch (dnnl::get_effective_cpu_isa()) {
    case dnnl::cpu_isa::sse41:
      return "sse41";
    case dnnl::cpu_isa::avx:
      return "avx";
    case dnnl::cpu_isa::avx2:
      return "avx2";
    case dnnl::cpu_isa::avx2_vnni:
      return "avx2_vnni";
    case dnnl::cpu_isa::avx512_core:
      return "avx512_core";
    case dnnl::cpu_isa::avx512_core_vnni:
      return "avx512_core_vnni";
    case dnnl::cpu_isa::avx512_core_bf16:
      return "avx512_core_bf16";
    case dnnl::cpu_isa::avx512_core_amx:
      return "avx512_core_amx";
    default:
      return "generic";
  }
}

std::string library_version() {
  const dnnl_version_t* version = dnnl_version();
  return std::to_string(version->major) + "." + std::to_string(version->minor) + "." + std::to_string(version->patch);
}

std::string version() {
  return "oneDNN " + library_version() + ", " + std::string(runtime_name()) + ", " + std::string(instruction_set());
}

}  // namespace glimpse::dnn
