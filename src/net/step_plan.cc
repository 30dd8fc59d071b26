#include "net/step_plan.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <numeric>
#include <utility>

#include "core/error.h"
#include "net/shapes.h"

namespace glimpse::net {

using ops::StepPart;
using ops::StepRun;
using ops::StepView;

/// Nodes that are run as one, at the place of the first.
struct Group {
  std::vector<std::size_t> nodes;
  std::unique_ptr<ops::PackedStep> packed;
};

struct StepPlan::Impl {
  StepGraph graph;
  std::vector<Shape> shapes;
  std::vector<bool> needed;
  std::vector<Group> groups;
  std::int64_t grid_rows = 1;
  std::int64_t grid_cols = 1;
  std::int64_t channels = 0;

  const Node& node(std::size_t index) const { return graph.graph.nodes[index]; }
  bool is_state(std::size_t index) const { return node(index).is("state"); }
  bool is_part(std::size_t index) const { return node(index).is("part"); }

  void find_needed() {
    needed.assign(graph.graph.nodes.size(), false);
    for (const StepGraph::Output& output : graph.outputs) need(output.node);
    // A state that is needed needs what it takes on.
    for (bool changed = true; std::exchange(changed, false);) {
      for (const StepGraph::State& state : graph.states) {
        const auto next = static_cast<std::size_t>(state.next);
        if (!needed[static_cast<std::size_t>(state.node)] || needed[next]) continue;
        need(state.next);
        changed = true;
      }
    }
  }

  void need(int index) {
    if (index < 0 || needed[static_cast<std::size_t>(index)]) return;
    needed[static_cast<std::size_t>(index)] = true;
    for (const int source : node(static_cast<std::size_t>(index)).sources) need(source);
  }

  /// Nodes in the order of the text; those that merge join the first that reads the same values.
  void make_groups() {
    for (std::size_t i = 0; i < graph.graph.nodes.size(); ++i) {
      if (!needed[i] || is_state(i) || is_part(i)) continue;
      const auto twin = std::ranges::find_if(groups, [&](const Group& group) {
        const Node& first = node(group.nodes.front());
        return node(i).op->merges() && first.op == node(i).op && first.sources == node(i).sources;
      });
      if (twin != groups.end()) {
        twin->nodes.push_back(i);
      } else {
        groups.push_back({{i}, nullptr});
      }
    }
  }

  void pack(const Weights& weights) {
    const auto load = [&weights](const std::string& name, const Shape& shape) { return weights.load(name, shape); };
    const Shape input = {1, grid_rows * grid_cols, channels};
    for (Group& group : groups) {
      std::vector<ops::PackContext> contexts;
      for (const std::size_t index : group.nodes) {
        contexts.push_back({view_of(graph.graph, index, shapes, input), load, grid_rows * grid_cols});
      }
      group.packed = node(group.nodes.front()).op->pack(contexts);
    }
  }
};

StepPlan::StepPlan(const StepGraph& graph, const Weights& weights, std::int64_t grid_rows, std::int64_t grid_cols,
                   std::int64_t channels) {
  auto impl = std::make_shared<Impl>();
  impl->graph = graph;
  impl->shapes = infer_step_shapes(graph, grid_rows * grid_cols, channels);
  impl->grid_rows = grid_rows;
  impl->grid_cols = grid_cols;
  impl->channels = channels;
  impl->find_needed();
  impl->make_groups();
  impl->pack(weights);
  impl_ = std::move(impl);
}

std::int64_t StepPlan::cells() const { return impl_->grid_rows * impl_->grid_cols; }
std::int64_t StepPlan::channels() const { return impl_->channels; }

std::int64_t StepPlan::width(std::string_view output) const {
  const int node = impl_->graph.output(output);
  return node < 0 ? 0 : impl_->shapes[static_cast<std::size_t>(node)].back();
}

std::vector<ops::StepProductSpec> StepPlan::products(std::int64_t images, std::int64_t rows_per_image) const {
  std::vector<ops::StepProductSpec> products;
  const Shape input = {1, cells(), channels()};
  for (const Group& group : impl_->groups) {
    if (!impl_->graph.in_step[group.nodes.front()]) continue;
    ops::StepProductSpec merged;
    for (const std::size_t index : group.nodes) {
      const ops::NodeView view = view_of(impl_->graph.graph, index, impl_->shapes, input);
      const auto product = view.node.op->product(view, images, rows_per_image);
      if (!product) break;
      const std::int64_t cols = merged.name.empty() ? 0 : merged.cols;
      const std::string names = merged.name.empty() ? "" : merged.name + ", ";
      merged = *product;
      merged.cols += cols;
      merged.name = names + view.node.name;
    }
    if (!merged.name.empty()) products.push_back(merged);
  }
  return products;
}

struct StepSession::Impl {
  struct Held {
    StepView current;  // what the step reads
    StepView next;     // what it gave
    StepView start;    // of the picture; no data: zeros
  };

  Impl(std::shared_ptr<const StepPlan::Impl> shared, std::int64_t images, std::int64_t rows_per_image)
      : plan(std::move(shared)), own_parents(static_cast<std::size_t>(images * rows_per_image)), images(images) {
    store.sizes = {images, rows_per_image, plan->grid_rows, plan->grid_cols};
    std::iota(own_parents.begin(), own_parents.end(), 0);
    const std::size_t count = plan->graph.graph.nodes.size();
    views.resize(count);
    raws.resize(count);
    const std::int64_t cells = store.sizes.cells();
    features = {zeros(images * cells * plan->channels), plan->channels, plan->channels, cells, true};
    for (std::size_t i = 0; i < count; ++i) {
      if (plan->needed[i] && plan->is_state(i)) {
        const std::int64_t width = plan->shapes[i].back();
        views[i] = {{zeros(store.sizes.rows() * width), width, width, 0, false}};
      }
    }
    for (const Group& group : plan->groups) bind(group);
    for (const StepGraph::State& state : plan->graph.states) {
      if (plan->needed[static_cast<std::size_t>(state.node)]) hold(state);
    }
  }

  float* zeros(std::int64_t floats) {
    store.buffers.push_back(std::make_unique<Tensor>(Shape{std::max<std::int64_t>(1, floats)}));
    std::ranges::fill(store.buffers.back()->values(), 0.0F);
    return store.buffers.back()->data();
  }

  StepView view(int source) const {
    if (source == kImage) return features;
    if (source == kToken) return {};
    return views[static_cast<std::size_t>(source)].front();
  }

  void bind(const Group& group) {
    std::vector<ops::StepBinding> bindings;
    bindings.reserve(group.nodes.size());
    std::vector<ops::StepBinding*> pointers;
    for (const std::size_t index : group.nodes) {
      const Node& node = plan->node(index);
      std::vector<StepView> srcs;
      std::vector<const float*> raw_srcs;
      for (const int source : node.sources) {
        srcs.push_back(view(source));
        raw_srcs.push_back(source < 0 ? nullptr : raws[static_cast<std::size_t>(source)]);
      }
      bindings.emplace_back(store, node, std::move(srcs), std::move(raw_srcs), plan->graph.in_step[index]);
      pointers.push_back(&bindings.back());
    }
    group.packed->bind(pointers);
    for (std::size_t i = 0; i < group.nodes.size(); ++i) {
      const std::size_t index = group.nodes[i];
      views[index] = bindings[i].results();
      raws[index] = bindings[i].raw();
      // Further results stand as nodes of their own behind it.
      for (std::size_t further = 1; further < views[index].size(); ++further) {
        views[index + further] = {views[index][further]};
      }
    }
  }

  void hold(const StepGraph::State& state) {
    const auto index = static_cast<std::size_t>(state.node);
    const Node& node = plan->node(index);
    Held one;
    one.current = views[index].front();
    one.next = views[static_cast<std::size_t>(state.next)].front();
    if (!node.sources.empty()) one.start = view(node.sources.front());
    held.push_back(one);
  }

  /// States of the step before, each row's parent's; at the first step those of the picture.
  void gather(const StepRun& run) const {
    const std::int64_t rows_per_image = store.sizes.rows_per_image;
    for (const Held& state : held) {
      const std::int64_t width = state.current.width;
      for (std::int64_t row = 0; row < run.rows; ++row) {
        float* to = state.current.item(row);
        if (run.step > 0) {
          std::copy_n(state.next.item(run.parents[static_cast<std::size_t>(row)]), width, to);
        } else if (state.start.data != nullptr) {
          std::copy_n(state.start.item(row / rows_per_image), width, to);
        } else {
          std::fill_n(to, width, 0.0F);
        }
      }
    }
  }

  void add_time(StepPart part, std::chrono::steady_clock::time_point& last) {
    const auto now = std::chrono::steady_clock::now();
    (*seconds)[static_cast<std::size_t>(part)] += std::chrono::duration<double>(now - last).count();
    last = now;
  }

  const std::shared_ptr<const StepPlan::Impl> plan;
  ops::StepBinding::Store store;
  StepView features;
  std::vector<std::vector<StepView>> views;  // by node
  std::vector<const float*> raws;            // by node
  std::vector<Held> held;
  std::vector<int> own_parents;
  std::int64_t images = 0;
  std::int64_t steps = 0;
  std::optional<std::uint64_t> seed;
  StepSeconds* seconds = nullptr;
};

StepSession::StepSession(const StepPlan& plan, std::int64_t images, std::int64_t rows_per_image)
    : impl_(std::make_unique<Impl>(plan.impl_, images, rows_per_image)) {}
StepSession::~StepSession() = default;
StepSession::StepSession(StepSession&&) noexcept = default;
StepSession& StepSession::operator=(StepSession&&) noexcept = default;

void StepSession::prepare(std::span<const float> features, std::int64_t count, std::span<const float> masks) {
  impl_->images = count;
  impl_->steps = 0;
  std::ranges::copy(features, impl_->features.data);
  const auto cells = static_cast<std::size_t>(impl_->store.sizes.cells());
  for (std::int64_t image = 0; image < count; ++image) {
    StepRun run;
    run.images = count;
    if (!masks.empty()) run.mask = masks.subspan(static_cast<std::size_t>(image) * cells, cells);
    for (const auto& action : impl_->store.of_picture) action(run, image);
  }
}

void StepSession::draw_cells(std::optional<std::uint64_t> seed) { impl_->seed = seed; }

void StepSession::step(std::span<const int> tokens, std::span<const int> parents) {
  StepRun run;
  run.images = impl_->images;
  run.rows = impl_->images * impl_->store.sizes.rows_per_image;
  run.step = impl_->steps;
  run.tokens = tokens;
  run.parents = run.step == 0 ? std::span<const int>(impl_->own_parents).first(tokens.size()) : parents;
  run.seed = impl_->seed;
  auto last = std::chrono::steady_clock::now();
  impl_->gather(run);
  if (impl_->seconds != nullptr) impl_->add_time(StepPart::kGather, last);
  for (const auto& action : impl_->store.of_step) {
    action.run(run);
    if (impl_->seconds != nullptr) impl_->add_time(action.part, last);
  }
  ++impl_->steps;
}

StepView StepSession::output(std::string_view role) const {
  const int node = impl_->plan->graph.output(role);
  return node < 0 ? StepView() : impl_->views[static_cast<std::size_t>(node)].front();
}

std::int64_t StepSession::images() const { return impl_->images; }
void StepSession::measure(StepSeconds* seconds) { impl_->seconds = seconds; }

}  // namespace glimpse::net
