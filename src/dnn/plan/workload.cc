#include "dnn/plan/workload.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "dnn/plan/winograd.h"

namespace glimpse::dnn {
namespace {

/// Memory filled with ordinary numbers: denormals or NaN would distort the time.
dnnl::memory filled(const dnnl::memory::desc& desc, float value) {
  dnnl::memory memory(desc, cpu_engine());
  std::fill_n(static_cast<float*>(memory.get_data_handle()), desc.get_size() / sizeof(float), value);
  return memory;
}

}  // namespace

Workload::Workload() : stream_(cpu_engine()) {}

template <typename Primitive>
void Workload::add(const typename Primitive::primitive_desc& description) {
  Task task;
  task.primitive = Primitive(description);
  const auto bind = [&task](int role, const dnnl::memory::desc& desc, float value) {
    if (desc.get_size() == 0) return;  // no bias, no scratchpad
    task.memories.push_back(filled(desc, value));
    task.arguments.push_back({role, task.memories.back().get()});
  };
  bind(DNNL_ARG_SRC, description.src_desc(), 0.5F);
  bind(DNNL_ARG_DST, description.dst_desc(), 0.25F);
  bind(DNNL_ARG_WEIGHTS, description.weights_desc(), 0.01F);
  bind(DNNL_ARG_BIAS, description.query_md(dnnl::query::weights_md, 1), 0.125F);
  bind(DNNL_ARG_SCRATCHPAD, description.scratchpad_desc(), 0.0F);
  tasks_.push_back(std::move(task));
  implementation_ = description.impl_info_str();
}

void Workload::add_winograd(const ConvolutionProblem& problem) {
  const std::vector<float> weight(static_cast<std::size_t>(element_count(problem.weight)), 0.01F);
  const std::vector<float> bias(static_cast<std::size_t>(problem.weight[0]), 0.125F);
  const auto winograd = std::make_shared<const WinogradConvolution>(
      problem, weight.data(), problem.bias ? bias.data() : nullptr, channel_block());
  Task task;
  task.memories = {filled(f32_desc(problem.src, blocked_tag()), 0.5F),
                   filled(f32_desc(problem.dst(), blocked_tag()), 0.25F)};
  const auto scratch = std::make_shared<AlignedBuffer>(winograd->scratch_bytes());
  const auto numbers = [](void* data) { return static_cast<float*>(data); };
  task.loop = [=, src = numbers(task.memories[0].get_data_handle()),
               dst = numbers(task.memories[1].get_data_handle())] {
    winograd->run(src, dst, numbers(scratch->data()));
  };
  tasks_.push_back(std::move(task));
  implementation_ = WinogradConvolution::kName;
}

Workload::Task Workload::reorder(const dnnl::memory& from, const dnnl::memory& to) {
  Task task;
  task.primitive = dnnl::reorder(from, to);
  task.memories = {from, to};
  task.arguments = {{DNNL_ARG_FROM, task.memories[0].get()}, {DNNL_ARG_TO, task.memories[1].get()}};
  return task;
}

void Workload::surround_with_reorders() {
  const auto blocked = [](const dnnl::memory& memory) {
    return filled(f32_desc(memory.get_desc().dims(), blocked_tag()), 0.5F);
  };
  const dnnl::memory src = tasks_.front().memories[0];
  const dnnl::memory dst = tasks_.front().memories[1];
  Task before = reorder(blocked(src), src);
  Task after = reorder(dst, blocked(dst));
  tasks_.insert(tasks_.begin(), std::move(before));
  tasks_.push_back(std::move(after));
}

std::unique_ptr<Workload> Workload::convolution(const ConvolutionProblem& problem, ConvolutionVariant variant) {
  std::unique_ptr<Workload> result(new Workload);
  if (const auto description = make_convolution(problem, variant)) {
    result->add<dnnl::convolution_forward>(*description);
    return result;
  }
  if (is_own_winograd(problem, variant)) {
    result->add_winograd(problem);
    return result;
  }
  if (variant != ConvolutionVariant::kBlocked) return nullptr;
  result->add<dnnl::convolution_forward>(*make_convolution(problem, ConvolutionVariant::kPreferred));
  result->surround_with_reorders();
  return result;
}

std::unique_ptr<Workload> Workload::product(std::int64_t size) {
  using Tag = dnnl::memory::format_tag;
  std::unique_ptr<Workload> result(new Workload);
  const dnnl::matmul::desc description(f32_desc({size, size}, Tag::ab), f32_desc({size, size}),
                                       f32_desc({size, size}, Tag::ab));
  result->add<dnnl::matmul>({description, attributes(), cpu_engine()});
  return result;
}

double Workload::run() {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point begin = Clock::now();
  for (const Task& task : tasks_) {
    if (task.loop) {
      task.loop();
      continue;
    }
    const dnnl_status_t status = dnnl_primitive_execute(task.primitive.get(), stream_.get(),
                                                        static_cast<int>(task.arguments.size()), task.arguments.data());
    dnnl::error::wrap_c_api(status, "could not execute a primitive");
  }
  stream_.wait();
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

}  // namespace glimpse::dnn
