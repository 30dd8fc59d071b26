#include "train/nets/look_network.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include "autograd/look_ops.h"
#include "autograd/losses.h"
#include "autograd/map_ops.h"
#include "autograd/parameters.h"
#include "autograd/row_ops.h"
#include "autograd/step_ops.h"
#include "core/random.h"

namespace glimpse::train {
namespace {

using dnn::Array;

constexpr dnn::Activation kRelu{dnn::Activation::Kind::kRelu};
constexpr dnn::Activation kTanh{dnn::Activation::Kind::kTanh};

bool is_recurrent(const std::string& name) { return name == "core.hidden.weight"; }

/// He's deviation for weights (He et al. 2015); a relu core remembers from the start (Le et al. 2015), an LSTM does not
/// forget, and DRAM's product of what and where begins as what alone.
void fill(const LookConfig& config, const std::string& name, std::uint64_t seed, Tensor& tensor) {
  std::ranges::fill(tensor.values(), 0.0F);
  const bool lstm = name.starts_with("upper.") || config.core == LookConfig::Core::kLstm;
  const std::int64_t rows = tensor.dim(0);
  if (tensor.shape().size() == 1) {
    if (name == "glimpse.where.bias") std::ranges::fill(tensor.values(), 1.0F);
    if (lstm && (name == "core.in.bias" || name == "upper.in.bias")) {
      std::fill_n(tensor.data() + rows / 4, rows / 4, 1.0F);
    }
    return;
  }
  if (is_recurrent(name) && !lstm) {
    for (std::int64_t i = 0; i < rows; ++i) tensor.data()[i * rows + i] = 1;
    return;
  }
  Random random(seed);
  const bool straight = name.starts_with("place") || name.starts_with("class") || name.starts_with("baseline");
  const double gain = straight ? 0.1 : lstm && (name.starts_with("core.") || name.starts_with("upper.")) ? 1 : 2;
  const double deviation = std::sqrt(gain / static_cast<double>(tensor.dim(1)));
  for (float& value : tensor.values()) value = static_cast<float>(deviation * random.normal());
}

/// Numbers of `variable` that no gradient flows back from.
Variable detached(Tape& tape, const Variable& variable) { return tape.constant(variable.value()); }

}  // namespace

void add_look_parameters(const LookConfig& config, const LookShape& shape, std::uint64_t seed,
                         ParameterSet& parameters) {
  auto tensors = look_tensors(config, shape);
  const std::string baseline(kLookScaffold);
  tensors.emplace_back(baseline + "weight", Shape{1, shape.hidden});
  tensors.emplace_back(baseline + "bias", Shape{1});
  Random seeds(seed);
  for (const auto& [name, size] : tensors) {
    Tensor tensor(size);
    fill(config, name, seeds.next(), tensor);
    parameters.add(name, std::move(tensor), size.size() > 1);
  }
}

/// One batch's way through the network.
class LookNetwork::Run {
 public:
  Run(const LookNetwork& network, Tape& tape, const std::vector<GreyPicture>& pictures,
      const LookLessonOptions& options)
      : config_(network.config_),
        parameters_(network.parameters_),
        tape_(tape),
        pictures_(pictures),
        options_(options),
        random_(options.seed),
        rows_(std::ssize(pictures) * options.samples),
        retina_(repeated("retina")),
        where_(repeated("where")),
        what_part_(repeated("glimpse.what")),
        where_part_(repeated("glimpse.where", is_dram())),
        core_in_(repeated("core.in")),
        core_hidden_(repeated("core.hidden", false)),
        place_(repeated("place")),
        class_(repeated("class")),
        baseline_(repeated("baseline")) {
    core_.h = core_.c = zeros();
    if (!is_dram()) return;
    upper_in_.emplace(repeated("upper.in"));
    upper_hidden_.emplace(repeated("upper.hidden", false));
    begin_upper();
  }

  Lesson learn(const std::vector<std::vector<int>>& labels) {
    Lesson lesson;
    std::vector<char> right(static_cast<std::size_t>(rows_), 1);
    std::vector<std::pair<double, Variable>> terms;
    const double share = 1.0 / static_cast<double>(said(labels));
    for (int round = 0; round < config_.rounds(); ++round) {
      CrossEntropyOptions wanted = wanted_of(labels, round, static_cast<float>(share));
      std::vector<Step> steps;
      for (int i = 0; i < config_.glimpses; ++i) {
        steps.push_back(glimpse());
        lesson.places.push_back(steps.back().drawn);
        const bool last = i + 1 == config_.glimpses;
        if (!last && options_.early == 0) continue;
        const CrossEntropy said = cross_entropy(tape_, logits(), wanted);
        terms.emplace_back(last ? 1 : options_.early, said.loss);
        if (!last) continue;
        lesson.cross_entropy += said.loss.value().data()[0];
        lesson.logits.push_back(last_logits_.value());
        reward(steps, said, wanted, right, lesson, terms);
      }
    }
    for (const char row : right) lesson.right += row / static_cast<double>(rows_);
    lesson.loss = weighted_sum(tape_, terms);
    return lesson;
  }

 private:
  struct Step {
    Variable means;     ///< where the network says, [rows, 2]
    Array drawn;        ///< where it is looked
    Variable expected;  ///< reward, [rows, 1]
  };

  bool is_dram() const { return config_.kind == LookConfig::Kind::kDram; }
  Variable parameter(const std::string& name) { return tape_.parameter(parameters_.at(name)); }
  RepeatedLinear repeated(const std::string& name, bool bias = true) {
    return {tape_, parameter(name + ".weight"), bias ? parameter(name + ".bias") : Variable()};
  }
  Variable zeros() {
    return tape_.constant(tape_.kernels().zeros({rows_, parameters_.at("class.weight").value.dim(1)}));
  }

  void begin_upper() {
    const Array coarse = tape_.kernels().take({rows_, config_.coarse_size()});
    for (std::int64_t row = 0; row < rows_; ++row) see_coarsely(picture(row), config_.coarse, row_of(coarse, row));
    const Variable seen = activation_in_place(
        tape_, linear(tape_, tape_.constant(coarse), parameter("context.in.weight"), parameter("context.in.bias")),
        kRelu);
    upper_.h = linear(tape_, seen, parameter("context.out.weight"), parameter("context.out.bias"));
    upper_.c = zeros();
  }

  const GreyPicture& picture(std::int64_t row) const {
    return pictures_[static_cast<std::size_t>(row / options_.samples)];
  }
  static std::span<float> row_of(const Array& array, std::int64_t row) {
    return array.values().subspan(static_cast<std::size_t>(row * array.dim(1)), static_cast<std::size_t>(array.dim(1)));
  }

  Step glimpse() {
    const Variable& state = is_dram() ? upper_.h : core_.h;
    Step step;
    step.means = activation_in_place(tape_, place_(state), kTanh);
    step.expected = baseline_(detached(tape_, state));
    step.drawn = tape_.kernels().copy(step.means.value());
    for (float& value : step.drawn.values()) value += static_cast<float>(options_.deviation * random_.normal());
    const Variable g = see(step.drawn);
    core_ = moved_on(core_in_(g), core_hidden_(core_.h), core_, config_.core == LookConfig::Core::kLstm);
    if (is_dram()) upper_ = moved_on((*upper_in_)(core_.h), (*upper_hidden_)(upper_.h), upper_, true);
    return step;
  }

  Variable see(const Array& drawn) {
    const Array patches = tape_.kernels().take({rows_, config_.retina_size()});
    const Array places = tape_.kernels().take({rows_, 2});
    for (std::int64_t row = 0; row < rows_; ++row) {
      // Beyond its edges there is no more of the picture to be seen.
      const Place place{std::clamp(drawn.data()[2 * row], -1.0F, 1.0F),
                        std::clamp(drawn.data()[2 * row + 1], -1.0F, 1.0F)};
      places.data()[2 * row] = place.x;
      places.data()[2 * row + 1] = place.y;
      look_at(picture(row), config_, place, row_of(patches, row));
    }
    const Variable a = activation_in_place(tape_, retina_(tape_.constant(patches)), kRelu);
    const Variable b = activation_in_place(tape_, where_(tape_.constant(places)), kRelu);
    const Variable what = what_part_(a);
    const Variable where = where_part_(b);
    if (is_dram()) return multiply(tape_, activation_in_place(tape_, what, kRelu), where);
    return activation_in_place(tape_, add(tape_, what, where), kRelu);
  }

  LstmState moved_on(const Variable& in, const Variable& hidden, const LstmState& before, bool lstm) {
    if (lstm) return lstm_cell(tape_, {{in}, {hidden}}, before.c, rows_);
    return {activation_in_place(tape_, add(tape_, in, hidden), kRelu), before.c};
  }

  Variable logits() {
    last_logits_ = class_(core_.h);
    return last_logits_;
  }

  /// What a picture's row should say in a round; −1: nothing any more.
  int wanted(const std::vector<int>& label, int round) const {
    if (round < std::ssize(label)) return label[static_cast<std::size_t>(round)];
    return is_dram() && round == std::ssize(label) ? config_.end_class() : -1;
  }

  std::int64_t said(const std::vector<std::vector<int>>& labels) const {
    std::int64_t count = 0;
    for (const std::vector<int>& label : labels) count += std::ssize(label) + (is_dram() ? 1 : 0);
    return count * options_.samples;
  }

  CrossEntropyOptions wanted_of(const std::vector<std::vector<int>>& labels, int round, float share) const {
    CrossEntropyOptions result;
    for (const std::vector<int>& label : labels) {
      const int id = wanted(label, round);
      result.ids.insert(result.ids.end(), static_cast<std::size_t>(options_.samples), std::max(0, id));
      result.weights.insert(result.weights.end(), static_cast<std::size_t>(options_.samples), id < 0 ? 0 : share);
    }
    return result;
  }

  /// What the round's looks were worth, and what is learnt of that: each is paid for the object that it was for.
  void reward(const std::vector<Step>& steps, const CrossEntropy& said, const CrossEntropyOptions& wanted,
              std::vector<char>& right, Lesson& lesson, std::vector<std::pair<double, Variable>>& terms) {
    std::vector<float> rewards;
    for (std::int64_t row = 0; row < rows_; ++row) {
      const auto r = static_cast<std::size_t>(row);
      const std::span<float> logits = row_of(last_logits_.value(), row);
      const bool correct = std::ranges::max_element(logits) - logits.begin() == wanted.ids[r];
      rewards.push_back(options_.reward == LookStage::Reward::kCorrect
                            ? (correct ? 1.0F : 0.0F)
                            : static_cast<float>(std::exp(said.log_likelihoods[r])));
      lesson.reward += wanted.weights[r] * rewards.back();
      if (wanted.weights[r] > 0 && !correct) right[r] = 0;
    }
    if (options_.deviation == 0) return;
    const double of_each = 1.0 / static_cast<double>(steps.size());
    for (const Step& step : steps) {
      // Rows that have nothing more to say have no reward and expect what they expect.
      const Array target = tape_.kernels().copy(step.expected.value());
      std::vector<float> advantages(rewards.size());
      for (std::size_t r = 0; r < rewards.size(); ++r) {
        if (wanted.weights[r] == 0) continue;
        target.data()[r] = rewards[r];
        advantages[r] = wanted.weights[r] * (rewards[r] - step.expected.value().data()[r]);
      }
      const Variable error = mean_squared_error(tape_, step.expected, target);
      lesson.baseline_error += of_each / config_.rounds() * error.value().data()[0];
      terms.emplace_back(of_each, error);
      terms.emplace_back(-options_.reinforce,
                         log_density(tape_, step.means, step.drawn, options_.deviation, advantages));
    }
  }

  const LookConfig& config_;
  ParameterSet& parameters_;
  Tape& tape_;
  const std::vector<GreyPicture>& pictures_;
  const LookLessonOptions& options_;
  Random random_;
  std::int64_t rows_;
  RepeatedLinear retina_, where_, what_part_, where_part_, core_in_, core_hidden_, place_, class_, baseline_;
  std::optional<RepeatedLinear> upper_in_, upper_hidden_;  ///< DRAM only
  LstmState core_;                                         ///< c only with an LSTM
  LstmState upper_;                                        ///< DRAM only
  Variable last_logits_;
};

LookNetwork::Lesson LookNetwork::lesson(Tape& tape, const std::vector<GreyPicture>& pictures,
                                        const std::vector<std::vector<int>>& labels,
                                        const LookLessonOptions& options) const {
  return Run(*this, tape, pictures, options).learn(labels);
}

}  // namespace glimpse::train
