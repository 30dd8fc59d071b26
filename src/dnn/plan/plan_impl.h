/// Implementation of Plan: steps, constants and the arena's layout. Internal to src/dnn.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "dnn/plan/arena.h"
#include "dnn/runtime/engine.h"
#include "dnn/plan/plan.h"

namespace glimpse::dnn {

/// A tensor that one step reads or writes.
struct Argument {
  int role = 0;       ///< DNNL_ARG_…
  int buffer = -1;    ///< in the arena; −1: a constant
  int constant = -1;  ///< where buffer is −1
  dnnl::memory::desc desc;
};

/// Either a primitive, or a loop of our own from its first argument to its second, with its third, if any, as scratch.
struct Step {
  using Loop = std::function<void(const float* src, float* dst, float* scratch)>;
  dnnl::primitive primitive;
  Loop loop;
  std::vector<Argument> arguments;
};

struct Plan::Impl {
  struct Port {
    int buffer = -1;
    Shape shape;  ///< as the caller sees it
  };
  int threads = 1;
  std::vector<Step> steps;
  std::vector<StepInfo> infos;  ///< by step
  std::vector<dnnl::memory> constants;
  ArenaLayout arena;
  std::vector<Port> inputs;
  std::vector<Port> outputs;
  std::size_t weight_bytes = 0;
};

}  // namespace glimpse::dnn
