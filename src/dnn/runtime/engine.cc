#include "dnn/runtime/engine.h"

#include <cstring>

namespace glimpse::dnn {

const dnnl::engine& cpu_engine() {
  static const dnnl::engine kEngine(dnnl::engine::kind::cpu, 0);
  return kEngine;
}

void throw_translated(std::string_view step, const dnnl::error& error) {
  if (error.status == dnnl_out_of_memory) throw std::bad_alloc();
  throw Error(ErrorCode::kModel, std::string(step) + ": oneDNN refuses it: " + error.what());
}

dnnl::memory::desc f32_desc(const dnnl::memory::dims& dims, dnnl::memory::format_tag tag) {
  return {dims, dnnl::memory::data_type::f32, tag};
}

dnnl::memory pack(const float* values, const dnnl::memory::desc& plain, const dnnl::memory::desc& packed) {
  dnnl::memory result(packed, cpu_engine());
  if (plain == packed) {
    std::memcpy(result.get_data_handle(), values, plain.get_size());
    return result;
  }
  // A reorder does not write to its source; the C API has no const pointer for it.
  dnnl::memory source(plain, cpu_engine(), const_cast<float*>(values));
  dnnl::stream stream(cpu_engine());
  dnnl::reorder(source, result).execute(stream, source, result);
  stream.wait();
  return result;
}

}  // namespace glimpse::dnn
