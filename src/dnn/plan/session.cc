#include <chrono>
#include <utility>

#include "core/buffer.h"
#include "dnn/plan/plan_impl.h"

namespace glimpse::dnn {
namespace {

template <typename Port>
const Port& port(const std::vector<Port>& ports, std::size_t index, const char* what) {
  if (index < ports.size()) return ports[index];
  throw Error(ErrorCode::kUsage, std::string(what) + " " + std::to_string(index) + " of a plan that has " +
                                     std::to_string(ports.size()) + "; they count from 0");
}

}  // namespace

Plan::Plan(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

std::size_t Plan::input_count() const { return impl_->inputs.size(); }
const Shape& Plan::input_shape(std::size_t index) const { return port(impl_->inputs, index, "input").shape; }
std::size_t Plan::output_count() const { return impl_->outputs.size(); }
const Shape& Plan::output_shape(std::size_t index) const { return port(impl_->outputs, index, "output").shape; }
const std::vector<StepInfo>& Plan::steps() const { return impl_->infos; }
std::size_t Plan::arena_bytes() const { return impl_->arena.bytes; }
std::size_t Plan::weight_bytes() const { return impl_->weight_bytes; }

/// The plan's steps bound to this session's memory.
struct Session::Impl {
  struct BoundStep {
    const_dnnl_primitive_t primitive = nullptr;  ///< null: a loop
    std::vector<dnnl_exec_arg_t> arguments;
    const Step::Loop* loop = nullptr;
    const float* src = nullptr;
    float* dst = nullptr;
    float* scratch = nullptr;
  };

  explicit Impl(std::shared_ptr<const Plan::Impl> bound_plan)
      : plan(std::move(bound_plan)), arena(plan->arena.bytes), stream(cpu_engine()) {
    for (const Step& step : plan->steps) bind(step);
  }

  float* at(int buffer) {
    return reinterpret_cast<float*>(arena.data() + plan->arena.offsets[static_cast<std::size_t>(buffer)]);
  }

  void bind(const Step& step) {
    BoundStep bound;
    if (step.loop) {
      bound.loop = &step.loop;
      bound.src = at(step.arguments[0].buffer);
      bound.dst = at(step.arguments[1].buffer);
      if (step.arguments.size() > 2) bound.scratch = at(step.arguments[2].buffer);
    } else {
      bound.primitive = step.primitive.get();
      for (const Argument& argument : step.arguments) {
        const bool constant = argument.buffer < 0;
        if (!constant) memories.emplace_back(argument.desc, cpu_engine(), at(argument.buffer));
        const dnnl::memory& memory =
            constant ? plan->constants[static_cast<std::size_t>(argument.constant)] : memories.back();
        bound.arguments.push_back({argument.role, memory.get()});
      }
    }
    steps.push_back(std::move(bound));
  }

  void execute(const BoundStep& step) {
    if (step.loop != nullptr) {
      (*step.loop)(step.src, step.dst, step.scratch);
      return;
    }
    // The C call takes the arguments as they stand; the C++ one would build a table of them on every run.
    const dnnl_status_t status = dnnl_primitive_execute(step.primitive, stream.get(),
                                                        static_cast<int>(step.arguments.size()), step.arguments.data());
    if (status != dnnl_success) {
      const auto index = static_cast<std::size_t>(&step - steps.data());
      throw Error(ErrorCode::kInternal, plan->infos[index].name + ": oneDNN failed to execute it (status " +
                                            std::to_string(static_cast<int>(status)) + ")");
    }
  }

  std::shared_ptr<const Plan::Impl> plan;
  AlignedBuffer arena;
  dnnl::stream stream;
  std::vector<dnnl::memory> memories;  ///< kept alive for the raw handles in `steps`
  std::vector<BoundStep> steps;
};

Session::Session(Plan plan) : impl_(std::make_unique<Impl>(std::move(plan.impl_))) {}
Session::~Session() = default;
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;

std::span<float> Session::input(std::size_t index) {
  const Plan::Impl::Port& found = port(impl_->plan->inputs, index, "input");
  return {impl_->at(found.buffer), static_cast<std::size_t>(element_count(found.shape))};
}

std::span<const float> Session::output(std::size_t index) const {
  const Plan::Impl::Port& found = port(impl_->plan->outputs, index, "output");
  return {impl_->at(found.buffer), static_cast<std::size_t>(element_count(found.shape))};
}

void Session::run() {
  run_on_threads(impl_->plan->threads, [this] {
    for (const Impl::BoundStep& step : impl_->steps) impl_->execute(step);
    impl_->stream.wait();
  });
}

std::vector<double> Session::run_timed() {
  using Clock = std::chrono::steady_clock;
  std::vector<double> seconds;
  seconds.reserve(impl_->steps.size());
  run_on_threads(impl_->plan->threads, [this, &seconds] {
    for (const Impl::BoundStep& step : impl_->steps) {
      const Clock::time_point begin = Clock::now();
      impl_->execute(step);
      impl_->stream.wait();
      seconds.push_back(std::chrono::duration<double>(Clock::now() - begin).count());
    }
  });
  return seconds;
}

}  // namespace glimpse::dnn
