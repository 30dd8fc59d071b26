/// A feed-forward network as a fixed list of oneDNN primitives: described once through PlanBuilder, built into a const
/// Plan that all workers share, run by one mutable Session per worker.
///
/// Tensors are logically NCHW whatever layout the primitives choose inside. Everything expensive happens in
/// `PlanBuilder::build`: primitives are created, weights reordered once into the packed layout their primitive asks
/// for, the arena's offsets computed from the values' lifetimes. `Session::run` then only executes: it builds no
/// primitive and allocates nothing large.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/tensor.h"

namespace glimpse::dnn {

struct Activation {
  enum class Kind { kNone, kRelu, kClip, kSigmoid, kTanh, kHardSwish, kGelu };
  Kind kind = Kind::kNone;
  float lo = 0;  ///< kClip only
  float hi = 0;  ///< kClip only
};

struct Padding {
  std::int64_t top = 0, left = 0, bottom = 0, right = 0;
};

struct ConvolutionOptions {
  std::array<std::int64_t, 2> stride = {1, 1};    ///< rows, columns
  std::array<std::int64_t, 2> dilation = {1, 1};  ///< 1: none
  Padding padding;
  std::int64_t groups = 1;
  Activation activation;  ///< applied last, after the residual
};

struct PoolingOptions {
  enum class Kind { kMax, kAverageExcludingPadding, kAverageIncludingPadding };
  Kind kind = Kind::kMax;
  std::array<std::int64_t, 2> kernel = {2, 2};
  std::array<std::int64_t, 2> stride = {2, 2};
  Padding padding;
  bool ceil_mode = false;  ///< output size rounded up, as torch's ceil_mode (a window must start inside the input or
                           ///< its left/top padding)
};

/// Which kernels and layouts convolutions get.
enum class Tuning {
  kMeasure,  ///< time direct against Winograd per shape and channels-last against blocked per network; keep and
             ///< remember the faster
  kDirect,   ///< never Winograd
  kWinograd  ///< Winograd wherever it fits: nothing is timed, so that two runs never differ, and fast for several
             ///< images at a time
};

struct PlanOptions {
  Tuning tuning = Tuning::kMeasure;
  /// Where measurements are remembered between processes; empty: nowhere. A missing, damaged or unwritable file only
  /// costs the measuring.
  std::filesystem::path tuning_cache;
  int threads = 1;  ///< the count that sessions will run with
};

/// A tensor inside a network being described. Only meaningful to the builder that made it.
struct Value {
  int id = -1;
};

/// A convolution as it is asked for, before kernel and layout are chosen.
struct ConvolutionProblem {
  Shape src;     ///< [N,C,H,W]
  Shape weight;  ///< [out, in/groups, kh, kw]
  ConvolutionOptions options;
  bool bias = false;
  bool residual = false;  ///< something is added before the activation

  Shape dst() const;           ///< [N,out,H',W']
  std::int64_t flops() const;  ///< 2 × multiply-adds of the direct algorithm, padding counted as if it were picture
};

/// Description of a step, for `info` and `bench`.
struct StepInfo {
  std::string name;            ///< the node's name in the graph
  std::string kind;            ///< "convolution", "pooling", …
  std::string implementation;  ///< oneDNN's name, e.g. "jit_avx512_core_fp32_wino_conv_4x3"
  std::int64_t flops = 0;      ///< 2 × multiply-adds, counted as the direct algorithm; 0 where not worth counting
  std::optional<ConvolutionProblem> convolution;  ///< where kind is "convolution"
};

class Session;

/// Const and thread-safe. Copies share the same primitives and weights.
class Plan {
 public:
  struct Impl;
  explicit Plan(std::shared_ptr<const Impl> impl);

  // Shapes throw Error(kUsage) for an index beyond the counts.
  std::size_t input_count() const;
  const Shape& input_shape(std::size_t index) const;  ///< [N,C,H,W]
  std::size_t output_count() const;
  const Shape& output_shape(
      std::size_t index) const;  ///< as delivered: [N,C,H,W], or [N,H,W,C] for channels-last outputs
  const std::vector<StepInfo>& steps() const;
  std::size_t arena_bytes() const;   ///< activations of one session
  std::size_t weight_bytes() const;  ///< packed weights, shared

 private:
  friend class Session;
  std::shared_ptr<const Impl> impl_;
};

/// The mutable state of a running plan: arena, scratchpad, stream. One per worker; a session is used by one thread at a
/// time.
class Session {
 public:
  explicit Session(Plan plan);
  ~Session();
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;

  /// Where the caller writes the input before `run`: dense f32 NCHW. Valid and stable for the session's life. Throws
  /// Error(kUsage) for an index that the plan does not have, like `output`.
  std::span<float> input(std::size_t index = 0);
  void run();
  /// Dense f32, valid until the next run.
  std::span<const float> output(std::size_t index = 0) const;
  /// `run`, timing each step; seconds in the order of Plan::steps().
  std::vector<double> run_timed();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Describes a network step by step. Shapes that do not fit (level net validates them with file and line), values of
/// another builder and a second `build` throw Error(kUsage) naming the step; a combination that oneDNN refuses throws
/// Error(kModel) naming it. Every `name` is the graph node's name. Weights and biases are borrowed until `build`, which
/// packs them, and not looked at afterwards.
class PlanBuilder {
 public:
  explicit PlanBuilder(PlanOptions options);
  ~PlanBuilder();
  PlanBuilder(const PlanBuilder&) = delete;
  PlanBuilder& operator=(const PlanBuilder&) = delete;

  Value input(const std::string& name, const Shape& nchw);

  /// weight [out, in/groups, kh, kw], bias [out]; an optional residual of the output's shape is added before the
  /// activation. The residual's memory is overwritten in place where its value is dead afterwards, else it is added
  /// from where it stands.
  Value convolution(const std::string& name, Value src, const Tensor& weight, const std::optional<Tensor>& bias,
                    const ConvolutionOptions& options, std::optional<Value> residual = std::nullopt);
  /// weight [out, in], bias [out]; src [N,C,H,W] is flattened in NCHW order to [N, C·H·W]; the result is [N,out,1,1].
  Value linear(const std::string& name, Value src, const Tensor& weight, const std::optional<Tensor>& bias,
               Activation activation);
  Value pooling(const std::string& name, Value src, const PoolingOptions& options);
  Value global_average(const std::string& name, Value src);  ///< [N,C,1,1]
  Value global_max(const std::string& name, Value src);      ///< [N,C,1,1]
  /// Torch's adaptive average pooling: bin i of `out` over `in` runs from ⌊in·i/out⌋ to ⌈in·(i+1)/out⌉; also pools
  /// "up".
  Value adaptive_average(const std::string& name, Value src, std::int64_t rows, std::int64_t cols);
  Value channel_mean(const std::string& name, Value src);  ///< [N,1,H,W]
  Value channel_max(const std::string& name, Value src);   ///< [N,1,H,W]
  Value activation(const std::string& name, Value src, Activation activation);
  /// b has a's shape, or is [N,C,1,1] or [N,1,H,W] and broadcasts.
  Value add(const std::string& name, Value a, Value b, Activation activation = {});
  Value multiply(const std::string& name, Value a, Value b, Activation activation = {});
  Value concat(const std::string& name, std::span<const Value> srcs);  ///< along channels
  /// What every cell reads of all cells of its map (Vaswani et al. 2017): src [N,3C,H,W] holds queries, keys and
  /// values, C channels of each in `heads` equal parts; dst [N,C,H,W] = softmax(q · k / √(C / heads)) · v of each head.
  Value self_attention(const std::string& name, Value src, std::int64_t heads);
  /// scale · (src − mean) / √(variance + ε) + shift over the channels of each cell (Ba, Kiros and Hinton 2016); scale,
  /// shift [C].
  Value layer_norm(const std::string& name, Value src, const Tensor& scale, const Tensor& shift, float epsilon);
  /// Marks an output: dense NCHW, or NHWC where `channels_last` (the [N, L, D] that attention reads).
  void output(Value value, bool channels_last);

  const Shape& shape(Value value) const;  ///< [N,C,H,W]

  /// Creates primitives, packs weights, lays out the arena. The builder is spent afterwards.
  Plan build();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace glimpse::dnn
