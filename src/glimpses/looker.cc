#include "glimpses/looker.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <utility>

#include "dnn/math/vector_math.h"
#include "dnn/products/linear.h"
#include "dnn/runtime/threads.h"

namespace glimpse {
namespace {

using Row = std::vector<float>;

dnn::Linear layer(const Weights& weights, const std::string& name, bool bias = true) {
  const Tensor weight = weights.load(name + ".weight", weights.at(name + ".weight").shape);
  const Tensor shift = bias ? weights.load(name + ".bias", {weight.dim(0)}) : Tensor();
  return {name, weight, bias ? shift.values() : std::span<const float>()};
}

/// A layer and where its result stands.
struct Dense {
  Dense() = default;
  Dense(const dnn::Linear& linear, bool relu = false)
      : kernel(linear, 1, relu), out(static_cast<std::size_t>(linear.out())) {}
  const Row& operator()(const Row& src) {
    kernel.run(src.data(), out.data());
    return out;
  }
  dnn::LinearKernel kernel;
  Row out;
};

/// A row's products are too small to be shared: waking another thread takes longer.
constexpr int kThreads = 1;

void clear(Row& row) { std::ranges::fill(row, 0.0F); }

/// An LSTM's state, moved on by its gates' two sums.
struct LstmState {
  void step(const Row& in, const Row& hidden) {
    dnn::lstm_row({in.data(), hidden.data(), c.data(), c.data(), h.data()}, std::ssize(c));
  }
  Row h;
  Row c;
};

}  // namespace

struct Looker::Network {
  explicit Network(const LookModel& model) : config(model.config()) {
    const Weights& weights = model.weights();
    const bool dram = config.kind == LookConfig::Kind::kDram;
    retina = layer(weights, "retina");
    where = layer(weights, "where");
    what_part = layer(weights, "glimpse.what");
    where_part = layer(weights, "glimpse.where", dram);
    core_in = layer(weights, "core.in");
    core_hidden = layer(weights, "core.hidden", false);
    place = layer(weights, "place");
    classes = layer(weights, "class");
    if (!dram) return;
    context_in = layer(weights, "context.in");
    context_out = layer(weights, "context.out");
    upper_in = layer(weights, "upper.in");
    upper_hidden = layer(weights, "upper.hidden", false);
  }

  LookConfig config;
  dnn::Linear retina, where, what_part, where_part, core_in, core_hidden, place, classes;
  dnn::Linear context_in, context_out, upper_in, upper_hidden;  ///< DRAM only
};

struct LookSession::State {
  explicit State(std::shared_ptr<const Looker::Network> shared)
      : network(std::move(shared)),
        config(network->config),
        retina(network->retina, true),
        where(network->where, true),
        what_part(network->what_part, is_dram()),
        where_part(network->where_part),
        core_in(network->core_in),
        core_hidden(network->core_hidden),
        place(network->place),
        classes(network->classes) {
    const auto hidden = static_cast<std::size_t>(network->classes.in());
    core.h.resize(hidden);
    core.c.resize(hidden);
    patches.resize(static_cast<std::size_t>(config.retina_size()));
    if (!is_dram()) return;
    context_in = Dense(network->context_in, true);
    context_out = Dense(network->context_out);
    upper_in = Dense(network->upper_in);
    upper_hidden = Dense(network->upper_hidden);
    upper.h.resize(hidden);
    upper.c.resize(hidden);
    coarse.resize(static_cast<std::size_t>(config.coarse_size()));
  }

  bool is_dram() const { return config.kind == LookConfig::Kind::kDram; }

  void begin(const GreyPicture& picture) {
    clear(core.h);
    clear(core.c);
    if (!is_dram()) return;
    see_coarsely(picture, config.coarse, coarse);
    upper.h = context_out(context_in(coarse));
    clear(upper.c);
  }

  LookGlimpse glimpse(const GreyPicture& picture) {
    Row l = place(is_dram() ? upper.h : core.h);
    dnn::tanh_in_place(l);
    LookGlimpse seen;
    seen.place = {l[0], l[1]};
    for (int scale = 0; scale < config.scales; ++scale) seen.boxes.push_back(patch_box(config, seen.place, scale));
    look_at(picture, config, seen.place, patches);
    seen.patches = patches;
    Row g = what_part(retina(patches));
    const Row& at = where_part(where(l));
    for (std::size_t i = 0; i < g.size(); ++i) g[i] = is_dram() ? g[i] * at[i] : std::max(0.0F, g[i] + at[i]);
    move_on(g);
    return seen;
  }

  void move_on(const Row& g) {
    const Row& in = core_in(g);
    const Row& hidden = core_hidden(core.h);
    if (config.core == LookConfig::Core::kLstm) {
      core.step(in, hidden);
    } else {
      for (std::size_t i = 0; i < core.h.size(); ++i) core.h[i] = std::max(0.0F, in[i] + hidden[i]);
    }
    if (is_dram()) upper.step(upper_in(core.h), upper_hidden(upper.h));
  }

  LookObject object(const GreyPicture& picture) {
    LookObject result;
    for (int i = 0; i < config.glimpses; ++i) result.glimpses.push_back(glimpse(picture));
    Row logits = classes(core.h);
    dnn::softmax_in_place(logits);
    const auto best = std::ranges::max_element(logits);
    result.id = static_cast<int>(best - logits.begin());
    result.probability = *best;
    if (result.id != config.end_class() || !is_dram())
      result.name = config.classes[static_cast<std::size_t>(result.id)];
    return result;
  }

  const std::shared_ptr<const Looker::Network> network;
  const LookConfig& config;
  Dense retina, where, what_part, where_part, core_in, core_hidden, place, classes;
  Dense context_in, context_out, upper_in, upper_hidden;
  LstmState core;   ///< c only with an LSTM
  LstmState upper;  ///< DRAM only
  Row patches;
  Row coarse;
};

Looker::Looker(const LookModel& model) : network_(std::make_shared<const Network>(model)) {}
Looker::~Looker() = default;
Looker::Looker(Looker&&) noexcept = default;
Looker& Looker::operator=(Looker&&) noexcept = default;
const LookConfig& Looker::config() const { return network_->config; }

LookSession::LookSession(const Looker& looker) {
  const dnn::ThreadCountScope scope(kThreads);
  state_ = std::make_unique<State>(looker.network_);
}
LookSession::~LookSession() = default;
LookSession::LookSession(LookSession&&) noexcept = default;
LookSession& LookSession::operator=(LookSession&&) noexcept = default;

Look LookSession::look(std::span<const float> pixels) {
  const LookConfig& config = state_->config;
  assert(std::ssize(pixels) == std::ptrdiff_t{config.width} * config.height);
  const GreyPicture picture{pixels.data(), config.width, config.height};
  const dnn::ThreadCountScope scope(kThreads);
  state_->begin(picture);
  Look result;
  for (int round = 0; round < config.rounds(); ++round) {
    result.objects.push_back(state_->object(picture));
    if (result.objects.back().name.empty()) break;
  }
  return result;
}

Look LookSession::look(const Image& image) {
  const LookConfig& config = state_->config;
  Preprocess preprocess;
  preprocess.width = config.width;
  preprocess.height = config.height;
  preprocess.resize = Preprocess::Resize::kFit;
  const auto cells = static_cast<std::size_t>(config.width) * static_cast<std::size_t>(config.height);
  Row rgb(3 * cells);
  const ViewTransform way = to_input(image, preprocess, rgb);
  Row grey(cells);
  // Luma as BT.601 has it; what is grey already stays what it is but for rounding.
  for (std::size_t i = 0; i < cells; ++i)
    grey[i] = 0.299F * rgb[i] + 0.587F * rgb[cells + i] + 0.114F * rgb[2 * cells + i];
  Look result = look(grey);
  for (LookObject& object : result.objects) {
    for (LookGlimpse& glimpse : object.glimpses) {
      for (Rect& box : glimpse.boxes) {
        box = {way.offset_x + way.scale_x * box.x, way.offset_y + way.scale_y * box.y, way.scale_x * box.width,
               way.scale_y * box.height};
      }
    }
  }
  return result;
}

std::string Look::answer() const {
  std::string text;
  for (const LookObject& object : objects) text += object.name;
  return text;
}

double Look::probability() const {
  double product = 1;
  for (const LookObject& object : objects) product *= object.probability;
  return product;
}

}  // namespace glimpse
