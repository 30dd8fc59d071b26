/// From a decoder's text and weights to something that runs: a StepPlan, const and shared (weights packed once; the
/// linears that read one value merged), and one StepSession a worker with buffers that persist from step to step.
/// Running a session builds no primitive and allocates nothing large.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/safetensors.h"
#include "net/step_graph.h"
#include "ops/step_context.h"

namespace glimpse::net {

class StepPlan {
 public:
  struct Impl;
  /// For maps of grid_rows × grid_cols cells of `channels`. Throws Error(kModel) naming graph file, line and node, or
  /// weights file and tensor.
  StepPlan(const StepGraph& graph, const Weights& weights, std::int64_t grid_rows, std::int64_t grid_cols,
           std::int64_t channels);

  std::int64_t cells() const;
  std::int64_t channels() const;
  /// Numbers in a row of that output (`words`: the vocabulary); 0 where the graph has none.
  std::int64_t width(std::string_view output) const;
  /// The matrix products of one step of that many rows.
  std::vector<ops::StepProductSpec> products(std::int64_t images, std::int64_t rows_per_image) const;

 private:
  friend class StepSession;
  std::shared_ptr<const Impl> impl_;
};

/// Seconds spent in the parts of steps, in the order of ops::StepPart.
using StepSeconds = std::array<double, 4>;

class StepSession {
 public:
  StepSession(const StepPlan& plan, std::int64_t images, std::int64_t rows_per_image);
  ~StepSession();
  StepSession(StepSession&&) noexcept;
  StepSession& operator=(StepSession&&) noexcept;

  /// Begins on the first `count` pictures: features [count, cells, channels]; masks [count, cells], or empty.
  void prepare(std::span<const float> features, std::int64_t count, std::span<const float> masks);
  /// Hard selectors draw their cells with that seed from the next step on; nothing: they take the best.
  void draw_cells(std::optional<std::uint64_t> seed);
  /// One step of the rows of all prepared pictures; tokens and parents [rows]. Before the first step every row is its
  /// own parent, whatever `parents` says.
  void step(std::span<const int> tokens, std::span<const int> parents);
  /// Of the last step: item r is row r's. An output that the graph does not have is empty. `words` may be written to.
  ops::StepView output(std::string_view role) const;

  std::int64_t images() const;  ///< prepared
  /// Adds the seconds of every later step; null: measures no longer.
  void measure(StepSeconds* seconds);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace glimpse::net
