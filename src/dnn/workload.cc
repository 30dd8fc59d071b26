#include "dnn/workload.h"

#include <algorithm>
#include <chrono>

namespace glimpse::dnn {
namespace {

/// A memory full of ordinary numbers: denormal or NaN rubbish would be timed instead of the kernel.
dnnl::memory filled(const dnnl::memory::desc& desc, float value) {
  dnnl::memory memory(desc, cpu_engine());
  std::fill_n(static_cast<float*>(memory.get_data_handle()), desc.get_size() / sizeof(float), value);
  return memory;
}

}  // namespace

ConvolutionWorkload::ConvolutionWorkload(const dnnl::convolution_forward::primitive_desc& description)
    : stream_(cpu_engine()), implementation_(description.impl_info_str()) {
  Task task;
  task.primitive = dnnl::convolution_forward(description);
  const auto add = [&task](int role, const dnnl::memory::desc& desc, float value) {
    if (desc.get_size() == 0) return;
    task.memories.push_back(filled(desc, value));
    task.arguments.push_back({role, task.memories.back().get()});
  };
  add(DNNL_ARG_SRC, description.src_desc(), 0.5F);
  add(DNNL_ARG_DST, description.dst_desc(), 0.25F);
  add(DNNL_ARG_WEIGHTS, description.weights_desc(), 0.01F);
  add(DNNL_ARG_BIAS, description.bias_desc(), 0.125F);
  // Zero where the primitive needs none; its contents do not matter.
  add(DNNL_ARG_SCRATCHPAD, description.scratchpad_desc(), 0.0F);
  tasks_.push_back(std::move(task));
}

ConvolutionWorkload::Task ConvolutionWorkload::reorder(const dnnl::memory& from, const dnnl::memory& to) {
  Task task;
  task.primitive = dnnl::reorder(from, to);
  task.memories = {from, to};
  task.arguments = {{DNNL_ARG_FROM, task.memories[0].get()}, {DNNL_ARG_TO, task.memories[1].get()}};
  return task;
}

void ConvolutionWorkload::surround_with_reorders(const dnnl::memory& src, const dnnl::memory& dst) {
  const auto blocked = [](const dnnl::memory& memory) {
    return filled(f32_desc(memory.get_desc().dims(), blocked_tag()), 0.5F);
  };
  Task before = reorder(blocked(src), src);
  Task after = reorder(dst, blocked(dst));
  tasks_.insert(tasks_.begin(), std::move(before));
  tasks_.push_back(std::move(after));
}

std::unique_ptr<ConvolutionWorkload> ConvolutionWorkload::create(const ConvolutionProblem& problem,
                                                                 ConvolutionVariant variant) {
  const auto description = make_convolution(problem, variant);
  if (description) return std::unique_ptr<ConvolutionWorkload>(new ConvolutionWorkload(*description));
  if (variant != ConvolutionVariant::kBlocked) return nullptr;
  std::unique_ptr<ConvolutionWorkload> result = create(problem, ConvolutionVariant::kPreferred);
  const std::vector<dnnl::memory> memories = result->tasks_.front().memories;  // source and destination come first
  result->surround_with_reorders(memories[0], memories[1]);
  return result;
}

double ConvolutionWorkload::run() {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point begin = Clock::now();
  for (const Task& task : tasks_) {
    const dnnl_status_t status = dnnl_primitive_execute(task.primitive.get(), stream_.get(),
                                                        static_cast<int>(task.arguments.size()), task.arguments.data());
    dnnl::error::wrap_c_api(status, "could not execute a primitive");
  }
  stream_.wait();
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

}  // namespace glimpse::dnn
